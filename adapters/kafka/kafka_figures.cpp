#include "adapters/kafka/kafka_figures.h"

#include <algorithm>

namespace mayfly::adapters::kafka {

using events::CommitOutcome;

void KafkaFigures::committed(CommitOutcome outcome, std::chrono::microseconds took) {
  ++outcomes_[static_cast<std::size_t>(outcome)];
  if (outcome != CommitOutcome::committed) return;
  transaction_us_ += took.count();
  longest_us_ = std::max<std::int64_t>(longest_us_, took.count());
  for (std::size_t i = 0; i < within_.size(); ++i) {
    if (took <= std::chrono::milliseconds(Times::bounds_ms[i])) ++within_[i];
  }
}

void KafkaFigures::ours(const events::PartitionFigures& figures) {
  std::scoped_lock lock(mutex_);
  ours_[figures.partition] = figures;
}

void KafkaFigures::not_ours(events::Partition partition) {
  std::scoped_lock lock(mutex_);
  ours_.erase(partition);
}

events::LogFigures KafkaFigures::all() const {
  const auto ended = [this](CommitOutcome outcome) { return outcomes_[static_cast<std::size_t>(outcome)].load(); };
  events::LogFigures all;
  auto& broker = all.broker.emplace();
  broker.committed = ended(CommitOutcome::committed);
  broker.aborted = ended(CommitOutcome::aborted);
  broker.indefinite = ended(CommitOutcome::indefinite);
  broker.fenced = ended(CommitOutcome::fenced);
  broker.failed = ended(CommitOutcome::failed);
  std::ranges::copy(within_, broker.times.within.begin());
  broker.times.sum_us = transaction_us_;
  broker.times.longest_us = longest_us_;
  broker.rebalances = rebalances_;
  broker.ticks_failed = tick_failures_;
  std::scoped_lock lock(mutex_);
  for (const auto& [partition, figures] : ours_) all.partitions.push_back(figures);
  return all;
}

}  // namespace mayfly::adapters::kafka
