// What every actor of one engine may use, and the counters they keep. Outlives them all.
#pragma once

#include "actors/flight_recorder.h"
#include "actors/ledger.h"
#include "actors/supervision.h"
#include "events/cart.h"
#include "events/types.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mayfly::actors {

/// Actors made and destroyed, counted in their constructors and destructors, by any thread.
struct Lives {
  std::atomic<std::int64_t> carts_started{0};
  std::atomic<std::int64_t> carts_stopped{0};
  std::atomic<std::int64_t> sessions_started{0};
  std::atomic<std::int64_t> sessions_stopped{0};
};

/// What an actor's behavior and handlers take beside its block (CAF 0.17.6; an estimate, not measured).
inline constexpr std::int64_t behavior_bytes = 300;
/// A message in a mailbox (CAF 0.17.6, measured).
inline constexpr std::int64_t message_bytes = 102;

struct Task;

struct Environment {
  /// The cart that decides the task, its id hashed with a key of this engine.
  [[nodiscard]] Holder holder(const Task&) const;

  std::string engine;                                                             // its name, as in ce_source
  std::function<void(std::string_view cart_id, events::Position)> before_decide;  // test seam, may throw
  std::function<void(Step, events::Position)> at_step;                            // test seam, may throw
  std::function<void(events::Cart&)> after_decide;                                // test seam
  Withheld withheld;                                                              // null: nothing is
  Supervision supervision;
  std::int64_t cart_budget_bytes = 0;
  std::int64_t session_budget_bytes = 0;
  FlightRecorder* flight = nullptr;  // never null while actors run
  Lives lives;
  Ledger ledger;
};

}  // namespace mayfly::actors
