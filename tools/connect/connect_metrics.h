// What a running connector shows: GET /livez and GET /metrics (docs/metrics.md). No login.
#pragma once

#include "adapters/http/http.h"
#include "events/log/types.h"
#include "tools/connect/delivery.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// Deliveries by name.
using DeliveryFigures = std::vector<std::pair<std::string, Delivery::Figures>>;

/// In Prometheus's text format. `begun`: when the process began.
[[nodiscard]] std::string connect_metrics(const DeliveryFigures&, events::Timestamp begun, events::Timestamp now);

/// Listens on HOST:PORT. `metrics` makes the text, in the server's own thread, for as long as the server lives. Null
/// with a sentence in `wrong`.
[[nodiscard]] std::unique_ptr<adapters::HttpServer> show_connect(const std::string& address,
                                                                 std::function<std::string()> metrics,
                                                                 std::string& wrong);

}  // namespace mayfly::tools
