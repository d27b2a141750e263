// What a log on Kafka counts and measures. Thread-safe.
#pragma once

#include "events/log/log.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

namespace mayfly::adapters::kafka {

class KafkaFigures {
 public:
  void committed(events::CommitOutcome, std::chrono::microseconds took);
  void rebalanced() { ++rebalances_; }
  void tick_failed() { ++tick_failures_; }
  /// Of a partition that is ours, as of now. What lies behind its stable offset is pending, and both are known once its
  /// end was seen.
  void ours(const events::PartitionFigures&);
  void not_ours(events::Partition);
  [[nodiscard]] events::LogFigures all() const;

 private:
  using Times = events::TransactionTimes;
  std::array<std::atomic<std::int64_t>, 5> outcomes_{};
  std::array<std::atomic<std::int64_t>, Times::bounds_ms.size()> within_{};
  std::atomic<std::int64_t> transaction_us_{0};
  std::atomic<std::int64_t> longest_us_{0};
  std::atomic<std::int64_t> rebalances_{0};
  std::atomic<std::int64_t> tick_failures_{0};
  mutable std::mutex mutex_;
  std::map<events::Partition, events::PartitionFigures> ours_;
};

}  // namespace mayfly::adapters::kafka
