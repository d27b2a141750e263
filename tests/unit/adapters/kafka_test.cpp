// What is Kafka's own, beyond the contract that every log keeps: instances that share partitions, topics that do not
// fit, properties that must not change.
#include "adapters/kafka/kafka_error.h"
#include "adapters/kafka/kafka_settings.h"
#include "adapters/kafka/kafka_topics.h"
#include "unit/adapters/kafka_fixture.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>

using namespace mayfly;
using events::CommitOutcome;
using events::Stream;
using tests::KafkaFixture;

namespace {

/// As often as it takes, but not for ever: five minutes of short waits.
constexpr int most_polls = 3000;
constexpr events::PollLimits short_wait{1000, 1 << 20, events::Millis{100}};

/// An engine's side with the partitions that it serves just now.
struct Instance {
  std::unique_ptr<events::Log> log;
  std::set<events::Partition> served;

  events::LogStatus poll_once() { return poll_once_for_records().status; }
  events::Polled poll_once_for_records() {
    auto polled = log->poll(short_wait);
    for (const auto p : polled.lost) served.erase(p);
    for (const auto p : polled.taken) {
      const auto restored = log->restore(p, [](events::Bytes, events::Bytes) {});
      if (!restored.status.ok()) continue;
      log->start(p, restored.next);
      served.insert(p);
    }
    return polled;
  }
};

/// Polls until the log has something to say, but for no longer than a test may take.
events::Polled poll_until_said(events::Log& log) {
  constexpr auto patience = std::chrono::minutes(5);
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto polled = log.poll(short_wait);
    if (!polled.status.ok() || std::chrono::steady_clock::now() > until) return polled;
  }
}

/// Soon the topic takes no larger batch.
void limit_topic(const adapters::KafkaOptions& options, Stream stream, const std::string& most_bytes) {
  constexpr int patience_ms = 120'000;
  events::LogStatus status;
  const auto reader = adapters::kafka::Reader::make(options, 1, status);
  REQUIRE_MESSAGE(reader, status.message);
  const adapters::kafka::Queue queue(rd_kafka_queue_new(reader->client()));
  std::array changes = {rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, options.topic(stream).c_str())};
  rd_kafka_ConfigResource_set_config(changes[0], "max.message.bytes", most_bytes.c_str());
  rd_kafka_ConfigResource_set_config(changes[0], "message.timestamp.type", "LogAppendTime");
  rd_kafka_AlterConfigs(reader->client(), changes.data(), changes.size(), nullptr, queue.get());
  const adapters::kafka::Event event(rd_kafka_queue_poll(queue.get(), patience_ms));
  rd_kafka_ConfigResource_destroy(changes[0]);
  REQUIRE(event);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::string incompressible(std::size_t size) {
  std::mt19937 random(16);
  std::string bytes(size, ' ');
  for (auto& b : bytes) b = static_cast<char>(random() & 0xff);
  return bytes;
}

