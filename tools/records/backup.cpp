// mayfly backup: a log on SQLite as one file, while it is served.
#include "adapters/sqlite/sqlite_backup.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"

#include <cstdio>

namespace mayfly::tools {

int backup(const BackupOptions& options) {
  LogChoice choice;
  if (const int code = choose_log(options, choice); code != exit_ok) return code;
  constexpr std::string_view sqlite = "sqlite:";
  if (!choice.name.starts_with(sqlite)) {
    complain("Only a log on SQLite is backed up so. Kafka's own copies are its replicas (docs/kafka.md).\n");
    return exit_usage;
  }
  adapters::Backup made;
  const auto status = adapters::back_up(choice.name.substr(sqlite.size()), options.to, made);
  if (!status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  print("%s is whole: %s commands (%s of them not decided yet), %s events, %s bytes\n", options.to.c_str(),
        grouped(made.commands).c_str(), grouped(made.waiting).c_str(), grouped(made.events).c_str(),
        grouped(made.bytes).c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
