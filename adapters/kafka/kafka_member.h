// The engine's membership in its consumer group: which partitions are its own, and the committed positions. It reads no
// records. One thread polls; the membership that a transaction names may be copied by another.
#pragma once

#include "adapters/kafka/kafka_error.h"
#include "adapters/kafka/kafka_settings.h"
#include "adapters/kafka/kafka_waker.h"

#include <functional>
#include <memory>
#include <vector>

namespace mayfly::adapters::kafka {

class Member final : public Listener {
 public:
  /// Partitions are given and taken away while poll runs, in its thread. `leaving` is called before they are taken
  /// away and may wait a while for what is under way.
  struct Hooks {
    std::function<void(std::vector<events::Partition>, std::shared_ptr<rd_kafka_consumer_group_metadata_t>)> given;
    std::function<void()> leaving;
  };
  /// Null with `status` set if it cannot be. `waker` is woken when poll has something to do.
  static std::unique_ptr<Member> join(const KafkaOptions&, const Identity&, Hooks, Waker& waker,
                                      events::LogStatus& status);
  ~Member() override;

  /// Serves what has come. An error is fatal: this membership is over.
  Error poll();
  /// The committed offset of a partition, when no transaction on it is pending; -1 if there is none. Waits for one
  /// no longer than the limit.
  Error committed(events::Partition, events::Millis limit, events::Offset&);
  /// True if the group now knows another member by this one's instance name.
  [[nodiscard]] bool replaced() const;
  /// Asked what brokers know it has the answer at once: its connections carry no fetches, behind which all else waits.
  [[nodiscard]] rd_kafka_t* client() const { return client_.get(); }
  [[nodiscard]] const StreamTopics& topics() const { return topics_; }

 private:
  Member(const KafkaOptions& options, Identity identity, Hooks hooks)
      : options_(options), identity_(std::move(identity)), hooks_(std::move(hooks)) {}
  void rebalanced(rd_kafka_t*, rd_kafka_resp_err_t, const rd_kafka_topic_partition_list_t*) override;

  KafkaOptions options_;
  Identity identity_;
  Hooks hooks_;
  Client client_;
  StreamTopics topics_;
  Queue queue_;
};

}  // namespace mayfly::adapters::kafka
