// The one source of chance of a simulated history: the same seed gives the same history.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::sim {

/// splitmix64.
class Chance {
 public:
  /// Of neighbouring seeds the numbers have nothing in common: a state that is the seed times the step would make each
  /// seed's numbers those of the seed before, one on.
  explicit Chance(std::uint64_t seed) : state_(seed) { state_ = next(); }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  /// True in so many of a thousand cases.
  bool permille(std::uint64_t n) { return next() % 1'000 < n; }

 private:
  std::uint64_t state_;
};

}  // namespace mayfly::sim
