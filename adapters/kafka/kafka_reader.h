// Reads committed records of single partitions, without any group: commands for the engine, state for a restore,
// anything for a client. One thread.
#pragma once

#include "adapters/kafka/kafka_batch_end.h"
#include "adapters/kafka/kafka_error.h"
#include "adapters/kafka/kafka_settings.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/kafka/kafka_waker.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace mayfly::adapters::kafka {

inline constexpr events::Offset from_the_beginning = RD_KAFKA_OFFSET_BEGINNING;

/// A partition that is being read; records that are fetched meanwhile wait in a queue of its own, so that none of an
/// earlier reading can be taken for one of this. Stops when destroyed.
class Lane {
 public:
  /// What is done with a batch that is whole and cannot be unpacked, for it comes to more than the client takes.
  enum class Unpackable : std::uint8_t { is_an_error, is_skipped };
  /// The waker and the listener outlive it; the listener hears when the topic is not known.
  Lane(Client, rd_kafka_topic_t*, events::Partition, events::Offset from, Unpackable, Waker&, Listener&);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Moves what has come into the batch, within the limits, which are reduced; a first record in any case. Never waits.
  void take(std::size_t& records, std::size_t& bytes, events::RecordBatch&);
  /// The offset after the last record taken, or after what is known to hold none.
  [[nodiscard]] events::Offset next() const { return next_; }
  /// All that was committed when last asked for was taken; more may have come since.
  [[nodiscard]] bool at_end() const { return end_seen_ == next_; }
  /// Where the partition ends with what is not committed; -1: not yet known.
  [[nodiscard]] events::Offset high_watermark() const;
  /// Has it given a record? Then what was read ahead may have been as much as librdkafka keeps.
  [[nodiscard]] bool has_given() const { return has_given_; }
  /// What reading cannot get over by itself, told once.
  [[nodiscard]] Error take_error() { return std::exchange(error_, {}); }
  /// What was skipped, told once.
  [[nodiscard]] std::optional<events::Skipped> take_skipped() { return std::exchange(skipped_, std::nullopt); }

 private:
  bool hold_more(std::size_t most);
  void begin(events::Offset);
  void let_go_of_held();
  [[nodiscard]] bool searches_on(const rd_kafka_message_t&);

  Client client_;
  rd_kafka_topic_t* topic_;
  events::Partition partition_;
  const Unpackable unpackable_;
  Waker& waker_;
  Listener& listener_;
  Queue queue_;
  std::vector<rd_kafka_message_t*> held_;  // taken from the queue, not yet given
  std::size_t next_held_ = 0;
  events::Offset next_;
  events::Offset end_seen_ = -1;
  bool has_given_ = false;
  Error error_;
  std::optional<BatchEnd> search_;  // while a batch is being skipped: where it ends
  std::optional<events::Skipped> skipped_;
};

/// prepare_topics by a client of its own: how much a reader may read ahead follows from the number of partitions.
[[nodiscard]] events::LogStatus topics_of(const KafkaOptions&, std::int32_t partitions_if_new, Topics&);

class Reader {
 public:
  /// `partitions`: as many as there are lanes at a time at most; they share what may be read ahead. Null with `status`
  /// set if the settings contradict each other. Does not connect.
  static std::unique_ptr<Reader> make(const KafkaOptions&, std::int32_t partitions, events::LogStatus& status);

  /// `from`: an offset or from_the_beginning. The lane must not outlive the reader.
  [[nodiscard]] std::unique_ptr<Lane> read(events::Stream, events::Partition, events::Offset from);
  /// Where the committed records of a partition begin and end.
  Error ends(events::Stream, events::Partition, events::StreamEnds&);
  /// Call where nothing comes from a lane that has given records: librdkafka 2.0 fetches no more where as much is read
  /// ahead as may be, and sees only once a second that there is room again, or when it has something else to do. This
  /// is something else: a request that is answered at once. Takes at most that long.
  void nudge(events::Stream, events::Partition, events::Millis longest);
  /// Lets the listener hear what the client has to say. Call now and then: it is kept until then.
  void serve() { rd_kafka_poll(client_.get(), 0); }
  [[nodiscard]] rd_kafka_t* client() const { return client_.get(); }
  [[nodiscard]] Waker& waker() { return waker_; }
  [[nodiscard]] Listener& listener() { return listener_; }

 private:
  explicit Reader(const KafkaOptions& options) : options_(options) {}
  KafkaOptions options_;
  Waker waker_;
  Listener listener_;
  Client client_;
  StreamTopics topics_;
};

}  // namespace mayfly::adapters::kafka
