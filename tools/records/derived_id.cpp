#include "tools/records/derived_id.h"

#include "events/rules/identity.h"

#include <string_view>

namespace mayfly::tools {

std::vector<DerivedId> readings_of(const std::string& id) {
  using Kind = DerivedId::Kind;
  std::vector<DerivedId> readings;
  if (events::is_cart_id(id)) readings.push_back({Kind::cart, id, 0});
  constexpr std::string_view order = "o-";
  if (id.starts_with(order) && events::is_cart_id(id.substr(order.size()))) {
    readings.push_back({Kind::order, id.substr(order.size()), 0});
  }
  const auto dash = id.rfind('-');
  if (dash == std::string::npos || !events::is_cart_id(id.substr(0, dash))) return readings;
  const auto cart = id.substr(0, dash);
  if (const auto number = events::session_number(id, cart)) readings.push_back({Kind::session, cart, number});
  if (const auto number = events::reservation_number(id, cart)) readings.push_back({Kind::reservation, cart, number});
  return readings;
}

}  // namespace mayfly::tools
