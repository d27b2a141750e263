// The front door: commands and carts over HTTP, for whoever has no client of the log. docs/http.md is its contract.
#pragma once

#include "adapters/http/http.h"
#include "tools/front_door/access.h"
#include "tools/front_door/cloudevent_request.h"
#include "tools/front_door/event_feed.h"
#include "tools/front_door/front_metrics.h"
#include "tools/front_door/keyed_exchange.h"
#include "tools/front_door/waiting_requests.h"
#include "tools/records/command_check.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace mayfly::tools {

inline constexpr const char* default_front_address = "127.0.0.1:9280";

/// What clients may take (docs/http.md, Limits).
struct FrontDoorLimits {
  events::Millis longest_wait{60'000};  // of Prefer: wait
  std::size_t batch_events = 100;       // CloudEvents of one request
  EventFeedLimits feed;
  adapters::HttpLimits http = [] {
    adapters::HttpLimits limits;
    limits.connections = 1'000;  // or --connections
    limits.connection_requests = 10'000;
    limits.connection_ms = 3'600'000;
    limits.request_header_bytes = 32'768;  // Last-Event-ID of a log with 1,024 partitions is up to 25,600 bytes
    limits.request_body_bytes = 262'144;
    limits.later_ms = 65'000;  // the longest wait, and time to append
    return limits;
  }();
  /// Of one token's name, that wait for what their commands come to: half of the connections, so that no token takes
  /// those of all others.
  [[nodiscard]] std::size_t waiting_per_caller() const { return static_cast<std::size_t>(http.connections) / 2; }
};

class FrontDoor {
 public:
  /// Clients of one log, each for a thread of its own.
  struct Clients {
    std::unique_ptr<events::LogClient> writer;
    std::unique_ptr<events::LogClient> reader;
    std::unique_ptr<events::LogClient> history;  // of carts that are asked for
    std::unique_ptr<events::LogClient> look_back;
    std::unique_ptr<events::LogClient> repeats;
    std::unique_ptr<events::LogClient> feed;
  };
  /// The book has been read. `access` is asked about every request, until another one is given. The clock outlives
  /// this.
  FrontDoor(Clients, std::unique_ptr<KeyBook>, Access access, const events::Clock&, FrontDoorLimits limits = {});
  ~FrontDoor();
  FrontDoor(const FrontDoor&) = delete;
  FrontDoor& operator=(const FrontDoor&) = delete;

  /// Listens on HOST:PORT, as HttpServer::open does. Empty, or a sentence why not.
  [[nodiscard]] std::string listen(const std::string& address,
                                   std::shared_ptr<const adapters::TlsCertificate> = nullptr);
  /// For requests from now on. Streams that are open go on. Any thread may call it.
  void set_access(Access);
  /// In Prometheus's text format. `begun`: when the process began. Any thread.
  [[nodiscard]] std::string metrics(events::Timestamp begun) const;
  [[nodiscard]] std::string address() const { return server_ ? server_->address() : std::string(); }

 private:
  /// Who asks and may do so; none: `refused` is its answer. A batch counts as so many requests.
  [[nodiscard]] std::optional<Caller> admit(const adapters::HttpRequest&, adapters::HttpAnswer& refused,
                                            std::size_t requests = 1);
  void command(adapters::HttpRequest&&, const adapters::HttpReply&);
  void cloudevent(adapters::HttpRequest&&, const adapters::HttpReply&);
  void batch(const adapters::HttpRequest&, const adapters::HttpReply&);
  void send(const adapters::HttpRequest&, OutgoingCommand&&, const adapters::HttpReply&);
  /// Why the caller cannot send it. None: it is ready to be appended, and its source is the caller's own, so that
  /// nobody can repeat, or pretend to be, another one.
  [[nodiscard]] std::optional<adapters::HttpAnswer> made_ready(const Caller&, OutgoingCommand&);
  void append(OutgoingCommand&&, events::Millis wait, adapters::HttpReply);
  /// How long a request waits, and its reply, which keeps the caller's place until then. 0: it does not ask for it, or
  /// the caller has no place left.
  std::pair<events::Millis, adapters::HttpReply> awaited(const Caller&, const adapters::HttpRequest&,
                                                         const adapters::HttpReply&);
  void stream(const adapters::HttpRequest&, const adapters::HttpReply&);
  [[nodiscard]] adapters::HttpAnswer cart(const adapters::HttpRequest&);

  std::mutex access_mutex_;
  std::shared_ptr<const Access> access_;
  RateLimit rate_limit_;
  WaitingRequests waiting_;
  FrontMetrics metrics_;
  const FrontDoorLimits limits_;
  const std::unique_ptr<events::LogClient> history_;  // the thread that answers in turn
  CommandCheck check_;                                // the server's thread
  KeyedExchange exchange_;
  EventFeed feed_;
  std::unique_ptr<adapters::HttpServer> server_;  // last: what asks the others ends first
};

}  // namespace mayfly::tools
