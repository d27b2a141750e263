// Settings as the `settings` object of a tick: snake_case names, times in seconds (decisions.md 3).
#pragma once

#include "events/rules/settings.h"
#include "events/wire/json_reader.h"

#include <optional>
#include <string>

namespace mayfly::events {

/// Only what differs from `base`.
void append_settings(std::string& out, const Settings&, const Settings& base);
/// `base` with the members given; nothing if one is of a wrong type or out of range. Unknown members are ignored.
[[nodiscard]] std::optional<Settings> settings_from(const JsonValue&, Settings base);

}  // namespace mayfly::events
