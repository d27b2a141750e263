// What a connector is asked: an event of the log whose type ends in _requested.
#pragma once

#include "events/log/record.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace mayfly::tools {

struct ConnectorRequest {
  std::string cart;
  std::string type;  // short: "payment.capture_requested"
  std::string id;    // of the event
  std::string correlation_id;
  events::Position at{};
  nlohmann::json data;
};

/// None where the record is no request, or where its data cannot be read.
[[nodiscard]] std::optional<ConnectorRequest> request_of(const events::Record&);

}  // namespace mayfly::tools
