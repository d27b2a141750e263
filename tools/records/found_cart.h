// Finds the cart that an id is of: the cart's own, its order's, a payment session's or a reservation's.
#pragma once

#include "events/log/log.h"
#include "tools/records/derived_id.h"
#include "tools/records/inspected_cart.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <string>

namespace mayfly::tools {

struct FoundCart {
  DerivedId reading;
  InspectedCart cart;
  std::deque<std::string> events;   // as `as_text` made them, oldest first
  std::size_t events_left_out = 0;  // older ones
  bool has_it = false;              // the cart has the order, session or reservation, or is known where it was named
  std::string near_by;              // a cart that is there, without what was asked for
};

/// At most `most_events` are kept, the newest. `has_it` is false where the log has nothing of that id. Stops at a state
/// record that cannot be read: `cart.unreadable`.
events::LogStatus find_cart(events::LogClient&, const std::string& id, std::size_t most_events,
                            const std::function<std::string(const events::Record&)>& as_text, FoundCart&);

/// "order_id", "session_id" or "reservation_id"; empty for a cart.
[[nodiscard]] const char* member_of(DerivedId::Kind);
/// "cart", "order", "payment session" or "reservation".
[[nodiscard]] const char* noun(DerivedId::Kind);
/// What the id is of the cart, as in "c1-p2 is payment session 2 of this cart"; empty for the cart's own.
[[nodiscard]] std::string relation(const FoundCart&, const std::string& id);

}  // namespace mayfly::tools
