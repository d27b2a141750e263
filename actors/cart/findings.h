// What a renewal finds when it compares what was in memory with what is committed. Posted to by actors, any thread.
#pragma once

#include "events/state/state_difference.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::actors {

class Findings {
 public:
  static constexpr std::size_t most_told = 8;  // each in full; all are counted

  struct Difference {
    std::string cart_id;           // empty: of the partition itself
    events::StateDifference what;  // one: in memory, other: committed
  };

  void differs(std::string_view cart_id, events::StateDifference what) {
    const std::scoped_lock lock(mutex_);
    ++differences_;
    if (told_.size() < most_told) told_.push_back({std::string(cart_id), std::move(what)});
  }
  [[nodiscard]] std::int64_t differences() const {
    const std::scoped_lock lock(mutex_);
    return differences_;
  }
  /// The first ones.
  [[nodiscard]] std::vector<Difference> told() const {
    const std::scoped_lock lock(mutex_);
    return told_;
  }

 private:
  mutable std::mutex mutex_;
  std::int64_t differences_ = 0;
  std::vector<Difference> told_;
};

}  // namespace mayfly::actors
