// What a log says of one cart: its newest state record, how it ended, what waits undecided.
#pragma once

#include "events/log/log.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>

namespace mayfly::tools {

struct InspectedCart {
  nlohmann::json state;    // as `inspect --json` prints it, without the events
  std::string unreadable;  // what of the state record cannot be read; empty: nothing
  bool said_anything = false;

  /// False where the log has nothing of a cart of that id.
  [[nodiscard]] bool known() const;
};

/// Calls back for each event of the cart, in order.
events::LogStatus inspect_cart(events::LogClient&, const std::string& cart, InspectedCart&,
                               const std::function<void(const events::Record&)>& each_event);

}  // namespace mayfly::tools
