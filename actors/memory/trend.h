// Whether a number keeps rising, seen through its noise: a leak's trend, and not a load's. A function of what it is
// given; time is in it.
//
// It looks at floors: the lowest value of each of eight windows in a row, because what is only in use comes down again
// between two batches and a leak does not. Windows come in scales, each twice as long as the one before, so that a fast
// leak is found in seconds and a slow one in hours, both by the same rule.
#pragma once

#include "events/log/types.h"

#include <array>
#include <cstdint>
#include <optional>

namespace mayfly::actors {

struct Rise {
  std::int64_t amount = 0;  // in the number's unit
  events::Millis within{};
};

class Trend {
 public:
  /// Windows of fewer looks than this are quick: perhaps none falls between two batches, so what rises must be
  /// `quick_factor` times as much. They are there for what would take all memory within a minute.
  static constexpr std::int64_t looks_per_window = 8;
  static constexpr std::int64_t quick_factor = 2;
  /// Eight floors in a row that rise have a chance of 1 to 40,320 where nothing rises.
  static constexpr std::size_t floors = 8;
  /// Windows of one look up to 2^19: with the usual 50 ms between looks a quarter of a day.
  static constexpr std::size_t scales = 20;
  /// Of the 28 pairs of floors so many may fall (Mann and Kendall's test, S >= 24: p < 0.001).
  static constexpr int most_falling_pairs = 2;
  /// Both halves must rise by so much of the whole: a step is no trend, and what fills up to its bound slows down.
  static constexpr std::int64_t least_half_percent = 25;
  static constexpr std::int64_t least_half_percent_quick = 35;

  /// A rise by `least` or more that does not slow down and goes beyond every floor before it: the largest of all
  /// scales.
  std::optional<Rise> add(events::Timestamp, std::int64_t value, std::int64_t least);
  /// Forgets all: growth so far had a good reason.
  void restart() { *this = Trend(); }

 private:
  struct Floor {
    events::Timestamp at{};  // of its window's last look
    std::int64_t value = 0;
  };
  struct Scale {
    std::array<Floor, floors> newest{};  // oldest first
    std::size_t size = 0;
    std::optional<std::int64_t> highest_before;
    std::optional<Floor> half;  // of the next scale's window
    void add(const Floor&);
    [[nodiscard]] std::optional<Rise> rise(std::int64_t half_percent) const;
  };
  std::array<Scale, scales> scales_{};
};

}  // namespace mayfly::actors
