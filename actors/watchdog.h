// Notices an engine whose loop no longer moves. Counts its own looks, not time: while the machine is stopped nobody
// looks, and nobody is blamed. No clock, no threads.
#pragma once

#include "actors/census.h"

#include <cstdint>

namespace mayfly::actors {

class Watchdog {
 public:
  /// Stuck after so many looks in a row at a loop that is deciding and has not moved.
  explicit Watchdog(std::int64_t looks) : most_(looks) {}

  /// True: the loop is stuck. A loop that waits for the log is not; what does that wait for is the log's business.
  [[nodiscard]] bool look(Pulse pulse) {
    const bool moved = !pulse.deciding || pulse.beats != last_.beats;
    still_ = moved ? 0 : still_ + 1;
    last_ = pulse;
    return still_ >= most_;
  }

 private:
  std::int64_t most_;
  std::int64_t still_ = 0;
  Pulse last_;
};

}  // namespace mayfly::actors
