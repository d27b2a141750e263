// What the hostile connectors do how often, and the one source of chance of a run.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <random>

namespace mayfly::hostile {

/// Percent of what is asked or answered.
struct Rates {
  int silence = 10;       // half of it: never done; half: done, and the answer is lost
  int duplicate = 10;     // an answer comes again, later, under another id
  int after_end = 5;      // an answer comes hours late, mostly after the cart's end
  int wrong_amount = 5;   // more or less is done than was asked for, and said so
  int decline = 8;        // of authorizations; as many reservations are rejected
  int auto_capture = 4;   // authorization takes the money at once
  int pending = 6;        // authorization comes later, or needs the buyer
  int capture_fails = 6;  // half of them may be tried again
  int crossing = 6;       // carts that the shop cancels while their checkout runs
};

class Chance {
 public:
  Chance(std::uint64_t seed, std::int64_t faster) : random_(seed), faster_(faster) {}
  [[nodiscard]] bool percent(int of) { return static_cast<int>(random_() % 100) < of; }
  /// 0 .. below - 1
  [[nodiscard]] std::int64_t below(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }
  /// A length of time between the two, in the run's scale.
  [[nodiscard]] events::Millis between(events::Millis least, events::Millis most) {
    return {(least.count + below(most.count - least.count + 1)) / faster_};
  }

 private:
  std::mt19937_64 random_;
  std::int64_t faster_;  // all times are divided by it: runs on a wall clock
};

}  // namespace mayfly::hostile
