// Committed offsets of a consumer group without members: where a group of readers goes on. One thread.
#pragma once

#include "adapters/kafka/kafka_settings.h"
#include "events/log/log.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mayfly::adapters::kafka {

class Group {
 public:
  /// Null with `status` set if the settings contradict each other. Does not connect.
  static std::unique_ptr<Group> make(const KafkaOptions&, std::string name, events::LogStatus& status);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Appends a position for each partition that has one. Both wait for the coordinator, up to `request_limit`.
  events::LogStatus read(events::Stream, std::int32_t partitions, std::vector<events::Position>& next);
  events::LogStatus keep(events::Stream, std::span<const events::Position>);

 private:
  Group(const KafkaOptions& options, std::string name) : options_(options), name_(std::move(name)) {}
  KafkaOptions options_;
  std::string name_;
  Listener listener_;
  Client client_;
};

}  // namespace mayfly::adapters::kafka
