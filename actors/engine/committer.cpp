#include "actors/engine/committer.h"

#include "events/text/precondition.h"

#include <utility>

namespace mayfly::actors {

Committer::Committer(events::Log& log, Choose choose) : log_(log), choose_(std::move(choose)) {
  if (!choose_) thread_ = std::thread([this] { run(); });
}

Committer::~Committer() {
  {
    std::unique_lock lock(mutex_);
    if (thread_.joinable()) changed_.wait(lock, [this] { return phase_ != Phase::begun; });
    phase_ = Phase::leaving;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Committer::begin(std::vector<events::NewRecord> records, std::vector<events::Position> next) {
  {
    std::scoped_lock lock(mutex_);
    events::precondition(phase_ == Phase::idle, "Committer::begin: no commit is under way");
    records_ = std::move(records);
    next_ = std::move(next);
    phase_ = Phase::begun;
  }
  if (choose_ && choose_(2) == 0) return commit_here();
  changed_.notify_all();
}

events::CommitResult Committer::commit() {
  ++calls_;
  auto result = log_.commit({records_, next_});
  ++calls_;
  return result;
}

void Committer::commit_here() {
  result_ = commit();
  phase_ = Phase::ended;
}

std::optional<events::CommitResult> Committer::wait() {
  std::unique_lock lock(mutex_);
  if (phase_ == Phase::idle) return std::nullopt;
  if (choose_ && phase_ == Phase::begun) commit_here();
  changed_.wait(lock, [this] { return phase_ == Phase::ended; });
  phase_ = Phase::idle;
  return std::exchange(result_, {});
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return phase_ == Phase::begun || phase_ == Phase::leaving; });
    if (phase_ == Phase::leaving) return;
    lock.unlock();
    auto result = commit();
    lock.lock();
    result_ = std::move(result);
    phase_ = Phase::ended;
    changed_.notify_all();
  }
}

}  // namespace mayfly::actors
