// mayfly replay import: a bundle as a new SQLite log, to look at.
#include "adapters/sqlite/sqlite_import.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_file.h"

#include <fstream>

namespace mayfly::tools {

namespace {

/// Calls `f` for each record of the file. Returns what is wrong, or an empty text.
std::string each_of_bundle(const std::string& file, BundleHead& head,
                           const std::function<std::string(const BundleRecord&)>& f) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return "it cannot be read";
  BundleRecord record;
  bool first = true;
  auto wrong = read_bundle(in, [&](const nlohmann::json& line, const BundleBlock&) -> std::string {
    if (first) {
      first = false;
      return read_bundle_head(line, head);
    }
    auto unread = read_bundle_line(line, record);
    return unread.empty() ? f(record) : unread;
  });
  return wrong.empty() && first ? "it holds nothing" : wrong;
}

}  // namespace

int replay_import(const ReplayImportOptions& options) {
  LogChoice choice;
  if (const int code = choose_log(options, choice); code != exit_ok) return code;
  constexpr std::string_view sqlite = "sqlite:";
  if (!choice.name.starts_with(sqlite)) {
    complain("A bundle is imported into a new log on SQLite: --log sqlite:FILE.\n");
    return exit_usage;
  }
  if (!std::ifstream(options.file)) {
    complain("%s cannot be read. Nothing was imported.\n", options.file.c_str());
    return exit_usage;
  }
  BundleHead head;
  std::int64_t commands = 0;
  std::int64_t events = 0;
  // All of it is looked at before anything is made.
  auto wrong = each_of_bundle(options.file, head, [&](const BundleRecord& r) -> std::string {
    commands += r.stream == events::Stream::commands ? 1 : 0;
    events += r.stream == events::Stream::events ? 1 : 0;
    return {};
  });
  if (!wrong.empty()) {
    complain("%s: %s. Nothing was imported.\n", options.file.c_str(), wrong.c_str());
    return exit_failed;
  }
  events::LogStatus status;
  const auto log = adapters::SqliteImport::open(choice.name.substr(sqlite.size()), head.partitions, status);
  if (!log) {
    const int code = complain_of(status);
    return status.error == events::LogError::invalid || status.error == events::LogError::full ? code : exit_failed;
  }
  wrong = each_of_bundle(options.file, head, [&](const BundleRecord& r) {
    status = log->add(r.stream, r.record);
    return status.message;
  });
  if (wrong.empty()) status = log->finish();
  if (status.error == events::LogError::full) return complain_of(status);
  if (!status.ok() && wrong.empty()) wrong = status.message;
  if (!wrong.empty()) {
    complain("%s: %s. Nothing was imported.\n", options.file.c_str(), wrong.c_str());
    return exit_failed;
  }
  print("%s commands, %s events imported. Compare them with: mayfly replay verify %s--log %s\n",
        grouped(commands).c_str(), grouped(events).c_str(), head.has_state ? "" : "--carts ", choice.name.c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
