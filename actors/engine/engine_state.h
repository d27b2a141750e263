// The engine's inside: its loop's state and steps. Private to engine*.cpp.
#pragma once

#include "actors/cart/environment.h"
#include "actors/cart/messages.h"
#include "actors/engine/batch_size.h"
#include "actors/engine/committer.h"
#include "actors/engine/engine.h"
#include "actors/engine/gate.h"
#include "actors/engine/limit_watch.h"
#include "actors/engine/memory_watch.h"
#include "actors/engine/pauses.h"
#include "actors/engine/pending_watch.h"
#include "actors/engine/renewal_schedule.h"
#include "actors/partition/batch.h"

#include <caf/all.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace mayfly::actors {

/// A partition that this engine serves.
struct Served {
  caf::actor supervisor;
  PartitionStatus status;
  std::int64_t carts_alive = 0;   // by events: restored + created - ended
  events::Offset committed = 0;   // next offset, as committed
  events::Timestamp last_tick{};  // by the clock
  bool stopped = false;           // cannot go on; its records are left alone
};

/// A partition's memory for batches: one is decided while the other is committed. Outlives the partition's actors.
struct BatchPair {
  explicit BatchPair(Ledger& ledger) : of_turn{Batch(ledger), Batch(ledger)} {}
  Batch of_turn[2];
};

/// How a partition stands to its budget (docs/memory.md, Budgets).
struct PartitionBudget {
  enum class Stand : std::uint8_t { within, renewing, left_alone } stand = Stand::within;
  RestartWindow renewals;  // because it was over
};

/// An alert of the engine's own that the log has not taken yet.
struct RefusedAlert {
  std::string name;
  events::Position at;
  std::string message;
  std::int64_t occasion = 0;
  events::Timestamp raised{};
};

class StateComparison;
struct Handover;
struct PartitionState;
struct CannotServe;

/// Partitions whose supervisor must be built anew from the log.
struct Failing {
  std::map<events::Partition, std::string> why;
  events::Timestamp now{};  // of the newest record
};

struct Engine::State {
  events::Log& log;
  const events::Clock& clock;
  EngineConfig config;
  std::function<void(const Notice&)> notice;
  std::mutex notice_mutex;

  FlightRecorder own_flight;  // where none is given
  FlightRecorder& flight;
  Environment environment;
  std::map<events::Partition, BatchPair> batches;
  caf::actor_system_config caf_config;
  caf::actor_system system;
  std::map<events::Partition, Served> served;
  std::set<events::Partition> to_take;  // ours; not restored yet
  struct HeldUp {
    events::Timestamp again;  // tried no sooner
    Pauses pauses;
  };
  std::map<events::Partition, HeldUp> held_up;  // of those, what the log did not give when it was asked last
  /// Ours, of which a record is larger than the log takes for now: restored and tried no sooner than that.
  std::map<events::Partition, HeldUp> too_large;
  std::map<events::Partition, std::string> left_alone;  // ours; their commands are not whole, and why: alerted once
  std::deque<events::RecordBatch> undecided;  // polled, in order; of partitions that were restored since: none
  Gate gate;
  RestartWindow rebuilds;
  Committer committer;
  std::size_t turn = 0;            // which of the two batches is decided
  events::RecordBatch records[2];  // what the batches view
  BatchSize batch_size;
  std::vector<Batch*> committing;  // the batches of the commit under way
  std::chrono::steady_clock::time_point commit_begun;
  std::string uncommitted;         // why what was decided last was not committed; empty: it was, or is forgotten
  std::optional<RunResult> fatal;  // the engine cannot go on
  bool trouble = false;            // this step met a log that did not go along: pause before the next
  Pauses pauses;
  events::Timestamp figures_at{};
  bool clocks_apart = false;  // the log's and ours: ticks are ignored, no deadline fires
  PendingWatch pending;

  events::Settings wanted_settings;  // of the config, but for admission
  PressureLevel pressure = PressureLevel::normal;
  std::optional<events::Timestamp> stopped_since;  // reading, by the clock
  events::Timestamp given_back_at{};               // free pages, because memory was short
  MemoryWatch memory;
  std::vector<Leak> to_alert;  // said in the log; each becomes an alert beside the next records of a partition
  std::deque<RefusedAlert> refused_alerts;  // oldest first; tried again about once a second
  std::map<events::Partition, std::vector<PendingAlert>> alerts_waiting;  // until a batch says them and is committed
  RenewalSchedule renewal_schedule;
  std::map<events::Partition, PartitionBudget> partition_budgets;

