// What is Kafka's own, beyond the contract that every log keeps: instances that share partitions, topics that do not
// fit, properties that must not change.
#include "adapters/kafka_fixture.h"
#include "adapters/kafka_topics.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

using namespace mayfly;
using events::CommitOutcome;
using events::Stream;
using tests::KafkaFixture;

namespace {

constexpr int most_polls = 100;
constexpr events::PollLimits short_wait{1000, 1 << 20, events::Millis{100}};

/// An engine's side with the partitions that it serves just now.
struct Instance {
  std::unique_ptr<events::Log> log;
  std::set<events::Partition> served;

  void poll_once() {
    const auto polled = log->poll(short_wait);
    for (const auto p : polled.lost) served.erase(p);
    for (const auto p : polled.taken) {
      if (!log->restore(p, [](events::Bytes, events::Bytes) {}).status.ok()) continue;
      log->start(p);
      served.insert(p);
    }
  }
};

adapters::kafka::AllTopics fine_topics() {
  adapters::kafka::AllTopics all;
  for (auto& facts : all) {
    facts.partitions = 4;
    facts.replicas = 3;
    facts.settings = {{"max.message.bytes", "1048588"},
                      {"min.insync.replicas", "2"},
                      {"cleanup.policy", "delete"},
                      {"retention.ms", "604800000"},
                      {"message.timestamp.type", "LogAppendTime"}};
  }
  all[static_cast<std::size_t>(Stream::state)].settings["cleanup.policy"] = "compact";
  return all;
}

}  // namespace

TEST_CASE("topics that fit have no findings, and each that does not is one sentence with what to do") {
  const adapters::KafkaOptions options;
  CHECK(adapters::kafka::findings(fine_topics(), options).empty());
  struct Row {
    Stream stream;
    const char* setting;
    const char* value;
    const char* remedy;
  };
  constexpr Row rows[] = {
      {Stream::commands, "message.timestamp.type", "CreateTime", "--add-config message.timestamp.type=LogAppendTime"},
      {Stream::commands, "cleanup.policy", "compact", "--add-config cleanup.policy=delete"},
      {Stream::commands, "cleanup.policy", "compact,delete", "--add-config cleanup.policy=delete"},
      {Stream::state, "cleanup.policy", "delete", "--add-config cleanup.policy=compact"},
      {Stream::state, "cleanup.policy", "compact,delete", "--add-config cleanup.policy=compact"},
      {Stream::state, "delete.retention.ms", "1000", "--add-config delete.retention.ms="},
      {Stream::state, "max.message.bytes", "999999", "--add-config max.message.bytes="},
      {Stream::events, "max.message.bytes", "1000", "--add-config max.message.bytes="},
      {Stream::events, "retention.ms", "60000", "--add-config retention.ms="},
      {Stream::commands, "retention.ms", "3599999", "--add-config retention.ms="},
      {Stream::alerts, "min.insync.replicas", "4", "--add-config min.insync.replicas=3"},
  };
  for (const auto& row : rows) {
    auto topics = fine_topics();
    topics[static_cast<std::size_t>(row.stream)].settings[row.setting] = row.value;
    const auto found = adapters::kafka::findings(topics, options);
    REQUIRE_MESSAGE(found.size() == 1, row.setting);
    CHECK(found[0].find(options.topic(row.stream)) != std::string::npos);
    CHECK(found[0].find("kafka-configs --bootstrap-server") != std::string::npos);
    CHECK(found[0].find(row.remedy) != std::string::npos);
  }
  auto kept_for_ever = fine_topics();
  kept_for_ever[static_cast<std::size_t>(Stream::commands)].settings["retention.ms"] = "-1";
  CHECK(adapters::kafka::findings(kept_for_ever, options).empty());
}

TEST_CASE("topics that keep less safe than their replicas allow are warned of, and served") {
  const adapters::KafkaOptions options;
  CHECK(adapters::kafka::warnings(fine_topics(), options).empty());
  auto topics = fine_topics();
  auto& events = topics[static_cast<std::size_t>(Stream::events)];
  events.settings["min.insync.replicas"] = "1";
  CHECK(adapters::kafka::findings(topics, options).empty());
  const auto said = adapters::kafka::warnings(topics, options);
  REQUIRE(said.size() == 1);
  CHECK(said[0].find(options.topic(Stream::events) + ": min.insync.replicas is 1") != std::string::npos);
  CHECK(said[0].find("--add-config min.insync.replicas=2") != std::string::npos);
  events.replicas = 1;
  CHECK(adapters::kafka::warnings(topics, options).empty());
}

TEST_CASE("partition counts that differ are found") {
  for (const auto& [stream, count, wrong] : {std::tuple{Stream::events, 5, true},
                                             {Stream::state, 3, true},
                                             {Stream::alerts, 3, true},
                                             {Stream::alerts, 5, false},
                                             {Stream::deadletters, 3, true}}) {
    auto topics = fine_topics();
    topics[static_cast<std::size_t>(stream)].partitions = count;
    CHECK(adapters::kafka::findings(topics, {}).size() == (wrong ? 1 : 0));
  }
}

