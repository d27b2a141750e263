#include "tools/console/shown_metrics.h"

#include <utility>

namespace mayfly::tools {

std::unique_ptr<adapters::HttpServer> show_metrics(const std::string& address, std::function<std::string()> metrics,
                                                   std::string& wrong) {
  using enum adapters::HttpRoute::When;
  adapters::HttpRoutes routes;
  routes.push_back({"GET", "/livez",
                    [](const adapters::HttpRequest&) {
                      return adapters::HttpAnswer{200, "text/plain", "alive\n"};
                    },
                    at_once});
  routes.push_back({"GET", "/metrics",
                    [metrics = std::move(metrics)](const adapters::HttpRequest&) {
                      return adapters::HttpAnswer{200, "text/plain; version=0.0.4; charset=utf-8", metrics()};
                    },
                    in_turn});
  return adapters::HttpServer::open(address, std::move(routes), {}, wrong);
}

}  // namespace mayfly::tools
