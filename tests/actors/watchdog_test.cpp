#include "actors/watchdog.h"

#include <doctest/doctest.h>

using mayfly::actors::Watchdog;

TEST_CASE("a loop that decides and does not move for so many looks is stuck, one that waits for the log is not") {
  Watchdog deciding(3);
  CHECK(!deciding.look({1, true}));
  CHECK(!deciding.look({1, true}));
  CHECK(!deciding.look({1, true}));
  CHECK(deciding.look({1, true}));
  Watchdog waiting(3);
  for (int i = 0; i < 10; ++i) CHECK(!waiting.look({1, false}));
}

TEST_CASE("a loop that moves again is not stuck any more, and looks are counted anew") {
  Watchdog watchdog(2);
  CHECK(!watchdog.look({1, true}));
  CHECK(!watchdog.look({1, true}));
  CHECK(watchdog.look({1, true}));
  CHECK(!watchdog.look({2, true}));
  CHECK(!watchdog.look({2, true}));
  CHECK(watchdog.look({2, true}));
}
