// Numbers and positions that people and headers give as text.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mayfly::tools {

/// All of the text as a number of 0 or more in decimal digits; none where it is not one, or too large.
[[nodiscard]] std::optional<std::int64_t> number_from_text(std::string_view);

/// "PARTITION:OFFSET", the way back of position_text, or with another character between; none where it is not one.
[[nodiscard]] std::optional<events::Position> position_from_text(std::string_view, char between = ':');

}  // namespace mayfly::tools
