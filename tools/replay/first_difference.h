// Names the first field in which two records, or two snapshots of a cart, differ.
#pragma once

#include "events/log/record.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mayfly::tools {

struct RecordContent {
  std::optional<events::Bytes> key;
  std::optional<events::Bytes> value;
  std::span<const events::Header> headers;
};

/// "data.total_minor: recorded 100, again 101"; empty if every byte is the same.
[[nodiscard]] std::string first_difference(const RecordContent& recorded, const RecordContent& again);
/// The same for values of the state stream.
[[nodiscard]] std::string first_difference_of_state(std::string_view key, std::string_view recorded,
                                                    std::string_view again);
/// Type and data, in short.
[[nodiscard]] std::string summary(std::span<const events::Header>, const std::optional<events::Bytes>& value);

}  // namespace mayfly::tools
