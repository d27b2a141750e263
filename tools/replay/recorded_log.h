// A recorded log that is open to be decided again: what most replay verbs begin with.
#pragma once

#include "adapters/host/wall_clock.h"
#include "tools/console/verbs.h"
#include "tools/replay/replay_recorded.h"

#include <memory>

namespace mayfly::tools {

struct RecordedLog {
  adapters::WallClock clock;
  std::unique_ptr<events::LogClient> log;
  Recorded recorded;
};

/// Only to read. Returns exit_ok, or the exit code with the reason said on standard error.
[[nodiscard]] int open_recorded(const LogWords&, RecordedLog&);

}  // namespace mayfly::tools
