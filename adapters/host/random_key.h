// A key that nobody can guess, from the system's source of random numbers.
#pragma once

#include "events/rules/identity.h"

#include <algorithm>
#include <random>

namespace mayfly::adapters {

[[nodiscard]] inline events::HashKey random_key() {
  std::random_device system;
  events::HashKey key{};
  std::generate(key.begin(), key.end(), [&system] { return static_cast<unsigned char>(system() & 0xffU); });
  return key;
}

}  // namespace mayfly::adapters
