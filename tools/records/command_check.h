// Would an engine read this as a command? The same reader says it before the command is sent.
#pragma once

#include "tools/records/command_writer.h"

#include <cstdint>
#include <string>

namespace mayfly::tools {

/// A sentence that names the member and why; empty if it can be read. What the rules make of it is not looked at.
[[nodiscard]] std::string why_unreadable(const OutgoingCommand&, std::int32_t partitions);

}  // namespace mayfly::tools
