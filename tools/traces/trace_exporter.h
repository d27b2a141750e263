// Sends spans to a collector by OTLP over HTTP, with JSON bodies, from a thread of its own. Whoever has spans never
// waits for it: what there is no room for is dropped and counted.
#pragma once

#include "adapters/http/http_caller.h"
#include "tools/console/retry.h"
#include "tools/traces/trace_settings.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mayfly::tools {

struct TraceLimits {
  std::size_t queue_spans = 8'192;       // that wait to be sent: about 500 bytes of a command, up to 6 kB of a commit
  std::size_t request_spans = 512;       // of one request
  events::Millis longest_wait{1'000};    // until spans are sent although they do not fill a request
  int attempts = 5;                      // of one request; then its spans are dropped
  events::Millis longest_pause{30'000};  // between two attempts, also where the collector asks for more
  events::Millis last_words{2'000};      // for all that waits when the engine ends
};

/// Spans by what became of them, since the process began.
struct TraceCounts {
  std::int64_t sent = 0;       // taken by the collector
  std::int64_t no_room = 0;    // dropped: the queue was full
  std::int64_t refused = 0;    // dropped: the collector did not take them, and would not
  std::int64_t not_taken = 0;  // dropped: no attempt was answered, or it was with "later"
  std::size_t waiting = 0;     // in the queue or on their way
};

class TraceExporter {
 public:
  /// As HttpCaller::post: it calls back once, from another thread or within the call.
  using Post = std::function<void(adapters::HttpCall, std::function<void(adapters::HttpCalled)>)>;
  /// Told when the collector begins not to take spans, with why, and when it takes them again.
  using Say = std::function<void(bool taken, const std::string& why)>;

  TraceExporter(TraceSettings, TracedEngine, const TraceLimits&, Post, Say);
  /// Sends what waits for as long as `last_words`, and drops the rest.
  ~TraceExporter();
  TraceExporter(const TraceExporter&) = delete;
  TraceExporter& operator=(const TraceExporter&) = delete;

  /// Any thread; waits for nothing but the queue's lock. Those that do not fit are dropped, the last first.
  void add(std::vector<Span>&&) noexcept;
  /// How many fit now.
  [[nodiscard]] std::size_t room() const;
  /// Counts spans that were not even made, for want of room.
  void drop(std::int64_t spans) noexcept;
  [[nodiscard]] TraceCounts counts() const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Awaited;
  void run() noexcept;
  void send(Lock&, const std::vector<Span>&);
  [[nodiscard]] adapters::HttpCalled ask(Lock&, adapters::HttpCall);
  void pause(Lock&, events::Millis);
  void settle(std::int64_t TraceCounts::*, std::int64_t spans);
  void say(Lock&, bool taken, const std::string& why);

  const TraceSettings settings_;
  const TracedEngine engine_;
  const TraceLimits limits_;
  const Post post_;
  const Say say_;
  Backoff backoff_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::shared_ptr<Awaited> awaited_;  // the answer that is waited for
  std::deque<Span> queue_;
  std::size_t sending_ = 0;
  TraceCounts counts_;
  bool taken_ = true;
  bool over_ = false;
  std::chrono::steady_clock::time_point end_;  // once it is over
  std::thread thread_;
};

}  // namespace mayfly::tools
