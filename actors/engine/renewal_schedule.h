// When the next partition is to be renewed: each once per interval, one at a time, evenly spread, moved by chance so
// that engines begun together do not renew together. Chance moves only when, never what. No clock, no threads.
#pragma once

#include "events/log/types.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace mayfly::actors {

class RenewalSchedule {
 public:
  /// Interval 0: never. Jitter: 0 to 100 percent of the time to the next, both ways.
  RenewalSchedule(events::Millis interval, std::int64_t jitter_percent, std::uint64_t seed)
      : interval_(interval), jitter_percent_(jitter_percent), state_(seed) {}

  /// True when one of `partitions` is due; then the next one's time begins.
  bool due(events::Timestamp now, std::size_t partitions) {
    if (interval_.count <= 0 || partitions == 0) return false;
    if (next_ && now < *next_) return false;
    const bool is_due = next_.has_value();
    const auto share = interval_.count / static_cast<std::int64_t>(partitions);
    next_ = now + events::Millis{share + share * jitter_percent_ / 100 * chance() / 1000};
    return is_due;
  }

 private:
  /// -1,000 to 1,000 (SplitMix64).
  std::int64_t chance() {
    auto z = state_ += 0x9e37'79b9'7f4a'7c15;
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return static_cast<std::int64_t>((z ^ (z >> 31)) % 2001) - 1000;
  }

  events::Millis interval_;
  std::int64_t jitter_percent_;
  std::uint64_t state_;
  std::optional<events::Timestamp> next_;
};

}  // namespace mayfly::actors
