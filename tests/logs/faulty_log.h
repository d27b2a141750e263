// A log whose commits fail as a script says: for tests of everything that stands on a log.
#pragma once

#include "events/log/log.h"

#include <deque>
#include <mutex>

namespace mayfly::adapters {

/// What becomes of a commit.
enum class Fault : std::uint8_t {
  none,
  aborted,       // not written, said so
  lost_answer,   // written, but the answer is lost: indefinite
  lost_request,  // not written, and nobody knows: indefinite
  failed,        // not written and never will be: no space
};

/// Wraps another log, which outlives it. After a fault every partition comes again as taken, as the contract says.
class FaultyLog final : public events::Log {
 public:
  explicit FaultyLog(events::Log& log) : log_(log) {}
  /// The next commits' faults, in order; then none.
  void script(std::deque<Fault> faults) {
    std::scoped_lock lock(mutex_);
    faults_ = std::move(faults);
  }

  /// The next so many polls, and then so many restores, find that the log does not answer.
  void do_not_answer(int polls, int restores) {
    std::scoped_lock lock(mutex_);
    silent_polls_ = polls;
    silent_restores_ = restores;
  }

  /// The next so many restores find a committed position that is one before the state's.
  void position_lags(int restores) {
    std::scoped_lock lock(mutex_);
    lagging_restores_ = restores;
  }

  /// What every restore finds is changed by this: a log that has lost something.
  void lose(std::function<void(events::Partition, events::Restored&)> what) {
    std::scoped_lock lock(mutex_);
    lose_ = std::move(what);
  }

  /// A commit with a record of which that is true is aborted, and says that it is too large.
  void refuse(std::function<bool(const events::NewRecord&)> which) {
    std::scoped_lock lock(mutex_);
    refuse_ = std::move(which);
  }

  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  events::Polled poll(const events::PollLimits&) override;
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>& state) override;
  void start(events::Partition p, events::Offset from) override { log_.start(p, from); }
  events::CommitResult commit(const events::Commit&) override;
  events::LogStatus append(const events::NewRecord& record) override { return log_.append(record); }

 private:
  events::Log& log_;
  std::mutex mutex_;
  std::deque<Fault> faults_;
  bool take_again_ = false;
  int silent_polls_ = 0;
  int silent_restores_ = 0;
  int lagging_restores_ = 0;
  std::function<void(events::Partition, events::Restored&)> lose_;
  std::function<bool(const events::NewRecord&)> refuse_;
};

}  // namespace mayfly::adapters