void delete_topic(const adapters::KafkaOptions& options, Stream stream) {
  constexpr int patience_ms = 120'000;
  events::LogStatus status;
  const auto reader = adapters::kafka::Reader::make(options, 1, status);
  REQUIRE_MESSAGE(reader, status.message);
  const adapters::kafka::Queue queue(rd_kafka_queue_new(reader->client()));
  std::array topics = {rd_kafka_DeleteTopic_new(options.topic(stream).c_str())};
  rd_kafka_DeleteTopics(reader->client(), topics.data(), topics.size(), nullptr, queue.get());
  const adapters::kafka::Event event(rd_kafka_queue_poll(queue.get(), patience_ms));
  rd_kafka_DeleteTopic_destroy(topics[0]);
  REQUIRE(event);
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

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
  events.settings["min.insync.replicas"] = "2";
  auto& commands = topics[static_cast<std::size_t>(Stream::commands)];
  for (const auto* type : {"producer", "gzip", "uncompressed"}) {
    commands.settings["compression.type"] = type;
    CHECK(adapters::kafka::findings(topics, options).empty());
    const auto of = adapters::kafka::warnings(topics, options);
    REQUIRE(of.empty() == (std::string_view(type) == "uncompressed"));
    if (of.empty()) continue;
    CHECK(of[0].find(options.topic(Stream::commands) + ": compression.type is " + type) != std::string::npos);
    CHECK(of[0].find("--add-config compression.type=uncompressed") != std::string::npos);
  }
  events.settings["min.insync.replicas"] = "1";
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

TEST_CASE("what is read ahead of all partitions together is within one bound, however many there are") {
  constexpr std::size_t kept_beside_record = 512;
  constexpr std::size_t mib = 1024 * 1024;
  for (const std::size_t bound : {1 * mib, 64 * mib, 1024 * mib}) {
    for (const std::int32_t partitions : {1, 4, 12, 1024}) {
      adapters::KafkaOptions options;
      options.read_ahead_bytes = bound;
      adapters::kafka::bound_read_ahead(options, partitions);
      const auto set = [&](const char* name) { return std::stoull(options.properties.at(name)); };
      const auto one = set("queued.max.messages.kbytes") * 1024 + set("queued.min.messages") * kept_beside_record +
                       set("fetch.message.max.bytes");
      const auto least = 1024 * static_cast<std::size_t>(partitions) * 2;  // librdkafka takes no less than 1 kB
      INFO(bound << " bytes, " << partitions << " partitions: each " << one);
      CHECK(one * static_cast<std::size_t>(partitions) <= std::max(bound, least));
      CHECK(one > 0);
    }
  }
  for (const auto* name :
       {"queued.max.messages.kbytes", "queued.min.messages", "fetch.message.max.bytes", "max.partition.fetch.bytes"}) {
    CHECK(adapters::refused_property(name, "1").find("kafka.read_ahead_bytes") != std::string::npos);
  }
}

TEST_CASE("a Kafka log whose records are larger than what it may read ahead of a partition gives them all") {
  KafkaFixture kafka;
  kafka.options.read_ahead_bytes = 1024 * 1024;  // 512 KiB of each of two partitions, of which a fetch is a quarter
  const auto client = kafka.client();
  const auto value = incompressible(900'000);
  constexpr std::size_t of_each = 3;
  std::vector<events::NewRecord> sent;
  for (std::size_t i = 0; i < of_each; ++i) {
    for (const events::Partition p : {0, 1}) sent.push_back({Stream::commands, p, "k", value, {}});
  }
  REQUIRE(client->append(sent).status.ok());
  Instance engine{kafka.engine_named("first"), {}};
  std::map<events::Partition, std::size_t> given;
  for (int i = 0; i < most_polls && given[0] + given[1] < sent.size(); ++i) {
    const auto polled = engine.poll_once_for_records();
    for (const auto& record : polled.batch.records) {
      CHECK(record.value == events::Bytes(value));
      ++given[record.at.partition];
    }
  }
  CHECK(given[0] == of_each);
  CHECK(given[1] == of_each);
}

TEST_CASE("what passes by itself is unavailable, what a person must mend is not, and neither promises another try") {
  struct Row {
    rd_kafka_resp_err_t code;
    events::LogError error;
  };
  using events::LogError;
  constexpr Row rows[] = {
      {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, LogError::unavailable},
      {RD_KAFKA_RESP_ERR_NOT_CONTROLLER, LogError::unavailable},
      {RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, LogError::unavailable},
      {RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, LogError::unavailable},
      {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, LogError::unavailable},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, LogError::unavailable},
      {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, LogError::unavailable},
      {RD_KAFKA_RESP_ERR__QUEUE_FULL, LogError::unavailable},
      {RD_KAFKA_RESP_ERR__TIMED_OUT, LogError::unavailable},
      {RD_KAFKA_RESP_ERR_UNKNOWN, LogError::unavailable},
      {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, LogError::fenced},
      {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, LogError::full},
      {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, LogError::corrupt},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, LogError::invalid},
      {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, LogError::invalid},
  };
  for (const auto& row : rows) {
    const auto status = adapters::kafka::Error(row.code).status("trying");
    CHECK_MESSAGE(status.error == row.error, status.message);
    CHECK_MESSAGE(status.message.find("tried again") == std::string::npos, status.message);
  }
}

