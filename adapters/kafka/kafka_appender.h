// A plain idempotent producer, outside transactions: commands of clients, clock ticks of the engine. One thread at a
// time.
#pragma once

#include "adapters/kafka/kafka_error.h"
#include "adapters/kafka/kafka_settings.h"
#include "events/log/log.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace mayfly::adapters::kafka {

class Appender final : public Listener {
 public:
  /// How long a record is kept that no broker takes: for as long as one answer may take, or as long as this lives.
  enum class Keeps : std::uint8_t { request_limit, for_ever };
  explicit Appender(const KafkaOptions& options, Keeps keeps = Keeps::request_limit, events::Millis idle = {10'000})
      : options_(options), keeps_(keeps), idle_(idle.count) {}
  ~Appender() override;

  /// Before anything is written.
  void bound_batches(std::size_t most_bytes) { kafka::bound_batches(options_, most_bytes); }
  /// Appends and waits until all are stored. Some may be even if the status is not ok.
  events::Appended append(std::span<const events::NewRecord>);
  /// Appends without waiting. What became of earlier ones is told then: the first failure since the last call.
  Error send(const events::NewRecord&);
  /// Hears what the producer has to say. Call now and then: it is kept until then. One that has sent all it was given
  /// and has had nothing to do for `idle` ends, because librdkafka's clients take of a processor even then; the next
  /// append makes another.
  void serve();
  [[nodiscard]] bool has_producer() const { return client_ != nullptr; }

 private:
  void delivered(const rd_kafka_message_t&) override;
  [[nodiscard]] bool of_no_more_use() const;
  Error begin_anew_if_needed();
  Error produce(const events::NewRecord&, events::Position* at);
  Error take_failure();
  void throw_away();

  KafkaOptions options_;
  Keeps keeps_;
  std::chrono::milliseconds idle_;
  std::chrono::steady_clock::time_point used_;  // last
  std::mutex mutex_;                            // guards failure_: deliveries are told in whichever thread polls
  Error failure_;
  Client client_;
  std::array<Topic, events::stream_count> topics_;
};

}  // namespace mayfly::adapters::kafka
