// What can be seen of a running engine: counters since it began, what is alive now, one line per partition. Plain
// values that any thread may hold; nothing here decides.
#pragma once

#include "events/log/log.h"
#include "events/rules/words.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::actors {

/// How often durations fell below each bound, as Prometheus wants them; a duration is counted in one place only.
struct Durations {
  static constexpr std::array<double, 12> bounds_s = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                      0.1,   0.25,   0.5,   1.0,  2.5,   10.0};
  std::array<std::int64_t, bounds_s.size() + 1> counts{};  // the last: longer than every bound
  double sum_s = 0;
  void add(double seconds) {
    std::size_t at = 0;
    while (at < bounds_s.size() && seconds > bounds_s[at]) ++at;
    ++counts[at];
    sum_s += seconds;
  }
};

/// What is open from its alert in the log on until it is over: another alert says so, or it can be seen. Their names
/// are those of the alerts.
enum class LastingAlert : std::uint8_t {
  leak,
  memory_pressure,
  partition_over_budget,
  transaction_hanging,
  record_too_large,
  clocks_apart,
  log_over_limit,
  cart_quarantined,
};
inline constexpr std::size_t lasting_alert_count = 8;
[[nodiscard]] std::string_view name(LastingAlert);

/// Counters since the engine began, and what is alive now. Read from any thread.
struct Census {
  std::int64_t carts_started = 0;  // actors made: created or woken
  std::int64_t carts_stopped = 0;  // actors destroyed
  std::int64_t sessions_started = 0;
  std::int64_t sessions_stopped = 0;
  std::int64_t actor_bytes = 0;     // that the actor system takes for carts' and sessions' actors
  std::int64_t actors_running = 0;  // by the actor system's own count, partitions' supervisors included
  std::int64_t supervisors = 0;
  std::int64_t carts_open = 0;  // carts with state, awake or sleeping
  std::int64_t carts_awake = 0;
  std::int64_t carts_quarantined = 0;
  std::int64_t sessions_awake = 0;  // of carts awake
  std::int64_t sessions_open = 0;   // carts whose state has an open session, awake or sleeping
  std::int64_t epitaphs = 0;
  std::int64_t epitaphs_evicted = 0;  // that went out before their time, to make room
  std::int64_t commands = 0;          // records decided and committed
  std::int64_t events = 0;
  std::int64_t rejections = 0;
  std::int64_t dead_letters = 0;
  std::int64_t alerts_held_back = 0;
  std::int64_t payments_unresolved = 0;  // that a person must look at
  std::int64_t ticks = 0;
  std::int64_t commits = 0;
  std::int64_t commit_failures = 0;
  std::array<std::int64_t, lasting_alert_count> alerts_open{};  // as of the last second
  std::int64_t restarts = 0;                                    // actors restarted from their snapshot
  std::int64_t rebuilds = 0;                                    // partitions rebuilt from the log
  std::int64_t carts_ended = 0;
  std::array<std::int64_t, events::event_type_count> events_by_type{};
  std::array<std::int64_t, events::code_count> rejections_by_code{};
  std::array<std::int64_t, events::dead_letter_reason_count> dead_letters_by_reason{};
  Durations commit;     // one transaction: begun to its outcome
  Durations committed;  // per partition of a batch: its first record's append to its commit, by the clock
};

/// An actor that died and was started again.
struct Restart {
  std::string reason;  // what it died of, and the offset it was deciding; no cart id
  events::Timestamp at{};
};

enum class PartitionPhase : std::uint8_t {
  restoring,  // ours, not served yet; tried again while the log does not answer
  serving,
  stopped,  // cannot go on; an operator must look
};

/// How a partition's renewals went.
struct Renewals {
  static constexpr std::size_t fields_told = 8;
  std::int64_t count = 0;
  std::int64_t carts = 0;        // compared, in all renewals
  std::int64_t differences = 0;  // found, in all renewals
  events::Timestamp newest{};
  std::int64_t newest_ms = 0;  // how long the newest took
  std::int64_t newest_carts = 0;
  std::int64_t newest_differences = 0;
  std::vector<std::string> newest_fields;  // the first that differed; no cart id, no values
};

struct PartitionView {
  static constexpr std::size_t newest_restarts = 8;
  events::Partition partition = 0;
  PartitionPhase phase = PartitionPhase::restoring;
  events::Timestamp since{};  // of the phase
  events::Offset next = 0;    // committed position
  events::Timestamp ticked{};
  std::int64_t carts_open = 0;
  std::int64_t carts_awake = 0;
  std::int64_t sessions_open = 0;
  std::int64_t epitaphs = 0;
  std::int64_t epitaphs_evicted = 0;  // since taken
  std::int64_t commands = 0;          // since taken
  std::int64_t restarts = 0;          // of its carts' actors, since taken
  std::int64_t times_taken = 0;       // by this engine; the first included
  std::vector<Restart> newest;        // newest restarts, newest last
  Renewals renewals;
};

/// The loop's sign of life. While it waits for the log it is not expected to move.
struct Pulse {
  std::uint64_t beats = 0;
  bool deciding = false;
  /// Writes to the log begun and returned, counted apart: odd while one is under way. A commit; an append by the loop.
  std::array<std::uint64_t, 2> writes{};
};

}  // namespace mayfly::actors
