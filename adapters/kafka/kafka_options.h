// What a user can say about Kafka ([kafka] in the config).
#pragma once

#include "events/log/log.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace mayfly::adapters {

struct KafkaOptions {
  std::string brokers;   // HOST:PORT[,HOST:PORT...]
  std::string instance;  // who this engine is among its group's; empty: the host's name
  std::array<std::string, events::stream_count> topics = {"checkout.commands.v1", "checkout.events.v1",
                                                          "checkout.state.v1", "checkout.deadletters.v1",
                                                          "checkout.alerts.v1"};
  int replication_factor = 0;   // of topics that are made; 0: as the broker has it
  int min_insync_replicas = 0;  // of topics that are made; 0: as the broker has it
  events::Millis session_timeout{10'000};
  events::Millis transaction_timeout{10'000};
  events::Millis request_limit{15'000};             // for one answer of the brokers
  std::size_t read_ahead_bytes = 64 * 1024 * 1024;  // of records that wait to be polled, of all partitions together
  std::map<std::string, std::string> properties;    // librdkafka's

  [[nodiscard]] const std::string& topic(events::Stream stream) const {
    return topics[static_cast<std::size_t>(stream)];
  }
};

/// Why this property of librdkafka cannot be given that value; empty if it can.
[[nodiscard]] std::string refused_property(const std::string& name, const std::string& value);

/// The consumer group of the engines of that name.
[[nodiscard]] inline std::string kafka_group_of(std::string_view engine) { return "mayfly-" + std::string(engine); }

}  // namespace mayfly::adapters
