// The line before a payment provider that has so many connections and no more: a session needs one for its requests,
// has it until its actor ends, and waits where none is free. A function of what it is told; any thread may tell it of
// actors.
#pragma once

#include "actors/outages/outages.h"
#include "tools/reenact/plan.h"
#include "tools/simulate/request.h"

#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mayfly::tools {

class ProviderLine final : public actors::SessionWatch {
 public:
  explicit ProviderLine(const ConnectionLimits& limits) : limits_(limits) {}

  void began(const std::string& session) override;
  /// Its connection is free.
  void ended(const std::string& session) override;

  /// A request of a session, the data's `session_id`. Its turn comes by `next`.
  void ask(const ConnectorRequest&, events::Timestamp now);
  struct Turn {
    ConnectorRequest request;
    bool connected = false;  // false: it waited for the longest time, and the provider never hears of it
  };
  /// The next that has its turn at `now`; none when all that are left must wait. Only authorizations are given up: a
  /// session that is known to the provider is waited for.
  std::optional<Turn> next(events::Timestamp now);
  [[nodiscard]] std::int64_t taken() const;

 private:
  struct Session {
    int actors = 0;  // one, or two while a partition is renewed
    bool connected = false;
    std::list<std::string>::iterator use{};  // where it is connected
  };
  struct Waiting {
    ConnectorRequest request;
    events::Timestamp since;
  };
  bool connect(const std::string& session, events::Timestamp now);
  bool hang_up_one(events::Timestamp now);

  const ConnectionLimits limits_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Session> sessions_;  // that have an actor
  std::list<std::string> uses_;                        // connected sessions, the one that is idle for longest first
  std::deque<Waiting> waiting_;
  double next_hang_up_ms_ = 0;
};

}  // namespace mayfly::tools