TEST_CASE("a client hears that no broker answers when it is served, and keeps nothing of it") {
  adapters::KafkaOptions options;
  options.brokers = "127.0.0.1:1";
  events::LogStatus status;
  const auto reader = adapters::kafka::Reader::make(options, 1, status);
  REQUIRE_MESSAGE(reader, status.message);
  const auto lane = reader->read(Stream::commands, 0, 0);  // makes it connect
  bool doubts = false;
  for (int i = 0; i < most_polls && !doubts; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    reader->serve();
    doubts = reader->listener().take_doubt();
  }
  CHECK(doubts);
  CHECK(!reader->listener().last_heard().empty());
  CHECK(rd_kafka_outq_len(reader->client()) == 0);
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

TEST_CASE("a group of readers is a Kafka consumer group of its own name") {
  KafkaFixture fixture;
  const auto log = fixture.engine();
  const auto client = fixture.client();
  const events::Position next[] = {{0, 0}};
  const auto kept = client->keep_group_positions(fixture.name, Stream::events, next);
  REQUIRE_MESSAGE(kept.ok(), kept.message);
  events::LogStatus status;
  adapters::kafka::Listener listener;
  adapters::kafka::Identity identity;
  identity.group = "mayfly.reader." + fixture.name;
  const auto other =
      adapters::kafka::make_client(adapters::kafka::Role::group, fixture.options, identity, listener, status);
  REQUIRE_MESSAGE(other, status.message);
  const adapters::kafka::Places places(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(places.get(), fixture.options.topic(Stream::events).c_str(), 0);
  CHECK(rd_kafka_committed(other.get(), places.get(), 20'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  CHECK(places->elems[0].offset == 0);
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

TEST_CASE("a Kafka engine that is fenced while it still joins, by a join that nobody stands behind, joins anew") {
  constexpr auto time_to_join = std::chrono::milliseconds(500);
  const KafkaFixture fixture;
  Instance other{fixture.engine_named("other"), {}};
  for (int i = 0; i < most_polls && other.served.size() < 2; ++i) other.poll_once();
  REQUIRE(other.served.size() == 2);
  Instance one{fixture.engine_named("same"), {}};  // its join waits until the other is polled
  std::this_thread::sleep_for(time_to_join);
  {
    const auto crossed = fixture.engine_named("same");
    std::this_thread::sleep_for(time_to_join);
  }
  for (int i = 0; i < most_polls && (one.served.size() != 1 || other.served.size() != 1); ++i) {
    const auto status = one.poll_once();
    REQUIRE_MESSAGE(status.ok(), status.message);
    other.poll_once();
  }
  REQUIRE(one.served.size() == 1);
  const auto partition = *one.served.begin();
  const events::NewRecord said[] = {{Stream::events, partition, "k", "said", {}}};
  const events::Position next{partition, 1};
  auto outcome = one.log->commit({said, {&next, 1}}).outcome;
  for (int i = 0; i < most_polls && outcome != CommitOutcome::committed; ++i) {  // the crossed one fenced its producer
    REQUIRE(one.poll_once().ok());
    outcome = one.log->commit({said, {&next, 1}}).outcome;
  }
  CHECK(outcome == CommitOutcome::committed);
}

TEST_CASE("a topic of a Kafka log that is deleted is said, as long as it is away, and its partitions are given up") {
  for (const auto stream : {Stream::commands, Stream::state}) {
    const KafkaFixture fixture;
    Instance one{fixture.engine_named("first"), {}};
    for (int i = 0; i < most_polls && one.served.size() < 2; ++i) one.poll_once();
    REQUIRE(one.served.size() == 2);
    delete_topic(fixture.options, stream);
    const auto polled = poll_until_said(*one.log);
    CHECK(polled.status.error == events::LogError::unavailable);
    CHECK_MESSAGE(polled.status.message.find(fixture.options.topic(stream)) != std::string::npos,
                  polled.status.message);
    CHECK(polled.status.message.find("docs/kafka.md, A topic was deleted") != std::string::npos);
    CHECK(polled.lost.size() == 2);
    const events::NewRecord said[] = {{Stream::events, 0, "k", "said", {}}};
    const events::Position next{0, 1};
    CHECK(one.log->commit({said, {&next, 1}}).outcome == CommitOutcome::aborted);
    const auto again = one.log->poll(short_wait);
    CHECK(again.status.error == events::LogError::unavailable);
    CHECK(again.taken.empty());
  }
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
  const auto figures = one.log->figures();
  REQUIRE(figures.broker.has_value());
  CHECK(figures.broker->committed == 1);
  CHECK(figures.broker->aborted == 0);
  CHECK(figures.broker->times.within.back() == 1);
  CHECK(figures.broker->times.sum_us > 0);
  CHECK(figures.broker->rebalances == 1);
}

TEST_CASE("a record that a Kafka topic has become too small for is named, and written once the topic takes it again") {
  const KafkaFixture kafka;
  Instance engine{kafka.engine_named("first"), {}};
  while (engine.served.size() < 2) REQUIRE(engine.poll_once().ok());
  limit_topic(kafka.options, Stream::events, "2000");  // the log has read the limit before
  const auto value = incompressible(100'000);
  const auto small = incompressible(1'500);
  const std::vector<events::NewRecord> said = {{Stream::events, 0, "k", small, {}},
                                               {Stream::events, 0, "k", value, {}}};
  auto result = engine.log->commit({said, {}});
  for (int i = 0; i < most_polls && result.ok(); ++i) result = engine.log->commit({said, {}});
  CHECK(result.outcome == CommitOutcome::aborted);
  CHECK(result.too_large == 1);
  CHECK_MESSAGE(result.message.find("max.message.bytes=1114112") != std::string::npos, result.message);
  // Records that fit by themselves go in batches that the topic takes.
  const std::vector<events::NewRecord> many(20, said[0]);
  result = engine.log->commit({many, {}});
  CHECK_MESSAGE(result.ok(), result.message);
  limit_topic(kafka.options, Stream::events, "1114112");
  result = engine.log->commit({said, {}});
  for (int i = 0; i < most_polls && !result.ok(); ++i) result = engine.log->commit({said, {}});
  CHECK_MESSAGE(result.ok(), result.message);
}

TEST_CASE("a Kafka log sends no batch that is over the least max.message.bytes of its topics") {
  const KafkaFixture kafka;
  kafka.client();  // makes the topics
  limit_topic(kafka.options, Stream::commands, "1000000");
  events::LogStatus status;
  const auto reader = adapters::kafka::Reader::make(kafka.options, 1, status);
  adapters::kafka::Topics topics;
  for (int i = 0; i < most_polls && topics.least_limit_bytes() != 1'000'000; ++i) {
    REQUIRE(adapters::kafka::prepare_topics(reader->client(), kafka.options, 0, topics).ok());
  }
  const auto value = incompressible(20'000);
  const std::vector<events::NewRecord> lines(60, {Stream::commands, 0, "into", value, {}});
  const auto client = kafka.client();
  const auto appended = client->append(lines);
  CHECK_MESSAGE(appended.status.ok(), appended.status.message);
  Instance engine{kafka.engine_named("first"), {}};
  while (engine.served.size() < 2) REQUIRE(engine.poll_once().ok());
  const auto result = engine.log->commit({lines, {}});
  CHECK_MESSAGE(result.ok(), result.message);
}
