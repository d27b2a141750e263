// Whether the brokers answer and the log's topics are still there. librdkafka says neither of its own accord: a topic
// that was deleted only falls silent. One thread.
#pragma once

#include "adapters/kafka/kafka_options.h"
#include "adapters/kafka/kafka_settings.h"

#include <chrono>

namespace mayfly::adapters::kafka {

class Presence {
 public:
  /// The options outlive it.
  explicit Presence(const KafkaOptions& options) : options_(options) {}

  /// Something was heard that lets it be doubted: it is asked at once, and each second until it was good for a while.
  void doubt();
  /// Records came: the next regular question can wait.
  void answered();

  struct Answer {
    events::LogStatus status{};  // unavailable: no broker answers, or topics are gone; says which
    bool gone = false;           // the brokers answer, and have not all of the topics
  };
  /// Asks if it is time to, else tells the last answer. Blocks for two seconds at most. The topics are the client's.
  const Answer& look(rd_kafka_t*, const StreamTopics&, const Listener& heard_by);

 private:
  using SteadyClock = std::chrono::steady_clock;
  [[nodiscard]] Answer ask(rd_kafka_t*, const StreamTopics&, const Listener& heard_by);
  [[nodiscard]] bool doubted() const { return SteadyClock::now() < doubted_until_; }

  const KafkaOptions& options_;
  SteadyClock::time_point doubted_until_{};
  SteadyClock::time_point next_{};
  int silences_ = 0;  // looks in a row at which not all was answered in time
  Answer answer_;
};

}  // namespace mayfly::adapters::kafka
