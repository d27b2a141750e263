// A log whose commits fail as a script says: for tests of everything that stands on a log.
#pragma once

#include "events/log.h"

#include <deque>
#include <mutex>

namespace mayfly::adapters {

/// What becomes of a commit.
enum class Fault : std::uint8_t {
  none,
  aborted,       // not written, said so
  lost_answer,   // written, but the answer is lost: indefinite
  lost_request,  // not written, and nobody knows: indefinite
  failed,        // not written and never will be
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

  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  events::Polled poll(const events::PollLimits&) override;
  events::Restored restore(events::Partition p,
                           const std::function<void(events::Bytes, events::Bytes)>& state) override {
    return log_.restore(p, state);
  }
  void start(events::Partition p) override { log_.start(p); }
  events::CommitResult commit(const events::Commit&) override;
  events::LogStatus append(const events::NewRecord& record) override { return log_.append(record); }

 private:
  events::Log& log_;
  std::mutex mutex_;
  std::deque<Fault> faults_;
  bool take_again_ = false;
};

}  // namespace mayfly::adapters
