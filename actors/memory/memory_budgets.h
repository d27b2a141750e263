// What may be taken of memory, and when it is looked at.
#pragma once

#include "events/log/types.h"

#include <cstdint>

namespace mayfly::actors {

/// What an actor may take of memory, in bytes; 0: no limit of its own (docs/memory.md).
struct MemoryBudgets {
  std::int64_t cart_bytes = 2 * 1024 * 1024;
  std::int64_t session_bytes = 16 * 1024;
  std::int64_t partition_bytes = 2LL * 1024 * 1024 * 1024;  // its open carts, asleep, and all that it knows of them
  std::int64_t process_bytes = 0;                           // 0: process_percent of what there is
  std::int64_t process_percent = 90;                        // of the cgroup's limit, else of the machine's memory
  events::Millis look_interval{50};
  events::Millis longest_stop{1'000};  // of reading, while the process is over its budget
};

}  // namespace mayfly::actors
