// The seed of random tests: printed, and taken from MAYFLY_SEED where that is set.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace mayfly::tests {

inline std::mt19937_64 seeded() {
  const char* given = std::getenv("MAYFLY_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  MESSAGE("MAYFLY_SEED=", seed);
  return std::mt19937_64(seed);
}

}  // namespace mayfly::tests
