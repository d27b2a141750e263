// Lets one thread sleep until somebody writes to a file: its own process or another one on this machine. Linux
// (inotify).
#pragma once

#include "events/log/types.h"

#include <string>

namespace mayfly::adapters {

class WriteWatch {
 public:
  /// The first look comes so soon after a write; what was written may be readable only a moment later, so further ones
  /// follow at twice the distance each, up to the longest.
  static constexpr events::Millis first_look{1};
  /// Where nothing is heard of writes: other machines' (a network file system), or a write that was missed.
  static constexpr events::Millis longest_look{100};
  /// The longest where the system gives no watch (fs.inotify.max_user_instances is used up).
  static constexpr events::Millis longest_unwatched_look{3};

  /// Watches that very file, not another one that takes its name later.
  explicit WriteWatch(const std::string& file);
  ~WriteWatch();
  WriteWatch(const WriteWatch&) = delete;
  WriteWatch& operator=(const WriteWatch&) = delete;

  /// Returns when it is time to look, after `longest` at most. True: because of a write since the last time.
  bool wait(events::Millis longest);
  [[nodiscard]] bool watches() const { return descriptor_ >= 0; }
  [[nodiscard]] events::Millis next_look() const { return next_look_; }

 private:
  bool drain();
  int descriptor_;
  events::Millis next_look_ = first_look;
};

}  // namespace mayfly::adapters
