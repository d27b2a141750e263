// What a log on Kafka counts and measures. Thread-safe.
#pragma once

#include "events/log/log.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace mayfly::adapters::kafka {

class KafkaFigures {
 public:
  void committed(events::CommitOutcome, std::chrono::microseconds took);
  void rebalanced() { ++rebalances_; }
  void tick_failed() { ++tick_failures_; }
  /// What is still to be read of a partition; and once its end was seen, the offset of that and what lies behind it in
  /// transactions that have not ended.
  struct Lag {
    std::int64_t records = 0;
    std::int64_t pending_records = 0;
    std::optional<events::Offset> stable_offset;
  };
  void lag(events::Partition, const Lag&);
  void not_ours(events::Partition);
  [[nodiscard]] std::vector<events::LogFigure> list() const;

 private:
  static constexpr std::array<std::int64_t, 7> bounds_ms = {10, 25, 50, 100, 250, 1000, 5000};
  std::array<std::atomic<std::int64_t>, 5> outcomes_{};
  std::array<std::atomic<std::int64_t>, bounds_ms.size()> within_{};
  std::atomic<std::int64_t> transaction_us_{0};
  std::atomic<std::int64_t> longest_us_{0};
  std::atomic<std::int64_t> rebalances_{0};
  std::atomic<std::int64_t> tick_failures_{0};
  mutable std::mutex mutex_;
  std::map<events::Partition, Lag> lags_;
};

}  // namespace mayfly::adapters::kafka
