// The engine's side of a log on Kafka (docs/kafka.md): a membership that says which partitions are its own, a reader of
// their commands, a transactional producer for all that it writes, a plain one for clock ticks.
#pragma once

#include "adapters/kafka/kafka_appender.h"
#include "adapters/kafka/kafka_figures.h"
#include "adapters/kafka/kafka_limits.h"
#include "adapters/kafka/kafka_lowered.h"
#include "adapters/kafka/kafka_member.h"
#include "adapters/kafka/kafka_presence.h"
#include "adapters/kafka/kafka_reader.h"
#include "adapters/kafka/kafka_topics.h"
#include "adapters/kafka/kafka_transactions.h"
#include "events/log/log.h"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace mayfly::adapters {

class KafkaLog final : public events::Log {
 public:
  /// Makes missing topics, checks all, fences earlier engines of this name and instance, joins the group. Null with
  /// `status` set if it cannot.
  static std::unique_ptr<KafkaLog> open(const KafkaOptions&, std::int32_t partitions_if_new, std::string_view engine,
                                        events::LogStatus& status);
  ~KafkaLog() override;

  [[nodiscard]] std::int32_t partitions() const override { return topics_.partitions; }
  events::Polled poll(const events::PollLimits&) override;
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&) override;
  void start(events::Partition, events::Offset from) override;
  events::CommitResult commit(const events::Commit&) override;
  events::LogStatus append(const events::NewRecord&) override;
  events::LogFigures figures() override { return figures_.all(); }
  [[nodiscard]] std::string pending_advice(events::Position) const override;

 private:
  KafkaLog(const KafkaOptions&, const kafka::Identity&);
  void given(std::vector<events::Partition>, std::shared_ptr<rd_kafka_consumer_group_metadata_t>);
  void wait_for_commit();
  bool take_changes(events::Polled&);
  bool gather(const events::PollLimits&, events::Polled&);
  void nudge_reader();
  bool join(events::LogStatus&);
  bool joined_again(const kafka::Error&, events::Polled&);
  void end_of_membership(const kafka::Error&, events::Polled&);
  void hear_clients();
  void watch_presence(events::Polled&);
  [[nodiscard]] events::Millis full_patience() const {
    return {options_.transaction_timeout.count + options_.request_limit.count};
  }
  /// For a transaction that is pending on it.
  [[nodiscard]] events::Millis patience_with(events::Partition partition) const {
    return held_up_.contains(partition) ? kafka::held_up_wait : full_patience();
  }
  kafka::Error read_state(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&);

  KafkaOptions options_;
  kafka::Identity identity_;
  kafka::Topics topics_;  // as they were at the start
  kafka::KafkaFigures figures_;
  std::timed_mutex commit_turn_;  // held through a transaction
  kafka::Transactions transactions_;
  kafka::LoweredLimits lowered_;  // of the one that has the commit_turn_
  std::mutex append_mutex_;
  kafka::Appender ticks_;   // soon outdated: the next one says more
  kafka::Appender alerts_;  // said once

  // Of the thread that polls, restores and starts.
  kafka::Presence presence_;
  bool gone_ = false;  // topics are; until they are back nothing is `taken`
  int joins_ = 0;      // since the group last gave partitions out
  std::unique_ptr<kafka::Reader> reader_;
  std::unique_ptr<kafka::Reader> restorer_;  // while partitions are being restored
  std::map<events::Partition, std::unique_ptr<kafka::Lane>> lanes_;
  bool nudged_ = false;                  // since the last record
  std::set<events::Partition> held_up_;  // by a transaction, when they were to be restored last

  std::mutex mutex_;  // guards what follows
  std::vector<events::Partition> assigned_;
  std::set<events::Partition> started_;
  std::vector<events::Partition> taken_;  // to be told by the next poll
  std::vector<events::Partition> lost_;
  std::shared_ptr<rd_kafka_consumer_group_metadata_t> group_;  // as it was when `assigned_` were given
  bool settled_ = false;                                       // the group has said which are ours, be it none
  bool gave_up_ = false;                                       // a commit failed
  bool fenced_ = false;                                        // and said that it was fenced
  events::LogStatus over_;                                     // not ok: this log cannot go on, and why

  std::unique_ptr<kafka::Member> member_;  // last: its hooks use all else
};

}  // namespace mayfly::adapters
