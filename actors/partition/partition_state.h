// All that a partition's supervisor knows, and how it is restored from the state stream.
#pragma once

#include "actors/memory/actor_memory.h"
#include "actors/partition/batch.h"
#include "actors/partition/cart_table.h"
#include "actors/partition/deadlines.h"
#include "actors/partition/troubles.h"
#include "events/log/log.h"
#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace mayfly::actors {

/// So many unreadable state records are damage to carts. More are damage to the log: the partition is not served.
inline constexpr std::size_t most_unreadable_carts = 100;

/// A supervisor's memory and all that is in it.
struct PartitionState {
  explicit PartitionState(Ledger&, const events::HashKey& = {});

  ActorMemory<5> memory;  // outlives the rest
  events::Partition partition = 0;
  events::PositionRecord position;  // next, T, settings that hold
  bool position_forgotten = false;  // by the log; `position` is as the state has it
  CartTable carts;
  AwakeOrder awake;
  std::pmr::unordered_map<caf::actor_id, Awake*> by_actor;
  Deadlines deadlines;
  Troubles troubles;
  events::Epitaphs epitaphs;
  std::int64_t sessions_open = 0;
  std::int64_t sessions_awake = 0;  // between segments: of carts that have an actor
  std::int64_t sessions_too_old = 0;
  events::Timestamp attended_since{};  // of the first record since this engine has it: no wait ended before it
  bool due_now = false;
  events::Millis clock_skew{};
  std::vector<PendingAlert> alerts;  // of what was read with the state: reading it again finds them again
  /// Carts whose state record cannot be read, and why: their commands become dead letters, the record stays as it is.
  std::map<std::string, std::string, std::less<>> unreadable;

  /// Carts that have state, readable or not.
  [[nodiscard]] std::int64_t live_carts() const { return carts.size() + static_cast<std::int64_t>(unreadable.size()); }

  /// Lists the cart's wait, unless the cart is quarantined: then the wait rests. Call after each change of it.
  void list_wait(CartEntry& entry) {
    if (!troubles.quarantined(entry)) deadlines.list(entry);
  }

  /// Whether the cart's open session has lived longer than it may. Says nothing of time before `attended_since`.
  void note_session_age(CartEntry&, bool too_old);

  [[nodiscard]] PartitionStatus status() const;
  /// Brings the ledger up to date.
  void post_memory();
};

/// Why a partition must not be served; a sentence for a person.
struct CannotServe {
  std::string message;
  events::LogError error = events::LogError::invalid;
  std::string_view name = "cannot_serve";  // log_gap, log_cut: only this partition is left alone
  [[nodiscard]] bool only_this_one() const { return name != "cannot_serve"; }
};

/// Called for each state record that was read into the partition.
using SeenState = std::function<void(const PartitionState&, std::string_view key, std::string_view value)>;

/// Restores a taken partition (decisions.md 8): committed position, then state to its end; both must agree on the
/// next offset, the partition count and the engine's name, and commands must be there from that offset on. A committed
/// position that the log has forgotten is taken from the state: PartitionState::position_forgotten. Both are read once
/// more if the state is ahead and `seen` is null. Starts no actor.
[[nodiscard]] std::variant<std::unique_ptr<PartitionState>, CannotServe> restore(events::Log&, events::Partition,
                                                                                 std::string_view engine, Ledger&,
                                                                                 const SeenState& seen = {},
                                                                                 const events::HashKey& key = {});

}  // namespace mayfly::actors
