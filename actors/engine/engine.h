// The running engine: reads batches from a log, lets each command's cart decide it as an actor, commits what they
// decided, writes ticks. Owns the actor system; CAF does not show here.
#pragma once

#include "actors/cart/supervision.h"
#include "actors/crash/flight_recorder.h"
#include "actors/engine/census.h"
#include "actors/engine/commit_observer.h"
#include "actors/memory/memory_budgets.h"
#include "actors/memory/memory_report.h"
#include "events/log/log.h"
#include "events/rules/cart.h"
#include "events/rules/identity.h"
#include "events/rules/settings.h"
#include "events/wire/tick_proof.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::actors {

/// When each partition is dropped and woken from what is committed (docs/memory.md).
struct RenewalPlan {
  events::Millis interval{};         // of each partition; 0: only when asked for
  std::int64_t jitter_percent = 10;  // of the time to the next, both ways
};

class CartMaker;

struct EngineConfig {
  std::string name = "mayfly";  // ce_source is "/mayfly/" + name; part of every idempotency key
  events::Settings settings;    // wanted; they hold from the tick that carries them
  /// Of ticks. It must know the one that `settings` name and, while they change, the one that held before.
  events::TickSecrets tick_secrets;
  std::size_t batch_records = 20'000;
  std::size_t batch_bytes = 32 * 1024 * 1024;
  /// What a batch may come to, of all partitions together; then it ends with what is decided by then.
  std::size_t batch_output_records = 200'000;
  std::size_t batch_output_bytes = 32 * 1024 * 1024;
  events::Millis batch_time{5'000};  // for deciding one
  events::Millis poll_wait{100};     // longest wait for a first record
  events::Millis tick_interval{1'000};
  events::Millis passivate_after{5'000};  // idle in record time, then a cart's actor becomes bytes
  std::size_t awake_carts = 8'192;        // per partition; beyond it the longest idle sleep at once
  events::Millis first_pause{50};         // before a log that did not answer is tried again; doubles up to the most
  events::Millis most_pause{5'000};
  events::Millis pending_limit{90'000};  // of a transaction that holds up a partition's commands; then an alert
  MemoryBudgets memory;
  RenewalPlan renewal;
  events::HashKey table_key{};  // of the tables by cart id: one that nobody can know, where strangers name carts
  events::MemoryMeter* meter = nullptr;  // outlives the engine; none: what the process takes is not known
  int threads = 0;                       // of the actor system; 0: as many as there are processors
  Supervision supervision;

  Withheld withheld;  // for replays: what is dead-lettered instead of decided. Null: nothing

  /// What is under decision is marked here, and what an earlier process died of is known from it. It outlives the
  /// engine. Null: one in memory, which knows of no earlier process.
  FlightRecorder* flight = nullptr;

  /// Outlives the engine. Null: nobody is told, and nothing is spent on it.
  CommitObserver* observer = nullptr;

  /// For the re-enactment of an outage alone (actors/outages/outages.h): called for each partition that is served.
  /// Null: ordinary carts.
  std::function<std::shared_ptr<CartMaker>()> cart_maker;

  /// Test seam: called by a cart's actor before it decides; may throw. Null: none.
  std::function<void(std::string_view cart_id, events::Position)> before_decide;
  /// Test seam: called by a cart's actor when it has decided; may spoil the cart. Null: none.
  std::function<void(events::Cart&)> after_decide;
  /// Test seam: called by actors at these steps; may throw. Null: none.
  std::function<void(Step, events::Position)> at_step;
  /// Test seam: not null: actors and commits run on the engine's own thread, in the order that it chooses by giving a
  /// number below its argument. Null: threads.
  std::function<std::size_t(std::size_t below)> choose;
};

/// Something an operator should know, with a stable name.
struct Notice {
  enum class Level : std::uint8_t { info, warning, error } level;
  std::string_view name;  // e.g. "partition_taken", "commit_failed", "actor_failed"
  std::string message;
  events::Partition partition = -1;
  /// A number of the message, for programs. Its name is a literal that ends in its unit, if it has one.
  struct Figure {
    std::string_view name;
    std::int64_t value = 0;
  };
  std::vector<Figure> figures{};
};

/// Why run returned.
enum class RunEnd : std::uint8_t {
  stopped,    // asked to; everything decided is committed, unless message says why the last of it is not
  caught_up,  // run_until_caught_up: nothing was left to read
  failed,     // cannot go on; message says why
};
struct RunResult {
  RunEnd end = RunEnd::stopped;
  std::string message;
  events::LogError error = events::LogError::none;  // failed: what the log said; none: the engine itself failed
};

class Engine {
 public:
  /// `log` and `clock` outlive the engine. `notice` is called from the engine's threads, one at a time.
  Engine(events::Log& log, const events::Clock& clock, EngineConfig, std::function<void(const Notice&)> notice);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Serves until stopped (drains: finishes the batch it decides and commits it) or until the log fails for good. A log
  /// that does not answer is tried again, after pauses that grow to `most_pause`.
  RunResult run(const std::stop_token&);

  /// Serves until a poll gives nothing and all is committed. Writes no ticks: for replays and tests.
  RunResult run_until_caught_up();

  /// Asks for a partition to be renewed, -1: for each that is served; one after the other, between batches. Any thread.
  /// False: it is not served.
  bool renew(events::Partition = -1);

  /// True while the log has said which partitions are ours, all of them, be it none, are served, and it answers.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] Census census() const;
  /// What memory is for, as of the last look between two batches (memory.look_interval).
  [[nodiscard]] MemoryReport memory() const;
  /// The partitions that are ours, by number.
  [[nodiscard]] std::vector<PartitionView> partitions() const;
  /// What the log says of itself, as of the last second.
  [[nodiscard]] events::LogFigures log_figures() const;
  [[nodiscard]] Pulse pulse() const;
  [[nodiscard]] FlightRecorder& flight() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mayfly::actors
