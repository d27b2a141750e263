#include "tools/front_door/waiting_requests.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>

using mayfly::tools::WaitingRequests;

TEST_CASE("each caller has so many places, and one that is let go of is free again, however late") {
  std::optional<WaitingRequests> waiting(std::in_place);
  auto first = waiting->place("web", 2);
  const auto second = waiting->place("web", 2);
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(waiting->place("web", 2));
  CHECK(waiting->place("pay", 1));  // let go of at once
  CHECK(waiting->place("pay", 1));
  CHECK_FALSE(waiting->place("nobody", 0));
  first.reset();
  first = waiting->place("web", 2);
  CHECK(first);
  CHECK_FALSE(waiting->place("web", 2));
  waiting.reset();
  first.reset();
}
