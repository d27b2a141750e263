// What every actor of one engine may use, and the counters they keep. Outlives them all.
#pragma once

#include "actors/cart/supervision.h"
#include "actors/crash/flight_recorder.h"
#include "actors/memory/ledger.h"
#include "actors/memory/size_class.h"
#include "events/log/types.h"
#include "events/rules/cart.h"
#include "events/wire/tick_proof.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mayfly::actors {

/// Actors made and destroyed, counted in their constructors and destructors, by any thread.
struct Lives {
  std::atomic<std::int64_t> carts_started{0};
  std::atomic<std::int64_t> carts_stopped{0};
  std::atomic<std::int64_t> sessions_started{0};
  std::atomic<std::int64_t> sessions_stopped{0};
  std::atomic<std::int64_t> bytes{0};  // that the actor system takes for those there are
};

/// What the actor system takes for one actor, as the allocator counts it, counted while this lives.
class ActorBytes {
 public:
  // CAF 0.17.6; memory_test.cpp checks both by the allocator's own account.
  /// Of being monitored.
  static constexpr std::int64_t monitor_bytes = 48;
  /// Of a behavior whose handlers capture one pointer each, and its place among behaviors.
  static constexpr std::int64_t behavior_bytes(std::int64_t handlers) { return size_class(48 + 40 * handlers) + 8; }

  /// `size`: of the actor's block.
  ActorBytes(Lives& lives, std::size_t size) : lives_(lives) {
    add(size_class(static_cast<std::int64_t>(size)) + monitor_bytes);
  }
  ActorBytes(const ActorBytes&) = delete;
  ActorBytes& operator=(const ActorBytes&) = delete;
  ~ActorBytes() { lives_.bytes.fetch_sub(bytes_, std::memory_order_relaxed); }
  void add(std::int64_t bytes) {
    bytes_ += bytes;
    lives_.bytes.fetch_add(bytes, std::memory_order_relaxed);
  }

 private:
  Lives& lives_;
  std::int64_t bytes_ = 0;
};

/// A message in a mailbox (CAF 0.17.6, measured).
inline constexpr std::int64_t message_bytes = 102;

struct Task;
class CartMaker;

struct Environment {
  /// The cart that decides the task, its id hashed with a key of this engine.
  [[nodiscard]] Holder holder(const Task&) const;

  std::string engine;                                                             // its name, as in ce_source
  std::function<void(std::string_view cart_id, events::Position)> before_decide;  // test seam, may throw
  std::function<void(Step, events::Position)> at_step;                            // test seam, may throw
  std::function<void(events::Cart&)> after_decide;                                // test seam
  std::function<std::shared_ptr<CartMaker>()> cart_maker;                         // null: ordinary carts
  events::TickSecrets tick_secrets;
  Withheld withheld;  // null: nothing is
  Supervision supervision;
  std::int64_t cart_budget_bytes = 0;
  std::int64_t session_budget_bytes = 0;
  FlightRecorder* flight = nullptr;  // never null while actors run
  Lives lives;
  Ledger ledger;
};

}  // namespace mayfly::actors
