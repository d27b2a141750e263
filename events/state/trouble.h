// What supervision remembers of a cart, in its state record: which commands killed its actor for good, and whether it
// is quarantined. Follows from the records alone (their dead letters), so that a replay comes to the same bytes.
#pragma once

#include "events/log/types.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace mayfly::events {

struct Trouble {
  static constexpr std::size_t most = 8;

  std::array<Timestamp, most> failed{};  // append times of the newest keeps_failing dead letters, ascending
  std::uint8_t failures = 0;             // how many of them are given
  Offset quarantined_by = no_offset;     // the first record that was dead-lettered as quarantined

  /// A command of the cart was dead-lettered as keeps_failing.
  void add_failure(Timestamp at) {
    if (failures == most) {
      if (at < failed[0]) return;
      std::copy(failed.begin() + 1, failed.end(), failed.begin());
      --failures;
    }
    std::size_t place = failures++;
    for (; place > 0 && at < failed[place - 1]; --place) failed[place] = failed[place - 1];
    failed[place] = at;
  }
  /// A command of the cart was dead-lettered as quarantined.
  void add_quarantined(Offset at) { quarantined_by = quarantined() ? std::min(quarantined_by, at) : at; }
  [[nodiscard]] std::int64_t failures_since(Timestamp time) const {
    return std::count_if(failed.begin(), failed.begin() + failures, [time](Timestamp at) { return at >= time; });
  }
  [[nodiscard]] bool quarantined() const { return quarantined_by != no_offset; }
  [[nodiscard]] bool none() const { return failures == 0 && !quarantined(); }
  bool operator==(const Trouble&) const = default;
};

}  // namespace mayfly::events
