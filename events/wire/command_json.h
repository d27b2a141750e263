// A command's data object as a typed command (contract.md 6, with the limits of contract.md 15.1).
#pragma once

#include "events/rules/command.h"
#include "events/wire/json_reader.h"

#include <memory_resource>
#include <string_view>

namespace mayfly::events {

/// The typed command, or Invalid that names the member and why, never its value. Precondition: `data` is an object.
/// Free text (name, label, reason) comes masked. `current`: what a tick's partial settings are merged into.
[[nodiscard]] CommandData command_data(CommandType, const JsonValue& data, const Settings& current,
                                       std::pmr::memory_resource* arena);

}  // namespace mayfly::events
