// RFC 3339 with milliseconds, UTC, without the C locale or time zone tables.
#pragma once

#include "events/log/types.h"

#include <array>
#include <optional>
#include <string_view>

namespace mayfly::events {

/// "2026-11-24T12:00:00.000Z", years 1970..9999.
[[nodiscard]] std::array<char, 24> to_text(Timestamp);
/// Reads RFC 3339 date-times (any fraction, cut to milliseconds; Z or an offset). Nothing if it is not one.
[[nodiscard]] std::optional<Timestamp> timestamp_from_text(std::string_view);

}  // namespace mayfly::events
