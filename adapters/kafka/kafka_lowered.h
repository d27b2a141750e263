// Topics that take less than they did at the start, because an operator lowered their max.message.bytes under a running
// engine. One thread at a time: that of the transactions.
#pragma once

#include "adapters/kafka/kafka_options.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/kafka/kafka_transactions.h"
#include "events/log/log.h"

#include <chrono>

namespace mayfly::adapters::kafka {

class LoweredLimits {
 public:
  /// The options outlive it.
  explicit LoweredLimits(const KafkaOptions& options) : options_(options) {}

  /// After each transaction. Where a broker refused a batch of it as too large, the limits are read anew, batches of
  /// several records are bounded by them, and `result` names the first record that is larger by itself. Once they were
  /// raised again, which is looked for every 10 s, batches are as before. Any client; blocks while it asks.
  void heed(rd_kafka_t*, const Topics& at_start, Transactions&, const events::Commit&, events::CommitResult& result);

 private:
  const KafkaOptions& options_;
  bool lowered_ = false;
  std::chrono::steady_clock::time_point seen_;
};

}  // namespace mayfly::adapters::kafka
