// What may be set of the embedded log; docs/configuration.md ([sqlite]) and docs/log.md say what for.
#pragma once

#include "events/log/types.h"

#include <cstdint>

namespace mayfly::adapters {

struct SqliteOptions {
  events::Millis retention{};                              // records older than that may go; 0: none
  std::int64_t retention_bytes = 0;                        // so may the oldest while the log holds more; 0: none
  std::int64_t alert_bytes = std::int64_t{8} << 30;        // of the file and its write-ahead log; 0: no alert
  std::int64_t alert_wal_bytes = std::int64_t{256} << 20;  // of the write-ahead log alone; 0: no alert
};

}  // namespace mayfly::adapters
