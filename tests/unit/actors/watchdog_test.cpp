#include "actors/engine/watchdog.h"

#include <doctest/doctest.h>

using mayfly::actors::FlightRecorder;
using mayfly::actors::Pulse;
using mayfly::actors::Watchdog;

namespace {

bool stuck_after(Watchdog& watchdog, Pulse pulse) {
  watchdog.look(pulse);
  return watchdog.stuck();
}

std::optional<std::size_t> look(Watchdog& watchdog, std::vector<FlightRecorder::Thread> threads) {
  return watchdog.look(threads);
}

}  // namespace

TEST_CASE("a loop that decides and does not move for so many looks is stuck, one that waits for the log is not") {
  Watchdog deciding(3, 1000, 100);
  CHECK(!stuck_after(deciding, {1, true}));
  CHECK(!stuck_after(deciding, {1, true}));
  CHECK(!stuck_after(deciding, {1, true}));
  CHECK(stuck_after(deciding, {1, true}));
  Watchdog waiting(3, 1000, 100);
  for (int i = 0; i < 10; ++i) CHECK(!stuck_after(waiting, {1, false}));
}

TEST_CASE("a loop that moves again is not stuck any more, and looks are counted anew") {
  Watchdog watchdog(2, 1000, 100);
  CHECK(!stuck_after(watchdog, {1, true}));
  CHECK(!stuck_after(watchdog, {1, true}));
  CHECK(stuck_after(watchdog, {1, true}));
  CHECK(!stuck_after(watchdog, {2, true}));
  CHECK(!stuck_after(watchdog, {2, true}));
  CHECK(stuck_after(watchdog, {2, true}));
}

TEST_CASE("a log is silent after so many looks in a row at one write that has not returned, and no more when it has") {
  struct Look {
    std::uint64_t commits;
    std::uint64_t appends;
    bool silent;
  };
  const std::vector<Look> histories[] = {
      {{1, 0, false}, {1, 0, false}, {1, 0, true}, {1, 0, true}, {2, 0, false}, {3, 0, false}},
      {{2, 1, false}, {2, 1, false}, {2, 1, true}, {2, 2, false}},
      {{1, 0, false}, {3, 0, false}, {5, 0, false}, {7, 0, false}, {9, 0, false}},  // others each time
      {{2, 4, false}, {2, 4, false}, {2, 4, false}, {2, 4, false}},                 // none
      {{1, 0, false}, {1, 0, false}, {2, 1, false}, {2, 1, false}, {2, 1, true}},
  };
  for (const auto& history : histories) {
    Watchdog watchdog(100, 1000, 2);
    for (const auto& [commits, appends, silent] : history) {
      watchdog.look({1, false, {commits, appends}});
      CHECK(watchdog.log_silent() == silent);
    }
  }
}

TEST_CASE("a handler is over its limit when its thread has used more CPU time than that on one command") {
  Watchdog watchdog(100, 1000, 100);
  CHECK(!look(watchdog, {{1, 5000}}));
  CHECK(!look(watchdog, {{1, 6000}}));
  CHECK(look(watchdog, {{1, 6001}}) == 0);
}

TEST_CASE("no handler is blamed for CPU time of earlier commands, for time its thread did not run, or for resting") {
  Watchdog watchdog(100, 1000, 100);
  CHECK(!look(watchdog, {{1, 0}, {2, 0}}));
  CHECK(!look(watchdog, {{3, 5000}, {2, 5000}}));    // another command; no command
  CHECK(!look(watchdog, {{3, 5000}, {2, 10'000}}));  // the machine was stopped; still none
  CHECK(!look(watchdog, {{3, 6000}, {5, 20'000}}));  // exactly the limit; begun since
  CHECK(look(watchdog, {{3, 6000}, {5, 21'001}}) == 1);
}
