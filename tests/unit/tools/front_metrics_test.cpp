#include "tools/front_door/front_metrics.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace mayfly;
using adapters::HttpAnswer;

TEST_CASE("metrics of a front door: requests by route and status, how long they took, why they were refused") {
  tools::FrontMetrics metrics;
  metrics.answered("GET /carts/{cart}", HttpAnswer{200, "application/json", "{}"}, std::chrono::milliseconds(2));
  metrics.answered("GET /carts/{cart}", HttpAnswer{404, "application/problem+json", R"({"title":"cart_unknown"})"},
                   std::chrono::seconds(60));
  metrics.answered("POST /events",
                   HttpAnswer{207, "application/json",
                              R"({"results":[{"status":200},{"title":"cart_ended"},{"title":"cart_ended"}]})"},
                   std::chrono::seconds(0));
  const auto text = "\n" + metrics.text({3, 5, 7, events::Timestamp{5'000}});
  for (const std::string line :
       {R"(mayfly_front_requests_total{route="GET /carts/{cart}",status="200"} 1)",
        R"(mayfly_front_requests_total{route="GET /carts/{cart}",status="404"} 1)",
        R"(mayfly_front_request_seconds_bucket{route="GET /carts/{cart}",le="0.001"} 0)",
        R"(mayfly_front_request_seconds_bucket{route="GET /carts/{cart}",le="0.002"} 1)",
        R"(mayfly_front_request_seconds_bucket{route="GET /carts/{cart}",le="30"} 1)",
        R"(mayfly_front_request_seconds_bucket{route="GET /carts/{cart}",le="+Inf"} 2)",
        R"(mayfly_front_request_seconds_count{route="GET /carts/{cart}"} 2)",
        R"(mayfly_front_refused_total{reason="cart_unknown"} 1)",
        R"(mayfly_front_refused_total{reason="cart_ended"} 2)", "mayfly_front_waiting_requests 0",
        "mayfly_front_streams_open 3", "mayfly_front_look_backs_total 5", "mayfly_front_keys 7",
        "process_start_time_seconds 5"}) {
    CAPTURE(line);
    CHECK(text.find("\n" + line + "\n") != std::string::npos);
  }
}

TEST_CASE("a request waits until its answer is given") {
  tools::FrontMetrics metrics;
  int given = 0;
  auto reply = metrics.counted("POST /events", [&](const HttpAnswer& answer) { given = answer.status; });
  CHECK(metrics.text({}).find("\nmayfly_front_waiting_requests 1\n") != std::string::npos);
  reply(HttpAnswer{202, "application/json", "{}"});
  reply = nullptr;
  CHECK(given == 202);
  CHECK(metrics.text({}).find("\nmayfly_front_waiting_requests 0\n") != std::string::npos);
  CHECK(metrics.text({}).find(R"(mayfly_front_requests_total{route="POST /events",status="202"} 1)") !=
        std::string::npos);
}
