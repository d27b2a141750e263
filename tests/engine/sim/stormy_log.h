// A log with weather: polls cut anywhere, commits that are aborted or whose outcome is not known, an owner that dies.
// And, for the test of the tests, planted bugs. Wraps the memory log.
#pragma once

#include "engine/sim/chance.h"
#include "logs/memory_log.h"

#include <map>
#include <optional>
#include <stop_token>
#include <string>

namespace mayfly::sim {

/// Bugs that the simulation must find. The last three are in planted copies of actors' sources (plant.py).
enum class Bug : int {
  none,
  tombstone_not_written,
  position_not_committed,
  woken_from_uncommitted,
  quarantine_forgotten,
  epitaphs_not_restored,
  record_delivered_twice,
  sequence_restarted,
  wait_lost_after_giving_up,
  session_not_closed,
  retry_decides_twice,
};

struct Weather {
  std::uint64_t commit_fault_permille = 0;
  std::size_t most_records = 1'000;  // of a poll
  Bug bug = Bug::none;
};

class StormyLog final : public events::Log {
 public:
  /// All outlive it.
  StormyLog(adapters::MemoryStore& store, Weather weather, Chance& chance)
      : log_(store), weather_(weather), chance_(chance) {}

  /// Asks to stop after so many polls.
  void stop_after(int polls, std::stop_source& stop) {
    polls_left_ = polls;
    stop_ = &stop;
  }
  void calm() { weather_.commit_fault_permille = 0; }
  /// Its process has died: a commit under way is there or not, no other ever will be.
  void die() { dead_ = true; }
  /// Commands that a commit writes are left out: for a replay, that has them.
  void leave_out_commands() { leave_out_commands_ = true; }
  [[nodiscard]] bool gave_records() const { return gave_records_; }

  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  events::Polled poll(const events::PollLimits&) override;
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&) override;
  void start(events::Partition p, events::Offset from) override { log_.start(p, from); }
  events::CommitResult commit(const events::Commit&) override;
  events::LogStatus append(const events::NewRecord& record) override {
    return dead_ ? events::LogStatus{events::LogError::unavailable, "dead"} : log_.append(record);
  }

 private:
  events::CommitResult write(const events::Commit&);

  adapters::MemoryLog log_;
  Weather weather_;
  Chance& chance_;
  std::stop_source* stop_ = nullptr;
  int polls_left_ = 0;
  bool take_again_ = false;
  bool dead_ = false;
  bool leave_out_commands_ = false;
  bool gave_records_ = false;
  std::map<std::string, std::string> uncommitted_;  // for a planted bug
};

}  // namespace mayfly::sim
