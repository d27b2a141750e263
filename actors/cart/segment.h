// Tasks of a batch, none beyond the next tick: they may be decided at the same time, one cart's in their order.
#pragma once

#include "actors/cart/task.h"
#include "events/text/precondition.h"

#include <atomic>
#include <vector>

namespace mayfly::actors {

struct Segment {
  std::vector<Task*> tasks;  // in record order

  /// Sets how many tasks are at carts. Call before the first is sent.
  void open(std::int64_t count) { open_.store(count, std::memory_order_release); }

  /// A cart has decided the task. True: it was the segment's last, and the supervisor must hear of it. If not, the
  /// segment may end at any moment unless the cart has more of it to decide: the caller touches it no more.
  [[nodiscard]] bool conclude(Task& task) {
    events::precondition(!task.done, "Segment::conclude: the task is under decision");
    task.done = true;
    return close(1);
  }
  /// `count` tasks are done without their cart. True if they were the last: the caller, and nobody else, ends the
  /// segment.
  [[nodiscard]] bool close(std::int64_t count) { return open_.fetch_sub(count, std::memory_order_acq_rel) == count; }
  /// A task that was done is to be decided again.
  void reopen(Task& task) {
    if (!task.done) return;
    task.done = false;
    open_.fetch_add(1, std::memory_order_acq_rel);
  }

 private:
  std::atomic<std::int64_t> open_{0};
};

}  // namespace mayfly::actors
