// A partition's share of a batch: the records to decide, and everything that one transaction will write for them.
// Used again for later batches; its memory is bounded by twice what recent ones used.
#pragma once

#include "actors/cart/segment.h"
#include "actors/cart/task.h"
#include "actors/memory/actor_memory.h"
#include "actors/memory/arena.h"
#include "actors/memory/leak.h"
#include "actors/memory/recent_use.h"
#include "events/log/record.h"
#include "events/rules/words.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mayfly::actors {

/// What the engine must know of a partition after a batch: for ticks, and to be looked at.
struct PartitionStatus {
  bool unstarted_waits = false;
  std::optional<events::Timestamp> next_due;
  bool due_now = false;         // the last tick left deadlines that were due
  events::Timestamp ticked{};   // T
  events::Millis clock_skew{};  // of the newest tick: the engine's clock less the log's
  events::Settings settings;    // that hold
  std::int64_t carts_open = 0;
  std::int64_t carts_awake = 0;
  std::int64_t carts_quarantined = 0;  // readable ones
  std::int64_t carts_unreadable = 0;
  std::int64_t carts_waiting = 0;  // with a deadline, or quarantined: then it rests
  std::int64_t sessions_open = 0;
  std::int64_t sessions_too_old = 0;
  std::int64_t sessions_awake = 0;  // of carts awake: those with an actor
  std::int64_t epitaphs = 0;
  std::int64_t memory_bytes = 0;  // taken by the supervisor: its carts' bytes and all that it knows of them
};

/// An alert that no record raises by itself: a batch of the partition says it with its first record.
struct PendingAlert {
  std::string alert;
  std::string cart_id;  // or empty
  std::string message;
};

/// When carts sleep.
struct SleepLimits {
  events::Millis idle;
  std::int64_t awake_carts;
};

/// What a partition's share of a batch may come to; beyond it the share ends with the segment that is decided. It has
/// one record in any case.
struct BatchLimits {
  std::size_t records = std::numeric_limits<std::size_t>::max();  // that are written
  std::size_t bytes = std::numeric_limits<std::size_t>::max();    // that it holds: of what was read, decided, written
  std::function<bool()> late;                                     // time is up; none: it never is
};

/// Most tasks of a segment, but for the deadlines of one tick. A batch needs memory for so many, however large it is.
/// Fewer mean more messages to one cart: with 512 a command takes 7% more instructions (docs/benchmarks.md).
inline constexpr std::size_t most_segment_tasks = 2'048;

struct BatchCounts {
  std::int64_t commands = 0;
  std::int64_t events = 0;
  std::int64_t rejections = 0;
  std::int64_t dead_letters = 0;
  std::int64_t ticks = 0;
  std::int64_t restarts = 0;
  std::int64_t carts_ended = 0;
  std::int64_t alerts_held_back = 0;
  std::int64_t payments_unresolved = 0;  // that a person must look at
  std::int64_t epitaphs_evicted = 0;
  std::array<std::int64_t, events::event_type_count> events_by_type{};
  std::array<std::int64_t, events::code_count> rejections_by_code{};
  std::array<std::int64_t, events::dead_letter_reason_count> dead_letters_by_reason{};
  /// By the events said: carts created less carts ended.
  [[nodiscard]] std::int64_t carts_more() const;
};

struct Batch {
  events::Partition partition = 0;
  std::span<const events::Record> records;  // once it is decided: those of them that are
  SleepLimits sleep{};
  BatchLimits limits;
  std::chrono::steady_clock::time_point begun;  // when it was handed over to be decided
  std::vector<Leak> leaks;                      // to be written as alerts
  std::vector<PendingAlert> alerts;             // to be written
  std::function<void()> finish;                 // called by the supervisor when `out` is complete

  Ledger& ledger;
  ActorMemory<1> memory;
  Arena arena{memory.of(0)};
  std::deque<Task> tasks;  // stable addresses; the first `used` serve the open segment
  std::size_t used = 0;
  bool keeps_tasks = false;  // until the batch begins anew, for an observer: the first `used` serve all of it
  RecentUse recent;
  std::int64_t stock_bytes = 0;  // of the tasks, as posted
  std::int64_t stock_tasks = 0;
  std::int64_t not_given_back = 0;  // of `memory`, beside the arena's, when the batch began
  Segment segment;

  std::vector<events::NewRecord> out;  // views into arena and records
  events::Offset next = 0;             // position to commit
  PartitionStatus status;
  BatchCounts counts;
  std::vector<std::string> failures;  // the first actors that died, for the operator's log; counts.restarts has all
  std::vector<PendingAlert> restart_alerts;  // written; deciding the same records again need not raise them
  std::string rebuild;                       // not empty: build the partition anew once this is committed, and why
  std::string stopped;  // not empty: the partition cannot go on, and why; `next` is where it stands

  std::size_t state_bytes = 0;       // to be written, at most
  std::size_t expected_records = 0;  // that the open segment will come to, by a guess
  std::size_t expected_bytes = 0;

  std::string broken;  // not empty: the supervisor itself died, and why; `out` is not complete

  explicit Batch(Ledger&);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  Task& new_task();
  /// After a segment: whether what it has come to, with so many state records, is over its limits.
  [[nodiscard]] bool is_full(std::size_t state_records);
  /// Whether it would be with what its open segment will come to, by a guess; or that has as many tasks as it may.
  [[nodiscard]] bool segment_is_full() const;
  /// The open segment is gathered: its tasks serve the next one.
  void end_segment();
  /// Posts to the ledger what the batch has come to hold: arena, tasks and their buffers.
  void take_stock();
  void begin(events::Partition, std::span<const events::Record>);
  /// Others have records now and this has none: gives back what was large, and of the rest a part each time.
  void sit_out();
  /// Nothing came for it: gives back all but the tasks that recent batches would use.
  void rest();

 private:
  // Precondition of both: nobody uses any.
  void let_go_of_outcomes();
  void let_go_of_tasks();

  std::size_t most_used_ = 0;      // tasks
  std::size_t counted_ = 0;        // of `used` tasks, those whose outcomes are in the next
  std::size_t outcome_bytes_ = 0;  // their buffers
  std::size_t held_records_ = 0;   // when it was last asked whether it is full
  std::size_t held_bytes_ = 0;
};

}  // namespace mayfly::actors
