// Where `tail` begins in each partition, as the user's words say it.
#pragma once

#include "events/log/log.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mayfly::tools {

/// Of one partition; neither: it is left out.
struct TailBegin {
  enum class Where : std::uint8_t { left_out, begin, end, offset };
  Where where = Where::left_out;
  events::Offset offset = 0;
};

/// One for each partition. A word without a partition is for all that no other word names, and stands once; where each
/// word names one, the others are left out. A sentence in `wrong` if the words do not fit.
[[nodiscard]] std::vector<TailBegin> tail_begins(std::span<const std::string> words, std::int32_t partitions,
                                                 std::string& wrong);

}  // namespace mayfly::tools
