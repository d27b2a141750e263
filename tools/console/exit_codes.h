// What the program's exit code says (docs/command-line.md).
#pragma once

#include "events/log/log.h"

namespace mayfly::tools {

enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,           // something of what was asked could not be done; the message says what
  exit_usage = 2,            // arguments that do not fit
  exit_config = 3,           // the config file is wrong
  exit_log_unavailable = 4,  // the log does not answer: try again later
  exit_log_owned = 5,        // another engine serves this log
  exit_log_unusable = 6,     // the log is broken, or does not fit this engine
  exit_engine_failed = 7,    // a part of the engine itself failed: start it again, it goes on from the log
  exit_log_full = 8,         // no space: make room, then start it again
  exit_not_drained = 9,      // asked to stop: not within drain_limit_ms, or its last commit failed; it is decided again
  exit_handler_limit = 10,   // one command used more than handler_cpu_limit_ms of CPU time: start it again
  exit_stuck = 11,           // nothing was decided for stuck_limit_ms: start it again
  exit_moved_on = 12,        // replay verify: nothing differs, but state has moved on meanwhile: verify again
};

inline ExitCode exit_code_of(events::LogError error) {
  switch (error) {
    case events::LogError::none: return exit_ok;
    case events::LogError::unavailable: return exit_log_unavailable;
    case events::LogError::owned:
    case events::LogError::fenced: return exit_log_owned;
    case events::LogError::full: return exit_log_full;
    case events::LogError::corrupt: return exit_log_unusable;
    case events::LogError::invalid: return exit_usage;
  }
  return exit_failed;
}

/// Of an engine that failed: it failed itself, its log does not fit it, or what else the log said.
inline ExitCode exit_code_of_engine(events::LogError error) {
  if (error == events::LogError::none) return exit_engine_failed;
  return error == events::LogError::invalid ? exit_log_unusable : exit_code_of(error);
}

}  // namespace mayfly::tools
