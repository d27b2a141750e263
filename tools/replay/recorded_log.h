// A recorded log that is open to be decided again: what most replay verbs begin with.
#pragma once

#include "adapters/host/wall_clock.h"
#include "tools/console/verbs.h"
#include "tools/replay/replay_recorded.h"

#include <memory>
#include <string>

namespace mayfly::tools {

struct RecordedLog {
  adapters::WallClock clock;
  std::unique_ptr<events::LogClient> log;
  Recorded recorded;
};

/// Only to read. `checkpoint`: a file that the replay begins with; empty: none. Returns exit_ok, or the exit code with
/// the reason said on standard error.
[[nodiscard]] int open_recorded(const LogWords&, RecordedLog&, const std::string& checkpoint = {});
/// The same but for what is read of the log: `recorded` has tick secrets and checkpoint only.
[[nodiscard]] int open_unread(const LogWords&, RecordedLog&, const std::string& checkpoint);

}  // namespace mayfly::tools
