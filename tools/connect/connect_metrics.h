// What a running connector shows at /metrics (docs/metrics.md).
#pragma once

#include "events/log/types.h"
#include "tools/connect/delivery.h"

#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// Deliveries by name.
using DeliveryFigures = std::vector<std::pair<std::string, Delivery::Figures>>;

/// In Prometheus's text format. `begun`: when the process began.
[[nodiscard]] std::string connect_metrics(const DeliveryFigures&, events::Timestamp begun, events::Timestamp now);

}  // namespace mayfly::tools
