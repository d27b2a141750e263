// One seed is one history: commands, time that jumps, actors that die at any step, commits that fail, engines that are
// killed and fenced, all on one thread. Then the recorded commands are decided once more undisturbed, and compared.
#pragma once

#include "engine/sim/books.h"
#include "engine/sim/stormy_log.h"

#include <cstdint>
#include <string>

namespace mayfly::sim {

struct Tally {
  std::int64_t commands = 0;
  std::int64_t events = 0;
  std::int64_t deaths = 0;
  std::int64_t dead_letters = 0;
  std::int64_t keeps_failing = 0;
  std::int64_t quarantined = 0;
  std::int64_t rebuilds = 0;
  std::int64_t renewals = 0;
  std::int64_t engines = 0;
  Merges merges;
};

/// What is wrong with the seed's history, a sentence; empty if nothing is. Adds to the tally.
[[nodiscard]] std::string simulate(std::uint64_t seed, Bug, Tally&);

}  // namespace mayfly::sim
