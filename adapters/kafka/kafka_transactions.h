// The engine's transactional producer: one transaction per batch, every call with a limit of its own. A producer whose
// state is in doubt is thrown away and made anew, which ends whatever it left open. One thread at a time.
#pragma once

#include "adapters/kafka/kafka_error.h"
#include "adapters/kafka/kafka_settings.h"
#include "events/log/log.h"

#include <array>
#include <chrono>
#include <memory>

namespace mayfly::adapters::kafka {

class Transactions {
 public:
  Transactions(KafkaOptions options, Identity identity)
      : given_(std::move(options)), options_(given_), identity_(std::move(identity)) {}

  /// Between two transactions. A producer whose batches are bounded otherwise is thrown away.
  void bound_batches(std::size_t most_bytes);
  /// Makes the producer if there is none, fencing every earlier one of this name and ending its transaction.
  Error begin_anew_if_needed();
  /// One transaction: the records, and the positions as the group's. Blocks until its outcome is known or given up on.
  events::CommitResult run(const events::Commit&, const rd_kafka_consumer_group_metadata_t&);
  /// True once after a broker refused a batch of the last transaction as larger than its topic takes.
  bool take_too_large() { return listener_.take_too_large(); }
  /// Hears what the producer has to say. Call now and then: it is kept until then.
  void serve() {
    if (client_) rd_kafka_poll(client_.get(), 0);
  }

 private:
  using Until = std::chrono::steady_clock::time_point;
  Error write(const events::Commit&, const rd_kafka_consumer_group_metadata_t&, Until);
  Error produce(const events::NewRecord&, Until);
  Error send_positions(const events::Commit&, const rd_kafka_consumer_group_metadata_t&, Until);
  Error flush(Until);
  events::CommitResult finish(Until);
  events::CommitResult give_up(const Error&);
  void throw_away();
  [[nodiscard]] events::CommitResult result(events::CommitOutcome, const Error&) const;

  KafkaOptions given_;
  KafkaOptions options_;  // with batches bounded
  Identity identity_;
  Listener listener_;
  Client client_;
  std::array<Topic, events::stream_count> topics_;
};

}  // namespace mayfly::adapters::kafka
