// The log that a verb works on beside the engine: --log and --config, said once for all of them.
#pragma once

#include "adapters/open_log.h"
#include "events/wire/tick_proof.h"
#include "tools/console/verbs.h"

#include <memory>

namespace mayfly::tools {

/// What --log says, else the config file's `log`; with its partitions, engine name and [kafka].
struct LogChoice {
  std::string name;
  adapters::LogOptions options;
};
/// exit_ok, or an exit code with the reason said on standard error.
[[nodiscard]] int choose_log(const LogWords&, LogChoice&);

/// Adds what the config file's engine.tick_secret_file holds, if there is one. Returns as choose_log.
[[nodiscard]] int choose_tick_secrets(const LogWords&, events::TickSecrets&);

/// Only to read. Null with `exit_code` set and the reason said on standard error.
[[nodiscard]] std::unique_ptr<events::LogClient> open_reader(const LogWords&, const events::Clock&, int& exit_code);

/// The same for what reads what is there now and waits for nothing more: a broker says at once where a partition ends.
[[nodiscard]] std::unique_ptr<events::LogClient> open_history(const LogWords&, const events::Clock&, int& exit_code);

/// Null with `exit_code` set and the reason said on standard error. `create`: make the log where there is none.
[[nodiscard]] std::unique_ptr<events::LogClient> open_client(const LogWords&, bool create, const events::Clock&,
                                                             int& exit_code);

}  // namespace mayfly::tools
