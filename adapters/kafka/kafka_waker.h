// Lets one thread sleep until any of several of librdkafka's queues has something. Outlives the queues it watches.
#pragma once

#include "adapters/kafka/kafka_handles.h"
#include "events/log/types.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace mayfly::adapters::kafka {

class Waker {
 public:
  /// From here on the queue wakes when it is no longer empty; watch(queue, nullptr) ends that.
  static void watch(rd_kafka_queue_t* queue, Waker* waker) {
    constexpr auto wake_up = [](rd_kafka_t*, void* opaque) { static_cast<Waker*>(opaque)->wake(); };
    rd_kafka_queue_cb_event_enable(queue, waker == nullptr ? nullptr : +wake_up, waker);
  }
  void wake() {
    {
      std::scoped_lock lock(mutex_);
      woken_ = true;
    }
    changed_.notify_one();
  }
  /// Returns at once if something came since the last wait, and in any case soon: librdkafka 2.0 does not call for
  /// every record that comes. The caller looks again until its time is over, at twice the distance each time while
  /// nothing comes. False: nothing called.
  bool wait(events::Millis longest) {
    std::unique_lock lock(mutex_);
    const auto length = std::chrono::milliseconds(std::min(longest, next_look_).count);
    const bool called = changed_.wait_for(lock, length, [this] { return woken_; });
    if (!called) next_look_ = std::min(events::Millis{next_look_.count * 2}, longest_look);
    woken_ = false;
    return called;
  }
  /// Something was found: more may follow.
  void found() {
    std::scoped_lock lock(mutex_);
    next_look_ = first_look;
  }

 private:
  static constexpr events::Millis first_look{3};
  static constexpr events::Millis longest_look{48};
  events::Millis next_look_ = first_look;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace mayfly::adapters::kafka
