// Restart intensity as in OTP: more than `most` restarts within a time, and the matter goes one level up.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <deque>

namespace mayfly::actors {

struct Intensity {
  std::int64_t most;      // as many are borne
  events::Millis within;  // of record time
};

/// The restarts of one level that still count: at most one more than its intensity bears.
class RestartWindow {
 public:
  /// Counts a restart, its time that of the record at hand. True: more than the intensity bears.
  bool count(const Intensity& intensity, events::Timestamp now) {
    while (!times_.empty() && times_.front() + intensity.within < now) times_.pop_front();
    times_.push_back(now);
    const bool more = static_cast<std::int64_t>(times_.size()) > intensity.most;
    if (more) times_.pop_front();
    return more;
  }

 private:
  std::deque<events::Timestamp> times_;
};

}  // namespace mayfly::actors
