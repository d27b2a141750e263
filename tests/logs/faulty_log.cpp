#include "logs/faulty_log.h"

#include <utility>

namespace mayfly::adapters {

using events::CommitOutcome;

events::Polled FaultyLog::poll(const events::PollLimits& limits) {
  {
    std::scoped_lock lock(mutex_);
    if (silent_polls_ > 0) {
      --silent_polls_;
      events::Polled polled;
      polled.status = {events::LogError::unavailable, "a planted silence."};
      return polled;
    }
    if (std::exchange(take_again_, false)) {
      events::Polled polled;
      for (events::Partition p = 0; p < log_.partitions(); ++p) polled.taken.push_back(p);
      return polled;
    }
  }
  return log_.poll(limits);
}

events::Restored FaultyLog::restore(events::Partition partition,
                                    const std::function<void(events::Bytes, events::Bytes)>& state) {
  {
    std::scoped_lock lock(mutex_);
    if (silent_restores_ > 0) {
      --silent_restores_;
      return {0, 0, {events::LogError::unavailable, "a planted silence."}};
    }
  }
  auto restored = log_.restore(partition, state);
  std::scoped_lock lock(mutex_);
  if (restored.next > 0 && lagging_restores_ > 0) {
    --lagging_restores_;
    --restored.next;
  }
  if (lose_) lose_(partition, restored);
  return restored;
}

events::CommitResult FaultyLog::commit(const events::Commit& commit) {
  Fault fault = Fault::none;
  for (std::size_t i = 0; refuse_ && i < commit.records.size(); ++i) {
    if (!refuse_(commit.records[i])) continue;
    std::scoped_lock lock(mutex_);
    take_again_ = true;
    events::CommitResult result{CommitOutcome::aborted, "a planted limit."};
    result.too_large = i;
    return result;
  }
  {
    std::scoped_lock lock(mutex_);
    if (!faults_.empty()) {
      fault = faults_.front();
      faults_.pop_front();
    }
  }
  if (fault == Fault::none) return log_.commit(commit);
  if (fault == Fault::lost_answer) {
    if (auto result = log_.commit(commit); !result.ok()) return result;
  }
  std::scoped_lock lock(mutex_);
  take_again_ = true;
  if (fault == Fault::aborted) return {CommitOutcome::aborted, "a planted abort."};
  if (fault == Fault::failed) return {CommitOutcome::failed, "a planted failure.", events::LogError::full};
  return {CommitOutcome::indefinite, "a planted loss of the answer."};
}

}  // namespace mayfly::adapters
