// What the engine's memory is for: bytes and blocks by purpose, in two books. `taken` is what resources gave out and
// did not get back; `held` is what the owners say that they hold. Where the books differ, something leaks.
#pragma once

#include "events/log/types.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace mayfly::actors {

/// Whose memory it is.
enum class Kind : std::uint8_t { cart, session, partition, log, codec };
std::string_view name(Kind);

/// What it is for. Purposes of one kind stand side by side. docs/memory.md has a row for each.
enum class Purpose : std::uint8_t {
  cart_id,
  cart_lines,
  cart_adjustments,
  cart_payment,
  cart_dedupe,
  session_texts,
  partition_entries,
  partition_route,
  partition_awake,
  partition_deadlines,
  partition_epitaphs,
  log_records,
  codec_arena,
  codec_tasks,
};
inline constexpr std::size_t purpose_count = 14;
/// As in "cart.lines".
std::string_view name(Purpose);
std::optional<Purpose> purpose_named(std::string_view);
Kind kind_of(Purpose);

/// Amounts of one purpose; as an entry of the books, what they change by.
struct Amounts {
  std::int64_t taken_bytes = 0;
  std::int64_t taken_blocks = 0;
  std::int64_t held_bytes = 0;
  std::int64_t orphaned_bytes = 0;   // taken by actors that have ended since, and never given back
  std::int64_t orphaned_blocks = 0;  // part of taken
  std::int64_t rounding_bytes = 0;   // that the allocator takes beyond `taken`
  /// Taken by living actors and held by none. In the books only: a posting of it follows from the others. Each posting
  /// of an actor whose books agree changes it by nothing, so it is exact at any moment: no sum is torn.
  std::int64_t unexplained_bytes = 0;
  Amounts& operator+=(const Amounts&);
};

/// Whose memory it is that the books do not explain.
struct Holder {
  events::Partition partition = -1;
  std::uint64_t cart = 0;  // keyed hash of the cart's id; 0: of the partition itself
  bool operator==(const Holder&) const = default;
};

/// Posted to from any thread without waiting; read from any thread. A sum read while others post may lie between two
/// states of one actor: read it between batches.
class Ledger {
 public:
  void post(Purpose, const Amounts&);
  /// Messages made and not yet destroyed.
  void count_message(int change);

  [[nodiscard]] Amounts of(Purpose) const;
  [[nodiscard]] std::int64_t messages() const;

  /// The first few whose books differed, by purpose, until they are forgotten.
  static constexpr std::size_t most_holders = 4;
  [[nodiscard]] bool wants_holder(Purpose) const;
  /// Nothing if the partition is not known.
  void add_holder(Purpose, const Holder&);
  [[nodiscard]] std::vector<Holder> holders(Purpose) const;
  void forget_holders(Purpose);

 private:
  struct Cell {
    std::atomic<std::int64_t> taken_bytes{0};
    std::atomic<std::int64_t> taken_blocks{0};
    std::atomic<std::int64_t> held_bytes{0};
    std::atomic<std::int64_t> orphaned_bytes{0};
    std::atomic<std::int64_t> orphaned_blocks{0};
    std::atomic<std::int64_t> rounding_bytes{0};
    std::atomic<std::int64_t> unexplained_bytes{0};
  };
  struct Holders {
    std::atomic<std::size_t> size{0};
    std::array<Holder, most_holders> of{};
  };
  /// Each thread has one, or shares it with few.
  struct alignas(64) Shard {
    std::array<Cell, purpose_count> cells;
    std::atomic<std::int64_t> messages{0};
  };
  [[nodiscard]] Shard& mine();
  std::array<Shard, 8> shards_;
  mutable std::mutex holders_mutex_;  // taken only where books differ, and by who asks
  std::array<Holders, purpose_count> holders_;
};

/// Counts a message while it exists, in whatever mailbox it lies.
class CountedMessage {
 public:
  CountedMessage() = default;
  explicit CountedMessage(Ledger& ledger) : ledger_(&ledger) { ledger_->count_message(1); }
  CountedMessage(const CountedMessage& other) : ledger_(other.ledger_) { count(1); }
  CountedMessage(CountedMessage&& other) noexcept : ledger_(other.ledger_) { other.ledger_ = nullptr; }
  CountedMessage& operator=(const CountedMessage&) = delete;
  CountedMessage& operator=(CountedMessage&&) = delete;
  ~CountedMessage() { count(-1); }

 private:
  void count(int change) {
    if (ledger_ != nullptr) ledger_->count_message(change);
  }
  Ledger* ledger_ = nullptr;
};

}  // namespace mayfly::actors
