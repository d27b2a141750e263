// Commits on a thread of its own, so that the next batch is decided meanwhile. One commit at a time.
#pragma once

#include "events/log.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace mayfly::actors {

class Committer {
 public:
  explicit Committer(events::Log&);
  /// Precondition: no commit is under way.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Begins a commit. What the records view must live until wait has returned. Precondition: none is under way.
  void begin(std::vector<events::NewRecord>, std::vector<events::Position> next);
  /// Blocks until the commit under way has its outcome; nothing if none was begun since the last wait.
  std::optional<events::CommitResult> wait();

 private:
  void run();

  events::Log& log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  enum class Phase { idle, begun, ended, leaving } phase_ = Phase::idle;
  std::vector<events::NewRecord> records_;
  std::vector<events::Position> next_;
  events::CommitResult result_;
  std::thread thread_;  // last: begins when all else is there
};

}  // namespace mayfly::actors
