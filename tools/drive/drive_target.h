// What the log that is driven into holds already: how far an earlier drive of the same source came, and whether other
// producers' commands are there.
#pragma once

#include "tools/drive/recorded_commands.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// A driven command has this header: "SOURCE-PARTITION-OFFSET", the source's id and where the command lay there.
inline constexpr std::string_view driven_header = "mayfly.driven_from";
[[nodiscard]] std::string driven_name(std::string_view source_id, events::Position);
/// Nothing if it is another source's, or none.
[[nodiscard]] std::optional<events::Position> driven_from(const events::Record&, std::string_view source_id);

struct DriveTarget {
  /// Per partition, where the newest command that came from the source lay in it. A partition gets its commands in the
  /// source's order, so that all before it are there too.
  std::vector<std::optional<events::Position>> last;
  std::int64_t driven = 0;                // commands that came from the source
  std::int64_t others = 0;                // those of other producers
  events::Position first_other{};         // one of them
  std::vector<FirstCommand> firsts = {};  // of each partition that has commands
};

/// One pass over its commands. The engine's own and ticks are nobody's.
[[nodiscard]] events::LogStatus look_at_target(events::LogClient&, std::string_view source_id, DriveTarget&);

/// They begin at the same offset and time in a partition.
[[nodiscard]] bool is_same_log(const std::vector<FirstCommand>&, const std::vector<FirstCommand>&);

}  // namespace mayfly::tools
