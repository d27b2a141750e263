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
  bool has_state = true;  // false: a bundle without the newest state of all carts
};

/// Only to read, with the checkpoint that the words name. Returns exit_ok, or the exit code with the reason said on
/// standard error.
[[nodiscard]] int open_recorded(const FromWords&, RecordedLog&);
/// Before anything is read of an open log: replays of it begin with that checkpoint; empty: with the first commands.
[[nodiscard]] int begin_with(const std::string& checkpoint, RecordedLog&);
/// The same but for what is read of the log: `recorded` has tick secrets and checkpoint only.
[[nodiscard]] int open_unread(const FromWords&, RecordedLog&);

}  // namespace mayfly::tools