TEST_CASE("properties that promises stand on are refused by name, unknown ones too, others are taken") {
  for (const auto* name : {"isolation.level", "enable.idempotence", "transactional.id", "group.id", "acks",
                           "enable.auto.commit", "partition.assignment.strategy", "bootstrap.servers"}) {
    const auto why = adapters::refused_property(name, "x");
    CHECK_MESSAGE(why.starts_with("kafka.properties." + std::string(name) + " cannot be set: "), why);
  }
  CHECK(adapters::refused_property("linger.sm", "5").find("linger.sm") != std::string::npos);
  CHECK(adapters::refused_property("linger.ms", "soon").find("linger.ms") != std::string::npos);
  CHECK(adapters::refused_property("linger.ms", "5").empty());
  CHECK(adapters::refused_property("security.protocol", "plaintext").empty());
}

TEST_CASE("an engine whose brokers do not answer is told so, with their address") {
  adapters::KafkaOptions options;
  options.brokers = "127.0.0.1:1";
  options.request_limit = events::Millis{300};
  events::LogStatus status;
  CHECK(adapters::KafkaLog::open(options, 2, "nobody", status) == nullptr);
  CHECK(status.error == events::LogError::unavailable);
  CHECK(status.message.find("127.0.0.1:1") != std::string::npos);
}

TEST_CASE("a second Kafka instance gets its share, and what the first decided for that share is not committed") {
  const KafkaFixture fixture;
  Instance first{fixture.engine_named("first"), {}};
  for (int i = 0; i < most_polls && first.served.size() < 2; ++i) first.poll_once();
  REQUIRE(first.served.size() == 2);
  Instance second{fixture.engine_named("second"), {}};
  for (int i = 0; i < most_polls && (first.served.size() != 1 || second.served.size() != 1); ++i) {
    first.poll_once();
    second.poll_once();
  }
  REQUIRE(first.served.size() == 1);
  REQUIRE(second.served.size() == 1);
  const auto lost = *second.served.begin();
  REQUIRE(!first.served.contains(lost));
  const events::NewRecord said[] = {{Stream::events, lost, "k", "said", {}}};
  const events::Position next{lost, 1};
  CHECK(first.log->commit({said, {&next, 1}}).outcome == CommitOutcome::aborted);
  CHECK(second.log->commit({said, {&next, 1}}).ok());
  CHECK(fixture.client()->read(Stream::events, lost, 0, {10, 1000, {}}).batch.records.size() == 1);
}

TEST_CASE("a Kafka engine whose instance name another one has taken ends, and does not fence it back") {
  const KafkaFixture fixture;
  Instance old{fixture.engine_named("same"), {}};
  for (int i = 0; i < most_polls && old.served.size() < 2; ++i) old.poll_once();
  Instance successor{fixture.engine_named("same"), {}};
  for (int i = 0; i < most_polls && successor.served.size() < 2; ++i) successor.poll_once();
  REQUIRE(successor.served.size() == 2);
  const events::NewRecord said[] = {{Stream::events, 0, "k", "said", {}}};
  const events::Position next{0, 1};
  CHECK(old.log->commit({said, {&next, 1}}).outcome == CommitOutcome::fenced);
  const auto polled = old.log->poll(short_wait);
  CHECK(polled.status.error == events::LogError::owned);
  CHECK(polled.status.message.find("kafka.instance") != std::string::npos);
  CHECK(polled.lost.size() == 2);
  CHECK(successor.log->commit({said, {&next, 1}}).ok());
}

TEST_CASE("a Kafka log that lacks a setting is refused with every finding, and a missing one is not made by a reader") {
  KafkaFixture fixture;
  events::LogStatus status;
  CHECK(adapters::KafkaClient::open(fixture.options, 0, status) == nullptr);
  CHECK(status.message.find("mayfly serve --log kafka:") != std::string::npos);
  static_cast<void>(fixture.client());  // makes them
  std::swap(fixture.options.topics[static_cast<std::size_t>(Stream::state)],
            fixture.options.topics[static_cast<std::size_t>(Stream::events)]);
  CHECK(adapters::KafkaClient::open(fixture.options, 2, status) == nullptr);
  CHECK(status.error == events::LogError::invalid);
  CHECK(status.message.find("cleanup.policy=compact") != std::string::npos);
}

TEST_CASE("a Kafka log tells how many transactions it committed and how long they took") {
  KafkaFixture fixture;
  Instance one{fixture.engine(), {}};
  for (int i = 0; i < most_polls && one.served.size() < 2; ++i) one.poll_once();
  const events::NewRecord said[] = {{Stream::events, 0, "k", "said", {}}};
  const events::Position next{0, 0};
  CHECK(one.log->commit({said, {&next, 1}}).ok());
  std::map<std::string, double> figures;
  for (const auto& figure : one.log->figures()) figures[std::string(figure.name)] = figure.value;
  CHECK(figures["transactions_committed"] == 1);
  CHECK(figures["transactions_aborted"] == 0);
  CHECK(figures["transactions_within_5000_ms"] == 1);
  CHECK(figures["transactions_time_us"] > 0);
  CHECK(figures["rebalances"] == 1);
}
