#include "actors/partition/unmatched_alerts.h"

#include <doctest/doctest.h>

namespace mayfly::actors {

TEST_CASE("of unmatched replies the first is an alert at once, the others one an hour with count and sum") {
  UnmatchedAlerts alerts;
  const auto first = alerts.note("GBP", 5, {1'000});
  REQUIRE(first);
  CHECK(first->find(": 1, in minor units GBP 5.") != std::string::npos);
  CHECK_FALSE(alerts.note("GBP", 7, {2'000}));
  CHECK_FALSE(alerts.note("EUR", 1, {3'600'999}));
  const auto hour = alerts.note("GBP", 1, {3'601'000});
  REQUIRE(hour);
  CHECK(hour->find(": 3, in minor units EUR 1 GBP 8.") != std::string::npos);
  CHECK_FALSE(alerts.note("GBP", 1, {3'601'001}));
}

}  // namespace mayfly::actors
