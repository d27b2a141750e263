// The memory of one actor: a resource per purpose, one budget for all of them, posted to the ledger when a message has
// been handled. One thread at a time.
#pragma once

#include "actors/memory/ledger.h"

#include <cstdint>
#include <memory_resource>
#include <span>
#include <stdexcept>
#include <string>

namespace mayfly::actors {

/// An actor asked for more than its budget: it dies of it and is restarted from its snapshot.
struct OverBudget : std::runtime_error {
  OverBudget(Purpose, std::int64_t wanted_bytes, std::int64_t budget_bytes);
};

struct Budget {
  std::int64_t most_bytes = 0;
  std::int64_t bytes = 0;  // taken now, over all purposes
};

/// Gives out memory of one purpose. Throws OverBudget.
class PurposeMemory final : public std::pmr::memory_resource {
 public:
  PurposeMemory(Purpose purpose, Budget& budget) : budget_(budget), purpose_(purpose) {}

  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t blocks() const { return blocks_; }
  [[nodiscard]] Purpose purpose() const { return purpose_; }
  /// Brings the ledger up to date. `held`: what the owner says that it holds. True: its books differ, in another way
  /// than before.
  bool post(Ledger&, std::int64_t held);
  /// The owner has ended: what is still out has nobody.
  void post_end(Ledger&);

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void*, std::size_t bytes, std::size_t alignment) override;
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  Budget& budget_;
  std::int64_t bytes_ = 0;
  std::int64_t blocks_ = 0;
  std::int64_t posted_bytes_ = 0;
  std::int64_t posted_blocks_ = 0;
  std::int64_t posted_held_ = 0;
  std::int64_t rounding_to_post_ = 0;
  Purpose purpose_;
};

/// `purposes...` from the first on, side by side. Outlived by the ledger; outlives what is allocated from it.
template <std::size_t purposes>
class ActorMemory {
 public:
  ActorMemory(Ledger& ledger, Purpose first, std::int64_t budget_bytes)
      : ledger_(ledger), budget_{budget_bytes}, memory_(make(first, std::make_index_sequence<purposes>{})) {}
  ActorMemory(const ActorMemory&) = delete;
  ActorMemory& operator=(const ActorMemory&) = delete;
  ~ActorMemory() {
    for (auto& one : memory_) one.post_end(ledger_);
  }

  [[nodiscard]] PurposeMemory* of(std::size_t n) { return &memory_[n]; }
  [[nodiscard]] std::int64_t bytes() const { return budget_.bytes; }
  /// What the owner says that it holds, purpose by purpose. `who` gives the Holder, and is asked only where the books
  /// differ.
  template <class Who>
  void post(const std::array<std::int64_t, purposes>& held, Who who) {
    for (std::size_t i = 0; i < purposes; ++i) {
      const bool differs = memory_[i].post(ledger_, held[i]);
      if (differs && ledger_.wants_holder(memory_[i].purpose())) ledger_.add_holder(memory_[i].purpose(), who());
    }
  }

 private:
  template <std::size_t... i>
  std::array<PurposeMemory, purposes> make(Purpose first, std::index_sequence<i...>) {
    return {PurposeMemory(static_cast<Purpose>(static_cast<std::size_t>(first) + i), budget_)...};
  }
  Ledger& ledger_;
  Budget budget_;
  std::array<PurposeMemory, purposes> memory_;
};

}  // namespace mayfly::actors
