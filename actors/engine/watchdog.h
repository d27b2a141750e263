// Notices an engine whose loop no longer moves, and a handler that does not return. Counts its own looks and the
// threads' own CPU time, never the wall clock: while the machine is stopped nobody is blamed. No clock, no threads.
#pragma once

#include "actors/crash/flight_recorder.h"
#include "actors/engine/census.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mayfly::actors {

class Watchdog {
 public:
  /// The loop is stuck after so many looks in a row at it deciding and not moving; a handler has not returned after so
  /// much CPU time of its thread on one command; the log is silent after so many looks in a row at one write to it that
  /// has not returned.
  Watchdog(std::int64_t looks, std::int64_t handler_cpu_ms, std::int64_t write_looks)
      : most_looks_(looks), most_write_looks_(write_looks), most_cpu_ms_(handler_cpu_ms) {}

  /// How many looks the loop has not moved for. A loop that waits for the log moves: what that waits for is its
  /// business.
  std::int64_t look(Pulse pulse) {
    const bool moved = !pulse.deciding || pulse.beats != last_.beats;
    still_ = moved ? 0 : still_ + 1;
    bool same_write = false;
    for (std::size_t i = 0; i < pulse.writes.size(); ++i) {
      same_write = same_write || (pulse.writes[i] % 2 == 1 && pulse.writes[i] == last_.writes[i]);
    }
    writes_still_ = same_write ? writes_still_ + 1 : 0;
    last_ = pulse;
    return still_;
  }
  [[nodiscard]] bool stuck() const { return still_ >= most_looks_; }
  [[nodiscard]] bool log_silent() const { return writes_still_ >= most_write_looks_; }

  /// The thread whose handler has used more than its limit, if any. CPU time before the first look at a command is not
  /// counted against it.
  std::optional<std::size_t> look(std::span<const FlightRecorder::Thread> threads) {
    seen_.resize(threads.size());
    for (std::size_t i = 0; i < threads.size(); ++i) {
      const bool same = threads[i].marks % 2 == 1 && threads[i].marks == seen_[i].marks;
      if (!same) seen_[i] = threads[i];
      if (same && threads[i].cpu_ms - seen_[i].cpu_ms > most_cpu_ms_) return i;
    }
    return std::nullopt;
  }

 private:
  std::int64_t most_looks_;
  std::int64_t most_write_looks_;
  std::int64_t writes_still_ = 0;
  std::int64_t most_cpu_ms_;
  std::int64_t still_ = 0;
  Pulse last_;
  std::vector<FlightRecorder::Thread> seen_;  // each as it was when its command was first seen
};

}  // namespace mayfly::actors
