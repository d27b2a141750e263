// The first outage: a cart keeps data that nobody needs.
#include "actors/cart/cart_actor.h"
#include "actors/cart/cart_maker.h"
#include "actors/outages/outages.h"

#include <caf/all.hpp>

#include <string>
#include <vector>

namespace mayfly::actors {

namespace {

class KeepingCart final : public CartActor {
 public:
  KeepingCart(caf::actor_config& config, Environment& environment, const caf::actor& supervisor, std::string_view id,
              std::string_view cart, std::string_view session, const Bug& bug)
      : CartActor(config, environment, supervisor, id, cart, session), bug_(bug), kept_(lines_memory()) {}

 private:
  void decided() override {
    if (bug_.in_service) kept_.emplace_back(static_cast<std::size_t>(bug_.bytes), ' ');
  }

  const Bug& bug_;
  std::pmr::vector<std::pmr::string> kept_;  // in the cart's own memory, and in nobody's books
};

class KeepingCarts final : public CartMaker {
 public:
  explicit KeepingCarts(const Bug& bug) : bug_(bug) {}
  caf::actor make(caf::event_based_actor& supervisor, Environment& environment, std::string_view id,
                  std::string_view cart, std::string_view session) override {
    return supervisor.spawn<KeepingCart, caf::monitored + caf::lazy_init>(
        std::ref(environment), caf::actor_cast<caf::actor>(&supervisor), id, cart, session, std::cref(bug_));
  }

 private:
  const Bug& bug_;
};

}  // namespace

MakesCarts carts_that_keep_data(const Bug& bug) {
  return [&bug] { return std::make_shared<KeepingCarts>(bug); };
}

}  // namespace mayfly::actors
