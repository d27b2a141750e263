// Actors with the bugs of two outages, for `mayfly reenact` alone (docs/outages.md): nothing else can make them, since
// no folder of actors/ stands above this one and no setting leads here. CAF does not show here.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace mayfly::actors {

class CartMaker;

/// A bug, as long as it is in service. Any thread.
struct Bug {
  std::atomic<bool> in_service{false};
  std::int64_t bytes = 0;  // that it takes each time
};

/// For EngineConfig::cart_maker; `bug` outlives the engine.
using MakesCarts = std::function<std::shared_ptr<CartMaker>()>;

/// At each command that a cart decides its actor keeps `bytes` more that nobody needs, until the actor ends.
[[nodiscard]] MakesCarts carts_that_keep_data(const Bug&);

/// Is told of the actors of sessions, each of which has a connection to the provider. Any thread.
class SessionWatch {
 public:
  virtual ~SessionWatch() = default;
  SessionWatch() = default;
  SessionWatch(const SessionWatch&) = delete;
  SessionWatch& operator=(const SessionWatch&) = delete;
  /// A session can have an actor again: when its cart was asleep, when its partition was renewed.
  virtual void began(const std::string& session) = 0;
  virtual void ended(const std::string& session) = 0;
};

/// Each session's actor has `bytes` of buffers, as a connection to a provider has. The bug: a cart does not end its
/// payment session when the transaction is over. The session's actor lives on, in a list of its partition's supervisor.
/// `watch` outlives the engine too.
[[nodiscard]] MakesCarts sessions_that_do_not_end(const Bug&, SessionWatch& watch);

}  // namespace mayfly::actors
