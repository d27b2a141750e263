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
      : options_(std::move(options)), identity_(std::move(identity)) {}

  /// Before anything is written.
  void bound_batches(std::size_t most_bytes) { kafka::bound_batches(options_, most_bytes); }
  /// Makes the producer if there is none, fencing every earlier one of this name and ending its transaction.
  Error begin_anew_if_needed();
  /// One transaction: the records, and the positions as the group's. Blocks until its outcome is known or given up on.
  events::CommitResult run(const events::Commit&, const rd_kafka_consumer_group_metadata_t&);
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

  KafkaOptions options_;
  Identity identity_;
  Listener listener_;
  Client client_;
  std::array<Topic, events::stream_count> topics_;
};

}  // namespace mayfly::adapters::kafka
