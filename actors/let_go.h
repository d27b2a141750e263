// Actors that were told to end, or whose owner has forgotten them, and that are still there after a while: a leak of
// whole actors, whatever keeps them. From counters alone, so that it costs nothing per actor.
#pragma once

#include "events/types.h"

#include <cstdint>
#include <deque>

namespace mayfly::actors {

class LetGo {
 public:
  /// An actor that was let go is gone after this, its last messages handled: the actor system serves in order.
  static constexpr events::Millis patience{500};

  /// Of all actors of a kind so far: `let_go` have no owner any more (started - owned), `gone` are destroyed. Returns
  /// how many at least were let go before `patience` and are still there: exact if none let go since is gone already.
  /// Call with times that rise.
  std::int64_t overdue(events::Timestamp now, std::int64_t let_go, std::int64_t gone) {
    looks_.push_back({now, let_go});
    while (looks_.size() > 1 && looks_[1].at + patience <= now) looks_.pop_front();
    return looks_.front().at + patience <= now && looks_.front().let_go > gone ? looks_.front().let_go - gone : 0;
  }

 private:
  struct Look {
    events::Timestamp at{};
    std::int64_t let_go = 0;
  };
  std::deque<Look> looks_;  // from the last that is old enough on
};

}  // namespace mayfly::actors
