// What becomes of appends outside transactions when a broker refuses them: on librdkafka's own pretended brokers.
#include "adapters/kafka/kafka_appender.h"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

using namespace mayfly;
using adapters::kafka::Appender;

namespace {

constexpr std::int16_t produce_request = 0;

/// One broker that takes or refuses, as told; it dies with this.
class PretendedBroker {
 public:
  PretendedBroker() {
    char why[256];
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why));
    cluster_.reset(rd_kafka_mock_cluster_new(client_.get(), 1));
    for (const auto& topic : options.topics) rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), 1, 1);
    options.brokers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
  }
  void refuse_next(rd_kafka_resp_err_t error) {
    rd_kafka_mock_push_request_errors(cluster_.get(), produce_request, 1, error);
  }
  void go_away() { rd_kafka_mock_broker_set_down(cluster_.get(), 1); }
  void come_back() { rd_kafka_mock_broker_set_up(cluster_.get(), 1); }

  adapters::KafkaOptions options;

 private:
  std::unique_ptr<rd_kafka_t, adapters::kafka::By<rd_kafka_destroy>> client_;
  std::unique_ptr<rd_kafka_mock_cluster_t, adapters::kafka::By<rd_kafka_mock_cluster_destroy>> cluster_;
};

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
