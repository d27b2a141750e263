// How an engine was since it began, in a bounded number of samples: when all are in use, each two become one, so that
// a night costs as much memory as a minute. A function of what it is given; knows no engine and no clock.
#pragma once

#include "events/log/types.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// What memory was used for, in the groups that a chart can show. Together they are what is used of the budget.
enum class MemoryGroup : std::uint8_t { carts, sessions, partitions, log, codec, actors, other };
inline constexpr std::size_t memory_group_count = 7;
[[nodiscard]] std::string_view name(MemoryGroup);

struct HistorySample {
  events::Timestamp at{};
  // Levels. Of two samples the higher one is kept, so that a peak is never lost; -1: not known.
  std::array<std::int64_t, memory_group_count> memory_bytes{};  // all of one moment: that at which `used_bytes` was
  std::int64_t used_bytes = -1;
  std::int64_t carts_open = 0;
  std::int64_t carts_awake = 0;
  std::int64_t sessions_open = 0;
  std::int64_t sessions_awake = 0;
  std::int64_t lag_records = -1;
  std::int64_t slowest_us = -1;  // p99 of a command's age, by its histogram's bucket; -1: none was committed
  // Counted since the engine began. Of two samples the later one is kept.
  std::int64_t commands = 0;
  std::int64_t restarts = 0;
};

class History {
 public:
  static constexpr std::size_t capacity = 240;  // even, so that pairs fit
  static constexpr events::Millis first_step{1'000};

  /// A look at the engine, in the order of time. Looks within one step become one sample.
  void add(const HistorySample&);
  /// Oldest first; the last one may not have lasted its step yet.
  [[nodiscard]] std::vector<HistorySample> samples() const;
  /// How long a sample lasts now.
  [[nodiscard]] events::Millis step() const { return step_; }

 private:
  void halve();
  std::array<HistorySample, capacity> full_{};
  std::size_t size_ = 0;
  HistorySample open_{};
  bool is_open_ = false;
  events::Timestamp opened_{};  // of `open_`
  events::Millis step_ = first_step;
};

/// One JSON object, a list per figure (docs/operations.md, Watching).
[[nodiscard]] std::string to_json(const History&);

}  // namespace mayfly::tools
