// Compares what a partition's supervisor had in memory with what is committed, while that is read: each cart's old
// bytes are freed as soon as they are compared, so that both never lie in memory at once.
#pragma once

#include "actors/cart/findings.h"
#include "actors/partition/partition_state.h"

#include <functional>
#include <memory>

namespace mayfly::actors {

/// A supervisor's state on its way to the engine.
struct Handover {
  std::function<void()> finish;           // called by the supervisor at its end
  std::unique_ptr<PartitionState> state;  // null: the supervisor died before
  Findings findings;                      // of its carts that were awake, against their bytes
};

class StateComparison {
 public:
  /// Precondition: no cart has an actor. Both outlive the comparison.
  StateComparison(PartitionState& in_memory, Findings&);

  /// A state record that `woken` has just been given.
  void committed(const PartitionState& woken, std::string_view key, std::string_view value);
  /// All have been: what is left was never committed; and what partitions keep beside their carts.
  void complete(const PartitionState& woken);

  [[nodiscard]] std::int64_t carts() const { return carts_; }

 private:
  PartitionState& in_memory_;
  Findings& findings_;
  PartitionStatus status_;  // of what was in memory
  std::int64_t carts_ = 0;
};

}  // namespace mayfly::actors