  mutable std::mutex census_mutex;  // guards the next four
  Census counted;
  std::map<events::Partition, PartitionView> views;
  events::LogFigures figures;
  LimitWatch limits;
  std::set<events::Partition> renewals_asked;
  std::atomic<bool> ready{false};
  std::atomic<std::uint64_t> beats{0};
  std::atomic<bool> deciding{false};
  std::atomic<std::uint64_t> appends{0};  // odd while one is under way

  State(events::Log&, const events::Clock&, EngineConfig, std::function<void(const Notice&)>);
  ~State();

  // The loop: engine_run.cpp
  RunResult run(const std::stop_token&, bool until_caught_up);
  bool step(bool until_caught_up);
  bool poll_more(bool until_caught_up);
  void rest();
  void heed(const events::LogStatus&);
  void decide_next();
  [[nodiscard]] events::RecordBatch next_round();
  void decide_round(events::RecordBatch);
  std::vector<Batch*> decide(events::RecordBatch&, Failing&);
  [[nodiscard]] BatchLimits limits_of_share(std::size_t shares) const;
  void forget_undecided(events::Partition);
  bool settle_commit();
  void begin_commit(const std::vector<Batch*>&);
  void heed_too_large(const std::vector<Batch*>&, const events::CommitResult&);
  void fail(std::string message, events::LogError);
  void say(Notice::Level, std::string_view name, std::string message, events::Partition = -1,
           std::vector<Notice::Figure> = {});

  // Partitions come and go: engine_partitions.cpp
  void take_all(bool at_once);
  [[nodiscard]] bool waits_for_room(events::Partition) const;
  void take(events::Partition, std::string rebuilt = {});
  [[nodiscard]] std::unique_ptr<PartitionState> restore_partition(events::Partition, StateComparison*);
  void serve_partition(std::unique_ptr<PartitionState>);
  void rebuild(const Failing&);
  void drop(events::Partition);
  void drop_all();
  void write_ticks();
  void write_tick(events::Partition, Served&, events::Timestamp now);
  [[nodiscard]] events::LogStatus append(const events::NewRecord&);

  // Partitions are renewed: engine_renewal.cpp
  bool renew_one(bool by_schedule);
  [[nodiscard]] std::optional<events::Partition> next_to_renew(bool by_schedule);
  void renew(events::Partition);
  [[nodiscard]] bool hand_over(events::Partition, Handover&);
  void note_renewal(events::Partition, const StateComparison&, const Handover&, std::int64_t took_ms);

  // What is seen of it: engine_census.cpp
  void count(const Batch&);
  void count_commit(bool ok, std::chrono::steady_clock::duration);
  void gauge();
  void phase(events::Partition, PartitionPhase);
  void forget_view(events::Partition);
  void ask_figures();
  void count_open_alerts();
  void watch_limits();
  [[nodiscard]] Census census();

  // Alerts that no command raises: engine_pending.cpp
  void watch_pending();
  void watch_clocks();
  void tell_skipped(const events::Skipped&);
  void leave_alone(events::Partition, const CannotServe&);
  /// `occasion` tells alerts of one name at one position apart: 0 where there can be one only.
  [[nodiscard]] events::LogStatus write_alert(std::string_view alert, events::Position, std::string_view message,
                                              std::int64_t occasion, events::Timestamp raised);
  /// For what is found once: if the log refuses the alert it is kept, in its order, until the log takes it.
  void raise_alert(std::string_view alert, events::Position, std::string message, std::int64_t occasion);
  void write_refused_alerts();

  // What is done when memory is short: engine_pressure.cpp
  void heed_pressure();
  [[nodiscard]] SleepLimits sleep_limits() const;
  [[nodiscard]] bool holds_reading();
  [[nodiscard]] std::size_t most_records() const;

  // A partition over its budget: engine_budget.cpp
  void heed_partition_budgets();
  void say_over_budget(events::Partition, Notice::Level, const std::string& what);

  // What its memory is for: engine_memory.cpp
  void look_at_memory();
  void hand_over_alerts(const std::vector<Batch*>&);
  void take_back_alerts(Batch&);
};

}  // namespace mayfly::actors
