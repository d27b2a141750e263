// Actors that were told to end, or whose owner has forgotten them, and that are still there after a while: a leak of
// whole actors, whatever keeps them. From counters alone, so that it costs nothing per actor.
#pragma once

#include "events/log/types.h"

#include <algorithm>
#include <cstdint>
#include <deque>

namespace mayfly::actors {

class LetGo {
 public:
  /// While fewer are late than were within so long, by more than one in `noise_part`, a crowd that was let go at once
  /// is on its way out: no leak, however long it takes.
  static constexpr events::Millis draining{400};
  static constexpr std::int64_t noise_part = 32;
  /// An actor that was let go is gone after this, its last messages handled: the actor system serves in order. Few may
  /// be late where a worker did not run; LeakWatch waits longer for those.
  static constexpr events::Millis patience{200};

  /// Of all actors of a kind so far: `let_go` have no owner any more (started - owned), `gone` are destroyed. Returns
  /// how many at least were let go before `patience` and are still there, 0 while they are draining. Those let go since
  /// that are gone already hide as many late ones: under turnover it is a lower bound, and exact when that pauses.
  /// Begins anew when the clock is set back.
  std::int64_t overdue(events::Timestamp now, std::int64_t let_go, std::int64_t gone) {
    if (!looks_.empty() && now < looks_.back().at) *this = {};
    looks_.push_back({now, let_go});
    while (looks_.size() > 1 && looks_[1].at + patience <= now) looks_.pop_front();
    const auto& old = looks_.front();
    const std::int64_t late = old.at + patience <= now && old.let_go > gone ? old.let_go - gone : 0;
    late_.push_back({now, late});
    while (late_.front().at + draining < now) late_.pop_front();
    std::int64_t most = 0;
    for (const auto& look : late_) most = std::max(most, look.late);
    return late < most - most / noise_part ? 0 : late;
  }

 private:
  struct Look {
    events::Timestamp at{};
    std::int64_t let_go = 0;
  };
  struct Late {
    events::Timestamp at{};
    std::int64_t late = 0;
  };
  std::deque<Look> looks_;  // from the last that is old enough on
  std::deque<Late> late_;   // of the last `draining`
};

}  // namespace mayfly::actors
