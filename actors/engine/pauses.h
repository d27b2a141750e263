// How long to wait before what failed is tried again: longer each time, up to a bound. No clock, no threads.
#pragma once

#include "events/log/types.h"

#include <algorithm>

namespace mayfly::actors {

class Pauses {
 public:
  Pauses(events::Millis first, events::Millis most) : first_(first), most_(most) {}
  /// It failed: wait for so long.
  [[nodiscard]] events::Millis next() {
    last_ = last_ == events::Millis{} ? first_ : std::min(events::Millis{last_.count * 2}, most_);
    return last_;
  }
  /// It went well: the next failure waits the shortest time again.
  void reset() { last_ = {}; }

 private:
  events::Millis first_;
  events::Millis most_;
  events::Millis last_{};
};

}  // namespace mayfly::actors
