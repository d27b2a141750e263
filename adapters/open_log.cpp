#include "adapters/open_log.h"

#include "adapters/sqlite_client.h"
#include "adapters/sqlite_log.h"

namespace mayfly::adapters {

namespace {

/// The file behind "sqlite:"; empty with `status` set for any other word.
std::string sqlite_file(std::string_view name, events::LogStatus& status) {
  constexpr std::string_view prefix = "sqlite:";
  if (name.starts_with(prefix) && name.size() > prefix.size()) return std::string(name.substr(prefix.size()));
  status = {events::LogError::invalid,
            "'" + std::string(name) + "' names no log. Give sqlite:FILE, for example sqlite:shop.db"};
  return {};
}

}  // namespace

std::unique_ptr<events::Log> open_log(std::string_view name, const LogOptions& options, const events::Clock& clock,
                                      events::LogStatus& status) {
  const auto file = sqlite_file(name, status);
  return file.empty() ? nullptr : SqliteLog::open(file, options.partitions, options.engine, clock, status);
}

std::unique_ptr<events::LogClient> open_client(std::string_view name, const LogOptions& options, bool create,
                                               const events::Clock& clock, events::LogStatus& status) {
  const auto file = sqlite_file(name, status);
  return file.empty() ? nullptr : SqliteClient::open(file, create ? options.partitions : 0, clock, status);
}

}  // namespace mayfly::adapters
