// librdkafka's own pretended brokers, which take or refuse, as told.
#pragma once

#include "adapters/kafka/kafka_settings.h"
#include "events/log/log.h"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka_mock.h>

#include <memory>
#include <random>
#include <string>

namespace mayfly::tests {

/// A value that fits no batch with another one. The same at each call.
inline std::string alone_in_its_batch() {
  std::mt19937 random(16);
  std::string bytes(950'000, ' ');
  for (auto& b : bytes) b = static_cast<char>(random() & 0xff);
  return bytes;
}

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
    constexpr std::int16_t produce_request = 0;
    rd_kafka_mock_push_request_errors(cluster_.get(), produce_request, 1, error);
  }
  void answer_after_ms(int delay) { rd_kafka_mock_broker_set_rtt(cluster_.get(), 1, delay); }
  void go_away() { rd_kafka_mock_broker_set_down(cluster_.get(), 1); }
  void come_back() { rd_kafka_mock_broker_set_up(cluster_.get(), 1); }
  /// So many records are stored, in whichever state their transaction is.
  events::Offset end_of(events::Stream stream) {
    constexpr int patience_ms = 60'000;
    adapters::kafka::Listener listener;
    events::LogStatus status;
    const auto asks = adapters::kafka::make_client(adapters::kafka::Role::asker, options, {}, listener, status);
    REQUIRE_MESSAGE(asks, status.message);
    events::Offset low = -1;
    events::Offset high = -1;
    REQUIRE(rd_kafka_query_watermark_offsets(asks.get(), options.topic(stream).c_str(), 0, &low, &high, patience_ms) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
    return high;
  }

  adapters::KafkaOptions options;

 private:
  std::unique_ptr<rd_kafka_t, adapters::kafka::By<rd_kafka_destroy>> client_;
  std::unique_ptr<rd_kafka_mock_cluster_t, adapters::kafka::By<rd_kafka_mock_cluster_destroy>> cluster_;
};

}  // namespace mayfly::tests
