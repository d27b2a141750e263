// The program's own log on standard error: JSON lines where a program reads, aligned text on a terminal (spdlog).
#pragma once

#include "actors/engine/engine.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// Prepares the log. `json`: JSON lines also on a terminal.
void begin_log(bool json);
/// Writes an engine's notice.
void log_notice(const actors::Notice&);
/// Writes a line of the verbs' own.
void log_line(actors::Notice::Level, std::string_view name, std::string_view message,
              std::vector<actors::Notice::Figure> = {});
/// The members of a JSON line but for its time and level: the figures each as a member, the message last.
[[nodiscard]] std::string json_members(const actors::Notice&);

}  // namespace mayfly::tools
