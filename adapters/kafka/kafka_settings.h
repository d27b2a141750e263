// How librdkafka's settings follow from ours, and what its clients have to say.
#pragma once

#include "adapters/kafka/kafka_handles.h"
#include "adapters/kafka/kafka_options.h"

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

namespace mayfly::adapters::kafka {

/// Hears what a client has to say. Outlives it. Errors and log lines come on any thread.
class Listener {
 public:
  Listener() = default;
  virtual ~Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual void rebalanced(rd_kafka_t*, rd_kafka_resp_err_t, const rd_kafka_topic_partition_list_t*) {}
  virtual void delivered(const rd_kafka_message_t&) {}

  void heard(const char* line);
  void doubt() { doubtful_ = true; }
  /// True once after something that lets it be doubted that a broker answers and that the topics are there.
  bool take_doubt() { return doubtful_.exchange(false); }
  void unproven() { unproven_ = true; }
  /// True once after a record was said to be delivered without the offset at which it stands. librdkafka believes so of
  /// one that was refused if a later one was taken. A broker that knew the producer would have refused that one too,
  /// but to a broker that does not know it (the topic is new, or its records and the producer's state have expired) any
  /// sequence number is the first. Such a record may be stored or not.
  bool take_unproven() { return unproven_.exchange(false); }
  void too_large() { too_large_ = true; }
  /// True once after a broker, or the library, refused a batch as larger than its topic takes.
  bool take_too_large() { return too_large_.exchange(false); }
  /// Of a transaction that can only be aborted by now. librdkafka tells of it in a line of its log and nowhere else
  /// before the commit is asked for.
  void fail_transaction() { failed_ = true; }
  void forget_transaction() { failed_ = false; }
  [[nodiscard]] bool transaction_failed() const { return failed_; }
  /// What was last said of a warning or worse.
  [[nodiscard]] std::string last_heard() const;

 private:
  mutable std::mutex mutex_;
  std::string last_;
  std::atomic<bool> doubtful_{false};
  std::atomic<bool> unproven_{false};
  std::atomic<bool> too_large_{false};
  std::atomic<bool> failed_{false};
};

/// Who a client is: this decides which settings it begins with and which must hold.
enum class Role : std::uint8_t { member, reader, group, transactional, appender, asker };

struct Identity {
  std::string group;             // of the engine
  std::string transactional_id;  // of the engine's instance
  std::string instance;
};
[[nodiscard]] Identity identity_of(std::string_view engine, const KafkaOptions&);

/// Batches of several records that its producers send take no more, however `batch.size` is set.
void bound_batches(KafkaOptions&, std::size_t most_bytes);

/// Readers of so many partitions hold no more than options.read_ahead_bytes of all of them that is not polled yet.
/// Precondition: partitions > 0.
void bound_read_ahead(KafkaOptions&, std::int32_t partitions);

/// A client of that role. Null with `status` set if its settings contradict each other.
[[nodiscard]] Client make_client(Role, const KafkaOptions&, const Identity&, Listener&, events::LogStatus& status);

/// The log's topics, by stream, as handles of a client that outlives them.
using StreamTopics = std::array<Topic, events::stream_count>;
[[nodiscard]] StreamTopics topics_at(rd_kafka_t*, const KafkaOptions&);

}  // namespace mayfly::adapters::kafka
