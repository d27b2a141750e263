// Makes carts' actors in place of the ordinary ones, to play an outage again (actors/outages/, docs/outages.md).
#pragma once

#include "actors/cart/environment.h"

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include <string_view>

namespace mayfly::actors {

/// Each supervisor of a partition has its own. It lives as long as its supervisor and that one's carts.
class CartMaker {
 public:
  virtual ~CartMaker() = default;
  CartMaker() = default;
  CartMaker(const CartMaker&) = delete;
  CartMaker& operator=(const CartMaker&) = delete;

  /// As CartActor's constructor; monitored by the supervisor, begun by its first message.
  virtual caf::actor make(caf::event_based_actor& supervisor, Environment&, std::string_view id, std::string_view cart,
                          std::string_view session) = 0;
};

}  // namespace mayfly::actors
