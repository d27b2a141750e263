// Times as a user gives them on the command line.
#pragma once

#include "events/log/types.h"

#include <optional>
#include <string_view>

namespace mayfly::tools {

/// What to give, for messages.
inline constexpr const char* time_words = "RFC 3339, or how long ago: 90s, 15min, 2h, 3d";

/// RFC 3339, or how long before `now`; nothing if it is neither.
[[nodiscard]] std::optional<events::Timestamp> time_from_words(std::string_view text, events::Timestamp now);

}  // namespace mayfly::tools
