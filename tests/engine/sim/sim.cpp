// Simulated histories, one per seed (docs/testing.md).
//   sim [SEEDS [FIRST]]      checks them; MAYFLY_SEED=n runs that one alone
//   sim --bug N [SEEDS]      with a planted bug: how many seeds until it is found; exits with 1 if it is not
#include "engine/sim/simulation.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

namespace mayfly::sim {
int planted_bug = 0;  // for the planted copies of actors' sources
}

using namespace mayfly::sim;

namespace {

constexpr unsigned longest_history_s = 20;
long long seed_now = 0;
int code_when_stuck = 1;

/// A history that never ends: an actor too many, or a message too few.
extern "C" void stuck(int) {
  char line[96];
  const int size = std::snprintf(line, sizeof line, "stuck: MAYFLY_SEED=%lld never ends\n", seed_now);
  static_cast<void>(!::write(1, line, static_cast<std::size_t>(size)));
  std::_Exit(code_when_stuck);
}

}  // namespace

int main(int argc, char** argv) {
  const bool planted = argc > 2 && std::string_view(argv[1]) == "--bug";
  const int bug = planted ? std::atoi(argv[2]) : 0;
  planted_bug = bug;
  code_when_stuck = planted ? 0 : 1;
  std::signal(SIGALRM, stuck);
  const int at = planted ? 3 : 1;
  long long seeds = argc > at ? std::atoll(argv[at]) : 1'000;
  long long first = argc > at + 1 ? std::atoll(argv[at + 1]) : 1;
  if (const char* given = std::getenv("MAYFLY_SEED")) {
    first = std::atoll(given);
    seeds = 1;
  }
  Tally tally;
  const auto begun = std::chrono::steady_clock::now();
  for (long long seed = first; seed < first + seeds; ++seed) {
    seed_now = seed;
    ::alarm(longest_history_s);
    std::string wrong;
    try {
      wrong = simulate(static_cast<std::uint64_t>(seed), static_cast<Bug>(bug), tally);
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    if (wrong.empty()) continue;
    std::printf("%s after %lld seeds: MAYFLY_SEED=%lld %s\n", planted ? "found" : "FAILED", seed - first + 1, seed,
                wrong.c_str());
    std::fflush(stdout);
    std::_Exit(planted ? 0 : 1);  // with a planted leak the actor system would wait for ever
  }
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf(
      "%lld seeds in %.1f s, %.2f ms each: %lld commands, %lld events, %lld deaths, %lld dead letters (%lld "
      "keeps_failing, %lld quarantined), "
      "%lld rebuilds, "
      "%lld renewals, %lld engines; %lld merges, %lld done, %lld doubled with an alert, %lld by dead letters\n",
      seeds, seconds, seconds * 1e3 / static_cast<double>(seeds), static_cast<long long>(tally.commands),
      static_cast<long long>(tally.events), static_cast<long long>(tally.deaths),
      static_cast<long long>(tally.dead_letters), static_cast<long long>(tally.keeps_failing),
      static_cast<long long>(tally.quarantined), static_cast<long long>(tally.rebuilds),
      static_cast<long long>(tally.renewals), static_cast<long long>(tally.engines),
      static_cast<long long>(tally.merges.offered), static_cast<long long>(tally.merges.merged),
      static_cast<long long>(tally.merges.twice), static_cast<long long>(tally.merges.aside));
  if (planted) return 1;
  if (seeds >= 1'000 && (tally.keeps_failing == 0 || tally.quarantined == 0)) {
    std::printf("FAILED: no dead letter keeps_failing or quarantined came up\n");
    return 1;
  }
  if (seeds >= 10'000 && tally.merges.twice == 0) {
    std::printf("FAILED: no merge came to an alert\n");
    return 1;
  }
  return 0;
}
