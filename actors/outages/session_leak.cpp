// The second outage: a payment session is not ended after its transaction.
#include "actors/cart/cart_actor.h"
#include "actors/cart/cart_maker.h"
#include "actors/cart/session_actor.h"
#include "actors/outages/outages.h"
#include "events/rules/identity.h"

#include <caf/all.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::actors {

namespace {

/// A session with a connection of its own to the provider.
class ConnectedSession final : public SessionActor {
 public:
  ConnectedSession(caf::actor_config& config, Environment& environment, const caf::actor& cart,
                   const events::Session& session, std::string id, std::int64_t connection_bytes, SessionWatch& watch)
      : SessionActor(config, environment, cart, session),
        id_(std::move(id)),
        connection_(static_cast<std::size_t>(connection_bytes), ' '),
        watch_(watch) {
    also_takes(size_class(connection_bytes + 1));
    watch_.began(id_);
  }
  ~ConnectedSession() override { watch_.ended(id_); }

 private:
  const std::string id_;
  std::string connection_;
  SessionWatch& watch_;
};

/// A partition's list of sessions, from which none is ever removed: their actors live as long as the list.
class SessionList {
 public:
  void add(caf::actor session) {
    const std::scoped_lock lock(mutex_);
    sessions_.push_back(std::move(session));
  }

 private:
  std::mutex mutex_;
  std::vector<caf::actor> sessions_;
};

class ForgetfulCart final : public CartActor {
 public:
  ForgetfulCart(caf::actor_config& config, Environment& environment, const caf::actor& supervisor, std::string_view id,
                std::string_view cart, std::string_view session, const Bug& bug, SessionWatch& watch,
                std::shared_ptr<SessionList> list)
      : CartActor(config, environment, supervisor, id, cart, session),
        id_(id),
        bug_(bug),
        watch_(watch),
        list_(std::move(list)) {}

 private:
  caf::actor make_session(const events::Session& session) override {
    return spawn<ConnectedSession, caf::monitored + caf::lazy_init>(
        std::ref(environment()), caf::actor_cast<caf::actor>(this), session,
        std::string(events::session_id(id_, session.number)), bug_.bytes, std::ref(watch_));
  }
  void end_session(const caf::actor& session) override {
    if (!bug_.in_service) return CartActor::end_session(session);
    list_->add(session);
  }

  const std::string id_;
  const Bug& bug_;
  SessionWatch& watch_;
  std::shared_ptr<SessionList> list_;
};

class ForgetfulCarts final : public CartMaker {
 public:
  ForgetfulCarts(const Bug& bug, SessionWatch& watch) : bug_(bug), watch_(watch) {}
  caf::actor make(caf::event_based_actor& supervisor, Environment& environment, std::string_view id,
                  std::string_view cart, std::string_view session) override {
    return supervisor.spawn<ForgetfulCart, caf::monitored + caf::lazy_init>(
        std::ref(environment), caf::actor_cast<caf::actor>(&supervisor), id, cart, session, std::cref(bug_),
        std::ref(watch_), list_);
  }

 private:
  const Bug& bug_;
  SessionWatch& watch_;
  std::shared_ptr<SessionList> list_ = std::make_shared<SessionList>();
};

}  // namespace

MakesCarts sessions_that_do_not_end(const Bug& bug, SessionWatch& watch) {
  return [&bug, &watch] { return std::make_shared<ForgetfulCarts>(bug, watch); };
}

}  // namespace mayfly::actors
