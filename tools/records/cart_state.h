// What the log knows of one cart: its newest state record, and how it ended.
#pragma once

#include "events/log/log.h"

#include <nlohmann/json.hpp>

#include <string>

namespace mayfly::tools {

struct CartState {
  events::LogStatus status;
  /// cart and state (active, reserving, paying, ended or unknown); of an open cart everything else that its record has.
  nlohmann::json state;
  std::string unreadable;           // not empty: why its record cannot be read
  events::Position at{-1, -1};      // of the record in the stream of state; partition -1: there is none
  events::Offset next_command = 0;  // of the cart's partition: commands before it are decided
};

/// Reads the state of the cart's partition from its begin.
[[nodiscard]] CartState read_cart_state(events::LogClient&, const std::string& cart);

/// How the cart ended, and why, as the event says that ended it; false for any other event.
bool read_ending(const events::Record&, nlohmann::json& state);

}  // namespace mayfly::tools
