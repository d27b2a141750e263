// The running engine: reads batches from a log, lets each command's cart decide it as an actor, commits what they
// decided, writes ticks. Owns the actor system; CAF does not show here.
#pragma once

#include "events/log.h"
#include "events/settings.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace mayfly::actors {

struct EngineConfig {
  std::string name = "mayfly";  // ce_source is "/mayfly/" + name; part of every idempotency key
  events::Settings settings;    // wanted; they hold from the tick that carries them
  std::size_t batch_records = 20'000;
  std::size_t batch_bytes = 32 * 1024 * 1024;
  events::Millis poll_wait{100};  // longest wait for a first record
  events::Millis tick_interval{1'000};
  events::Millis passivate_after{5'000};  // idle in record time, then a cart's actor becomes bytes
  std::size_t awake_carts = 8'192;        // per partition; beyond it the longest idle sleep at once
  int threads = 0;                        // of the actor system; 0: as many as there are processors

  /// Test seam: called by a cart's actor before it decides; may throw. Null: none.
  std::function<void(std::string_view cart_id, events::Position)> before_decide;
};

/// Something an operator should know, with a stable name.
struct Notice {
  enum class Level : std::uint8_t { info, warning, error } level;
  std::string_view name;  // e.g. "partition_taken", "commit_failed", "actor_failed"
  std::string message;
  events::Partition partition = -1;
};

/// Counters since the engine began, and what is alive now. Read from any thread.
struct Census {
  std::int64_t carts_started = 0;  // actors made: created or woken
  std::int64_t carts_stopped = 0;  // actors destroyed
  std::int64_t sessions_started = 0;
  std::int64_t sessions_stopped = 0;
  std::int64_t actors_running = 0;  // by the actor system's own count, partitions' supervisors included
  std::int64_t supervisors = 0;
  std::int64_t carts_open = 0;  // carts with state, awake or sleeping
  std::int64_t carts_awake = 0;
  std::int64_t sessions_open = 0;  // carts whose state has an open session, awake or sleeping
  std::int64_t epitaphs = 0;
  std::int64_t commands = 0;  // records decided and committed
  std::int64_t events = 0;
  std::int64_t rejections = 0;
  std::int64_t dead_letters = 0;
  std::int64_t ticks = 0;
  std::int64_t commits = 0;
  std::int64_t commit_failures = 0;
  std::int64_t restarts = 0;  // actors restarted from their snapshot
};

/// Why run returned.
enum class RunEnd : std::uint8_t {
  stopped,    // asked to; everything decided is committed
  caught_up,  // run_until_caught_up: nothing was left to read
  failed,     // the log cannot go on; message says why
};
struct RunResult {
  RunEnd end = RunEnd::stopped;
  std::string message;
};

class Engine {
 public:
  /// `log` and `clock` outlive the engine. `notice` is called from the engine's threads, one at a time.
  Engine(events::Log& log, const events::Clock& clock, EngineConfig, std::function<void(const Notice&)> notice);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Serves until stopped (drains: finishes the batch it decides and commits it) or until the log fails for good.
  RunResult run(const std::stop_token&);

  /// Serves until a poll gives nothing and all is committed. Writes no ticks: for replays and tests.
  RunResult run_until_caught_up();

  /// True once all partitions given so far are restored and served.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] Census census() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mayfly::actors
