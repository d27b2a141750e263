// Who is told of every transaction of the engine and of the commands in it, for traces.
#pragma once

#include "events/log/log.h"

#include <chrono>
#include <span>

namespace mayfly::actors {

struct Batch;

class CommitObserver {
 public:
  CommitObserver() = default;
  virtual ~CommitObserver() = default;
  CommitObserver(const CommitObserver&) = delete;
  CommitObserver& operator=(const CommitObserver&) = delete;

  /// One transaction has come to its outcome, `took` after it was begun. On the engine's thread, which decides nothing
  /// meanwhile: it must not wait for anything. The batches, and all that they view, end with the call.
  virtual void settled(std::span<const Batch* const>, const events::CommitResult&,
                       std::chrono::steady_clock::duration took) noexcept = 0;
};

}  // namespace mayfly::actors
