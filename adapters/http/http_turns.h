// Makes the answers of an HTTP server that may take long, one at a time, by a thread of its own, so that the thread
// which reads and answers probes never waits for one. Clients take turns: one that asks again and again waits behind
// its own requests, and others do not wait behind them.
#pragma once

#include "adapters/http/http.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace mayfly::adapters {

/// Runs `answer`; a 500 for what it throws, but nothing for want of memory.
[[nodiscard]] std::optional<HttpAnswer> answer_of(const HttpRoute&, const HttpRequest&) noexcept;

class HttpTurns {
 public:
  using Id = std::uint64_t;
  struct Made {
    Id id = 0;
    std::optional<HttpAnswer> answer;  // none: it came too late, or there was no memory for it
  };

  /// `made` is called from the thread whenever an answer is to be taken; it throws nothing.
  HttpTurns(const HttpLimits&, std::function<void()> made);
  /// Waits for the answer that is being made.
  ~HttpTurns();
  HttpTurns(const HttpTurns&) = delete;
  HttpTurns& operator=(const HttpTurns&) = delete;

  /// Gives the id of the request that is refused because too many wait: this one, or the newest of a client that has
  /// more of them than this one's; 0: none. Not made after `deadline`. The route outlives this; ids are 1 or more and
  /// never used again.
  [[nodiscard]] Id add(Id, std::uint64_t client, const HttpRoute&, HttpRequest&&,
                       std::chrono::steady_clock::time_point deadline);
  /// Nobody wants this one any more.
  void remove(Id);
  /// The next one is made only after this one was taken.
  [[nodiscard]] Made take();

 private:
  struct Turn {
    Id id = 0;
    const HttpRoute* route = nullptr;
    HttpRequest request;
    std::chrono::steady_clock::time_point deadline;
    std::uint64_t client = 0;
    std::uint64_t round = 0;  // in a round each client has one turn
  };
  void run();
  [[nodiscard]] Turn take_next();

  const std::size_t most_waiting_;
  const int cpu_percent_;
  const std::function<void()> made_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Turn> waiting_;    // as they came
  std::uint64_t round_ = 0;     // of the newest turn that was begun
  std::optional<Made> answer_;  // not taken yet
  bool over_ = false;
  std::thread thread_;
};

}  // namespace mayfly::adapters
