// What the front door answers about one cart, read from the log for each request.
#pragma once

#include "adapters/http/http.h"
#include "events/log/log.h"

#include <string>
#include <string_view>

namespace mayfly::tools {

/// The cart as it is, where that was read and an ETag; 304 where `if_none_match` has that ETag. 404 if the log knows
/// nothing of it.
[[nodiscard]] adapters::HttpAnswer cart_now(events::LogClient&, const std::string& cart,
                                            std::string_view if_none_match);

/// The cart's events that the log still holds, oldest first.
[[nodiscard]] adapters::HttpAnswer cart_events(events::LogClient&, const std::string& cart);

}  // namespace mayfly::tools
