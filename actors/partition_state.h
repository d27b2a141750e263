// All that a partition's supervisor knows, and how it is restored from the state stream.
#pragma once

#include "actors/actor_memory.h"
#include "actors/batch.h"
#include "actors/cart_table.h"
#include "actors/deadlines.h"
#include "actors/troubles.h"
#include "events/epitaphs.h"
#include "events/log.h"
#include "events/snapshot.h"

#include <memory>
#include <string>
#include <variant>

namespace mayfly::actors {

/// A supervisor's memory and all that is in it.
struct PartitionState {
  explicit PartitionState(Ledger&);

  ActorMemory<5> memory;  // outlives the rest
  events::Partition partition = 0;
  events::PositionRecord position;  // next, T, settings that hold
  CartTable carts;
  AwakeOrder awake;
  Deadlines deadlines;
  Troubles troubles;
  events::Epitaphs epitaphs;
  std::int64_t sessions_open = 0;
  std::int64_t sessions_awake = 0;  // between segments: of carts that have an actor
  bool due_now = false;
  std::string rebuilt;  // not empty: it was rebuilt from the log, and why; the next batch says so

  /// Lists the cart's wait, unless the cart is quarantined: then the wait rests. Call after each change of it.
  void list_wait(CartEntry& entry) {
    if (!troubles.quarantined(entry)) deadlines.list(entry);
  }

  [[nodiscard]] PartitionStatus status() const;
  /// Brings the ledger up to date; `more_awake_bytes` lie beside the carts' in the memory of that purpose.
  void post_memory(std::int64_t more_awake_bytes);
};

/// Why a partition must not be served; a sentence for a person.
struct CannotServe {
  std::string message;
  events::LogError error = events::LogError::invalid;
};

/// Restores a taken partition (decisions.md 8): committed position, then state to its end; both must agree on the
/// next offset, the partition count and the engine's name. Starts no actor.
[[nodiscard]] std::variant<std::unique_ptr<PartitionState>, CannotServe> restore(events::Log&, events::Partition,
                                                                                 std::string_view engine, Ledger&);

}  // namespace mayfly::actors
