// The topics that a log lies in: made where missing, and checked before anything is served from them.
#pragma once

#include "adapters/kafka/kafka_handles.h"
#include "adapters/kafka/kafka_options.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mayfly::adapters::kafka {

/// What the brokers say of a topic.
struct TopicFacts {
  std::int32_t partitions = 0;
  int replicas = 0;  // of the partition that has fewest
  std::map<std::string, std::string> settings;
  bool leaderless = false;  // it is there, but not every partition has a leader now: nothing else is known of it
  [[nodiscard]] bool exists() const { return partitions > 0; }
};
using AllTopics = std::array<TopicFacts, events::stream_count>;

/// Everything that is wrong with topics that exist, a sentence each with what to do about it.
[[nodiscard]] std::vector<std::string> findings(const AllTopics&, const KafkaOptions&);

/// The same of what works but is less safe than the brokers allow.
[[nodiscard]] std::vector<std::string> warnings(const AllTopics&, const KafkaOptions&);

/// What the log may rely on.
struct Topics {
  std::int32_t partitions = 0;
  std::array<std::size_t, events::stream_count> largest_record_bytes{};
  std::string warning;  // empty: none
  /// What a batch may take that is to fit every one of them.
  [[nodiscard]] std::size_t least_limit_bytes() const {
    return *std::min_element(largest_record_bytes.begin(), largest_record_bytes.end());
  }
};

/// Makes what is missing with that many partitions (0: all must be there), then checks all. `unavailable` where brokers
/// are away, or do not yet know what was made.
[[nodiscard]] events::LogStatus prepare_topics(rd_kafka_t*, const KafkaOptions&, std::int32_t partitions_if_new,
                                               Topics&);

/// Reads their max.message.bytes anew, whatever they are; where it cannot, they stay as they are. Any thread.
void read_limits(rd_kafka_t*, const KafkaOptions&, Topics&);

}  // namespace mayfly::adapters::kafka
