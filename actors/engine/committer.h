// Commits on a thread of its own, so that the next batch is decided meanwhile. One commit at a time. In a simulation
// there is no thread: a commit happens when it is begun or when it is waited for, as the simulation chooses.
#pragma once

#include "actors/engine/gate.h"
#include "events/log/log.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace mayfly::actors {

class Committer {
 public:
  /// `choose` null: a thread of its own.
  Committer(events::Log&, Choose choose);
  /// Blocks until a commit under way on the other thread has its outcome.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Begins a commit. What the records view must live until wait has returned. Precondition: none is under way.
  void begin(std::vector<events::NewRecord>, std::vector<events::Position> next);
  /// Blocks until the commit under way has its outcome; nothing if none was begun since the last wait.
  std::optional<events::CommitResult> wait();
  /// Commits begun and returned, counted apart: odd while one is under way. Any thread.
  [[nodiscard]] std::uint64_t calls() const { return calls_; }

 private:
  void run();
  void commit_here();
  events::CommitResult commit();

  events::Log& log_;
  Choose choose_;
  std::mutex mutex_;
  std::condition_variable changed_;
  enum class Phase { idle, begun, ended, leaving } phase_ = Phase::idle;
  std::vector<events::NewRecord> records_;
  std::vector<events::Position> next_;
  events::CommitResult result_;
  std::atomic<std::uint64_t> calls_{0};
  std::thread thread_;  // last: begins when all else is there
};

}  // namespace mayfly::actors
