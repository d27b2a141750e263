#include "tools/serve/log_lines.h"

#include "events/wire/json_writer.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>
#include <utility>

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

std::string json_members(const actors::Notice& notice) {
  std::string line = "\"name\":";
  events::append_json_string(line, notice.name);
  if (notice.partition >= 0) line += ",\"partition\":" + std::to_string(notice.partition);
  for (const auto& figure : notice.figures) {
    line.append(",\"").append(figure.name).append("\":").append(std::to_string(figure.value));
  }
  line += ",\"message\":";
  events::append_json_string(line, notice.message);
  return printable_json(line);
}

void log_notice(const actors::Notice& notice) {
  if (as_json) {
    spdlog::log(level_of(notice.level), "{}", json_members(notice));
  } else {
    spdlog::log(level_of(notice.level), "{:<18} {}", notice.name, printable(notice.message));
  }
}

void log_line(actors::Notice::Level level, std::string_view name, std::string_view message,
              std::vector<actors::Notice::Figure> figures) {
  log_notice({level, name, std::string(message), -1, std::move(figures)});
}

}  // namespace mayfly::tools
