// A copy of the embedded log, made while it is served: one file, whole as of one moment, checked before it has its
// name.
#pragma once

#include "events/log/log.h"

#include <cstdint>
#include <string>

namespace mayfly::adapters {

/// What a backup holds.
struct Backup {
  std::int64_t bytes = 0;
  std::int64_t commands = 0;  // those that are there
  std::int64_t waiting = 0;   // of them not decided yet
  std::int64_t events = 0;
};

/// Writes the log in `file` to `to`, which must not be there. Until all is checked and on the disk it is called
/// `to`.partial; what an earlier try left under that name is overwritten.
[[nodiscard]] events::LogStatus back_up(const std::string& file, const std::string& to, Backup& made);

}  // namespace mayfly::adapters
