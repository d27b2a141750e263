// A moment of a log as the user says it: a time, or the position of a command.
#pragma once

#include "events/log/log.h"

#include <optional>
#include <string>

namespace mayfly::tools {

struct Moment {
  events::Timestamp time{};            // what was appended at it is included
  std::optional<events::Position> at;  // in its own partition this says it alone; included
  /// Is the command part of what had happened then?
  [[nodiscard]] bool includes(const events::Record&) const;
};

/// What to give, for messages.
inline constexpr const char* moment_words =
    "begin, end, PARTITION:OFFSET of a command, RFC 3339, or how long ago: 90s, 15min, 2h, 3d";

/// Reads the log where the words are a position. `invalid` if they are no moment or there is no such command.
[[nodiscard]] events::LogStatus moment_from_words(const std::string& words, events::LogClient&, events::Timestamp now,
                                                  Moment&);

}  // namespace mayfly::tools
