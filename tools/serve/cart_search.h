// The page's search: the cart that an id is of, as it is and by its events, as one JSON object.
#pragma once

#include "events/log/log.h"

#include <cstddef>
#include <string>

namespace mayfly::tools {

inline constexpr std::size_t most_search_id_bytes = 256;
inline constexpr std::size_t most_search_events = 500;  // of one cart, the newest
inline constexpr std::size_t most_search_carts = 20;    // that one id may lead to

struct SearchAnswer {
  events::LogStatus status;  // not ok: the log was not read to its end, `message` says why
  std::string json;
};

/// A cart's, order's, session's or reservation's id is read off the id itself; any other (a provider's reference, a
/// customer's, a correlation id) is looked for in all commands. Tokens of payment providers are left out.
[[nodiscard]] SearchAnswer search_cart(events::LogClient&, const std::string& id);

}  // namespace mayfly::tools
