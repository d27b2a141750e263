// What would stop an engine from starting, as far as that can be said without opening its log or its address.
#pragma once

#include "tools/console/config.h"

#include <string>
#include <vector>

namespace mayfly::tools {

/// A sentence each: of the log's name, its file and folder, the HTTP address, the folder of the flight recorder. Makes
/// nothing and asks no broker. A log that is not given is not missed.
[[nodiscard]] std::vector<std::string> what_stops_a_start(const Config&);

}  // namespace mayfly::tools
