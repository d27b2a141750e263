#include "tools/serve/log_lines.h"

#include "events/wire/json_writer.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

namespace mayfly::tools {

namespace {

bool as_json = false;

spdlog::level::level_enum level_of(actors::Notice::Level level) {
  switch (level) {
    case actors::Notice::Level::info: return spdlog::level::info;
    case actors::Notice::Level::warning: return spdlog::level::warn;
    case actors::Notice::Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void begin_log(bool json) {
  as_json = json || !is_terminal(2);
  auto logger = spdlog::stderr_logger_mt("mayfly");
  logger->set_pattern(as_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})" : "%H:%M:%S.%e %-7l %v");
  spdlog::set_default_logger(std::move(logger));
}

void log_notice(const actors::Notice& notice) {
  if (!as_json) return log_line(notice.level, notice.name, notice.message);
  std::string line = "\"name\":";
  events::append_json_string(line, notice.name);
  if (notice.partition >= 0) line += ",\"partition\":" + std::to_string(notice.partition);
  line += ",\"message\":";
  events::append_json_string(line, notice.message);
  spdlog::log(level_of(notice.level), "{}", printable_json(line));
}

void log_line(actors::Notice::Level level, std::string_view name, std::string_view message) {
  if (as_json) return log_notice({level, name, std::string(message), -1});
  spdlog::log(level_of(level), "{:<18} {}", name, printable(message));
}

}  // namespace mayfly::tools
