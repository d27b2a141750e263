// One run of a re-enactment, in a process of its own: an engine on an embedded log and, round it, shop, inventory and
// provider. It says what it sees as lines of JSON on standard output.
#pragma once

#include "tools/reenact/plan.h"

#include <string>

namespace mayfly::tools {

/// Plays the whole run on a log in `folder`, which is there and empty. Exit code; where memory ends, the process does.
int play(const Plan&, Role, const std::string& folder) noexcept;

}  // namespace mayfly::tools
