// Producers and readers of a log on Kafka, in any process, beside running engines.
#pragma once

#include "adapters/kafka/kafka_appender.h"
#include "adapters/kafka/kafka_group.h"
#include "adapters/kafka/kafka_reader.h"
#include "adapters/kafka/kafka_topics.h"
#include "events/log/log.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>

namespace mayfly::adapters {

class KafkaClient final : public events::LogClient {
 public:
  /// Makes missing topics with that many partitions; 0: they must be there. Null with `status` set if it cannot.
  static std::unique_ptr<KafkaClient> open(const KafkaOptions&, std::int32_t partitions_if_new,
                                           events::LogStatus& status);

  [[nodiscard]] std::int32_t partitions() const override { return topics_.partitions; }
  events::Appended append(std::span<const events::NewRecord>) override;
  /// Partitions of the two streams last read stay open until rest(), so that reading on is cheap.
  events::Fetched read(events::Stream, events::Partition, events::Offset, const events::PollLimits&) override;
  events::StreamEnds ends(events::Stream, events::Partition) override;
  void rest() override;
  /// As the committed offsets of the consumer group mayfly.reader.GROUP.
  events::GroupPositions group_positions(std::string_view group, events::Stream) override;
  events::LogStatus keep_group_positions(std::string_view group, events::Stream,
                                         std::span<const events::Position>) override;

 private:
  explicit KafkaClient(const KafkaOptions& options) : options_(options), appender_(options) {}
  /// Null with `status` set if it cannot be made.
  kafka::Group* group(std::string_view name, events::LogStatus& status);
  kafka::Lane& lane(events::Stream, events::Partition, events::Offset from);

  struct OpenLanes {
    events::Stream stream = events::Stream::commands;
    std::map<events::Partition, std::unique_ptr<kafka::Lane>> lanes;
  };
  static constexpr std::int32_t most_streams = 2;  // with open lanes

  KafkaOptions options_;
  kafka::Topics topics_;
  kafka::Appender appender_;
  std::unique_ptr<kafka::Reader> reader_;
  std::unique_ptr<kafka::Group> group_;       // last asked for
  std::unique_ptr<kafka::Reader> asker_;      // where lanes are open: a question would wait behind what they fetch
  std::array<OpenLanes, most_streams> open_;  // the stream last read first
};

}  // namespace mayfly::adapters
