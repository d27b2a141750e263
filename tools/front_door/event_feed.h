// The front door's stream of events: each client is told the events that it asked for, as server-sent events, from
// where it left off. Clients at the same place of the log share one reading of it.
#pragma once

#include "adapters/http/http.h"
#include "events/log/log.h"
#include "tools/front_door/feed_words.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// docs/http.md, Limits.
struct EventFeedLimits {
  std::size_t streams = 200;             // open at a time
  std::size_t streams_per_caller = 100;  // of them
  std::size_t unsent_bytes = 65'536;     // of one stream; nothing is read for it meanwhile
  events::Millis heartbeat{15'000};      // without an event
  events::Millis idle_wait{50};          // between two looks at a log that has nothing new
};

class EventFeed {
 public:
  /// The client is used by a thread of this alone.
  explicit EventFeed(std::unique_ptr<events::LogClient> log, EventFeedLimits limits = {});
  /// Ends all streams.
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  /// Any thread, returns at once. The reply gets a stream, or a problem that says why not.
  void open(std::string caller, FeedRequest asked, adapters::HttpReply reply);
  /// Any thread.
  [[nodiscard]] std::size_t streams() const { return streams_; }

 private:
  using Steady = std::chrono::steady_clock;
  struct Arriving {
    std::string caller;
    FeedRequest asked;
    adapters::HttpReply reply;
  };
  struct Reader {
    std::string caller;
    FeedRequest asked;
    std::shared_ptr<adapters::HttpStream> stream;
    std::vector<events::Position> next;  // of each partition that it gets
    Steady::time_point heartbeat_at;
  };

  void run();
  void begin(Arriving&&);
  [[nodiscard]] adapters::HttpAnswer begin_at(const FeedRequest&, Reader&);
  bool read_on();
  void tell(Reader&, events::Position& next, const events::Fetched&);
  void send_heartbeats();

  const EventFeedLimits limits_;
  const std::unique_ptr<events::LogClient> log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Arriving> arriving_;
  bool over_ = false;
  std::list<Reader> readers_;  // the thread's
  std::atomic<std::size_t> streams_ = 0;
  std::thread thread_;
};

}  // namespace mayfly::tools
