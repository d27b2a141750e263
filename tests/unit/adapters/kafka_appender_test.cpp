// What becomes of appends outside transactions when a broker refuses them: on librdkafka's own pretended brokers.
#include "adapters/kafka/kafka_appender.h"

#include "unit/adapters/pretended_broker.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace mayfly;
using adapters::kafka::Appender;
using tests::PretendedBroker;

namespace {

constexpr std::string_view secret = "a token that no message may show";
const events::NewRecord tick{events::Stream::commands, 0, std::nullopt, secret, {}};

/// The first failure that is told, by appending again and again.
adapters::kafka::Error first_failure(Appender& appender) {
  for (int i = 0; i < 200; ++i) {
    if (auto error = appender.send(tick); !error.ok()) return error;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

}  // namespace

TEST_CASE("an append that a broker refuses passes where the next one may go well") {
  struct Row {
    rd_kafka_resp_err_t refused;
    events::LogError error;
  };
  constexpr Row rows[] = {
      {RD_KAFKA_RESP_ERR_UNKNOWN, events::LogError::unavailable},
      {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, events::LogError::unavailable},
      {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, events::LogError::unavailable},
      {RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, events::LogError::unavailable},  // where it stands is not said
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, events::LogError::invalid},
  };
  for (const auto& row : rows) {
    PretendedBroker broker;
    Appender appender(broker.options);
    REQUIRE(appender.append({&tick, 1}).status.ok());
    broker.refuse_next(row.refused);
    const auto status = first_failure(appender).status("appending");
    CHECK_MESSAGE(status.error == row.error, status.message);
    if (row.error == events::LogError::unavailable) CHECK(appender.append({&tick, 1}).status.ok());
  }
}

TEST_CASE("a failed append is told without what was to be appended") {
  PretendedBroker broker;
  broker.options.request_limit = events::Millis{500};
  Appender appender(broker.options);
  REQUIRE(appender.append({&tick, 1}).status.ok());
  broker.go_away();
  const auto status = first_failure(appender).status("appending");
  CHECK(status.error == events::LogError::unavailable);
  CHECK_MESSAGE(status.message.find(secret) == std::string::npos, status.message);
}

TEST_CASE("what an appender that keeps for ever was given is stored once the broker is back") {
  PretendedBroker broker;
  Appender other(broker.options);
  broker.options.request_limit = events::Millis{300};
  Appender appender(broker.options, Appender::Keeps::for_ever);
  REQUIRE(appender.append({&tick, 1}).status.ok());
  broker.go_away();
  CHECK(appender.send(tick).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(5 * broker.options.request_limit.count));
  appender.serve();
  CHECK(appender.send(tick).ok());  // it would tell of a failure
  broker.come_back();
  events::Offset kept = 0;
  for (events::Offset i = 1; i < 100 && kept < 2; ++i) {
    const auto appended = other.append({&tick, 1});
    REQUIRE_MESSAGE(appended.status.ok(), appended.status.message);
    kept = appended.at[0].offset - i;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(kept == 2);
}

TEST_CASE(
    "a producer that has nothing to do ends, one that still has something to send does not, and the next is made") {
  PretendedBroker broker;
  Appender appender(broker.options, Appender::Keeps::for_ever, events::Millis{0});
  CHECK_FALSE(appender.has_producer());
  for (int i = 0; i < 2; ++i) {
    REQUIRE(appender.append({&tick, 1}).status.ok());
    CHECK(appender.has_producer());
    appender.serve();
    CHECK_FALSE(appender.has_producer());
  }
  broker.go_away();
  REQUIRE(appender.send(tick).ok());
  appender.serve();
  CHECK(appender.has_producer());
  broker.come_back();
  CHECK(appender.append({&tick, 1}).at[0].offset == 3);  // the one that waited has arrived before
}

TEST_CASE("a batch that a broker refuses while it takes later ones is written before them") {
  PretendedBroker broker;
  broker.options.request_limit = events::Millis{300'000};
  Appender appender(broker.options);
  REQUIRE(appender.append({&tick, 1}).status.ok());
  broker.answer_after_ms(200);  // long enough for the later batches to be sent meanwhile, if they are
  broker.refuse_next(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  const auto value = tests::alone_in_its_batch();
  const std::vector<events::NewRecord> three(3, {events::Stream::commands, 0, std::nullopt, value, {}});
  const auto appended = appender.append(three);
  REQUIRE_MESSAGE(appended.status.ok(), appended.status.message);
  for (std::size_t i = 0; i < three.size(); ++i) CHECK(appended.at[i].offset == static_cast<events::Offset>(i) + 1);
  CHECK(broker.end_of(events::Stream::commands) == 4);
}
