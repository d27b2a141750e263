#include "adapters/kafka/kafka_figures.h"

#include <algorithm>
#include <string_view>

namespace mayfly::adapters::kafka {

using events::CommitOutcome;
using events::LogFigure;

void KafkaFigures::committed(CommitOutcome outcome, std::chrono::microseconds took) {
  ++outcomes_[static_cast<std::size_t>(outcome)];
  if (outcome != CommitOutcome::committed) return;
  transaction_us_ += took.count();
  longest_us_ = std::max<std::int64_t>(longest_us_, took.count());
  for (std::size_t i = 0; i < bounds_ms.size(); ++i) {
    if (took <= std::chrono::milliseconds(bounds_ms[i])) ++within_[i];
  }
}

void KafkaFigures::lag(events::Partition partition, const Lag& lag) {
  std::scoped_lock lock(mutex_);
  lags_[partition] = lag;
}

void KafkaFigures::not_ours(events::Partition partition) {
  std::scoped_lock lock(mutex_);
  lags_.erase(partition);
}

std::vector<LogFigure> KafkaFigures::list() const {
  constexpr std::string_view outcome_names[] = {"transactions_committed", "transactions_aborted",
                                                "transactions_indefinite", "transactions_fenced",
                                                "transactions_failed"};
  constexpr std::string_view within_names[] = {"transactions_within_10_ms",  "transactions_within_25_ms",
                                               "transactions_within_50_ms",  "transactions_within_100_ms",
                                               "transactions_within_250_ms", "transactions_within_1000_ms",
                                               "transactions_within_5000_ms"};
  std::vector<LogFigure> all;
  const auto count = [&all](std::string_view name, std::int64_t value) {
    all.push_back({name, -1, static_cast<double>(value), true});
  };
  for (std::size_t i = 0; i < outcomes_.size(); ++i) count(outcome_names[i], outcomes_[i]);
  for (std::size_t i = 0; i < within_.size(); ++i) count(within_names[i], within_[i]);
  count("transactions_time_us", transaction_us_);
  count("rebalances", rebalances_);
  count("ticks_failed", tick_failures_);
  all.push_back({"transactions_longest_us", -1, static_cast<double>(longest_us_), false});
  std::scoped_lock lock(mutex_);
  for (const auto& [partition, lag] : lags_) {
    all.push_back({"lag_records", partition, static_cast<double>(lag.records), false});
    all.push_back({events::pending_records_figure, partition, static_cast<double>(lag.pending_records), false});
    if (!lag.stable_offset) continue;
    all.push_back({events::stable_offset_figure, partition, static_cast<double>(*lag.stable_offset), false});
  }
  return all;
}

}  // namespace mayfly::adapters::kafka
