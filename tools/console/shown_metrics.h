// What a verb that serves shows to a supervisor and to Prometheus: GET /livez and GET /metrics. No login.
#pragma once

#include "adapters/http/http.h"

#include <functional>
#include <memory>
#include <string>

namespace mayfly::tools {

/// Listens on HOST:PORT. `metrics` makes the text, in the server's own thread, for as long as the server lives. Null
/// with a sentence in `wrong`.
[[nodiscard]] std::unique_ptr<adapters::HttpServer> show_metrics(const std::string& address,
                                                                 std::function<std::string()> metrics,
                                                                 std::string& wrong);

}  // namespace mayfly::tools
