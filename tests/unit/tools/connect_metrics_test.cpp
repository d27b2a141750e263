#include "tools/connect/connect_metrics.h"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;
using events::Timestamp;

TEST_CASE("metrics of a connector: outcomes, what waits, how far it is behind and how old the oldest is") {
  const tools::DeliveryFigures figures = {{"shop", {{7, 3, 1}, 2, 40, Timestamp{9'000}}}, {"idle", {}}};
  const auto text = tools::connect_metrics(figures, Timestamp{5'000}, Timestamp{11'500});
  for (const std::string line :
       {"mayfly_connect_deliveries_total{delivery=\"shop\",outcome=\"delivered\"} 7",
        "mayfly_connect_deliveries_total{delivery=\"shop\",outcome=\"failed\"} 3",
        "mayfly_connect_deliveries_total{delivery=\"shop\",outcome=\"parked\"} 1",
        "mayfly_connect_deliveries_total{delivery=\"idle\",outcome=\"parked\"} 0",
        "mayfly_connect_waiting_events{delivery=\"shop\"} 2", "mayfly_connect_lag_records{delivery=\"shop\"} 40",
        "mayfly_connect_oldest_seconds{delivery=\"shop\"} 2.5", "mayfly_connect_oldest_seconds{delivery=\"idle\"} 0",
        "process_start_time_seconds 5"}) {
    CAPTURE(line);
    CHECK(text.find("\n" + line) != std::string::npos);
  }
}
