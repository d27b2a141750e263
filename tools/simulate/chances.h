// What simulated connectors do how often, and the chances by which they do it: all from one seed.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <random>
#include <string_view>

namespace mayfly::tools {

/// Percent of what is asked or answered, and how long answers take.
struct Rates {
  int silence = 0;        // half of it: never done; half: done, and the answer is lost
  int duplicate = 0;      // an answer comes again, later, under another id
  int late = 0;           // an answer comes after a minute to eight hours
  int slow = 0;           // an answer comes after 10 to 150 s
  int wrong_amount = 0;   // more or less is done than was asked for, and said so
  int decline = 0;        // of authorizations
  int out_of_stock = 0;   // of reservations
  int auto_capture = 0;   // authorization takes the money at once
  int pending = 0;        // authorization comes later, half of it when the buyer has done something
  int attempt_fails = 0;  // of those that need the buyer: the first attempt fails
  int capture_fails = 0;  // half of them may be tried again
  int dispute = 0;        // of captures: the buyer takes the money back through the bank, or tries to
  int refund_fails = 0;   // half of them may be tried again
  int extra = 0;          // of payments that may be more: the buyer adds something
  int never_settles = 0;  // of those that take days: the money comes after their time, if it can come then
  int told_again = 0;     // of those that take days: how they stand is told once more, unasked; nothing is lost of it
  events::Millis dispute_least{86'400'000};  // until it is opened, and as long again until it is decided
  events::Millis dispute_most{8 * 86'400'000};
  events::Millis quickest{20};
  events::Millis slowest{8'000};  // unless it is slow or late
};

class Chance {
 public:
  /// Every length of time is divided by `faster`.
  Chance(std::uint64_t seed, std::int64_t faster) : seed_(seed), random_(seed), faster_(faster) {}
  /// What comes next depends on the seed and this text alone.
  void begin(std::string_view text) {
    constexpr std::uint64_t basis = 0xcbf29ce484222325;  // FNV-1a, 64 bits
    constexpr std::uint64_t prime = 0x100000001b3;
    auto hash = basis ^ seed_ * prime;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    random_.seed(hash);
  }
  [[nodiscard]] bool percent(int of) { return static_cast<int>(random_() % 100) < of; }
  /// 0 .. below - 1
  [[nodiscard]] std::int64_t below(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }
  [[nodiscard]] events::Millis between(events::Millis least, events::Millis most) {
    return quick({least.count + below(most.count - least.count + 1)});
  }
  [[nodiscard]] events::Millis quick(events::Millis length) const { return {length.count / faster_}; }

 private:
  std::uint64_t seed_;
  std::mt19937_64 random_;
  std::int64_t faster_;
};

}  // namespace mayfly::tools
