// A fresh log on the broker that MAYFLY_KAFKA names (tools/scripts/kafka start), with topics and an engine of its own.
#pragma once

#include "adapters/kafka/kafka_client.h"
#include "adapters/kafka/kafka_log.h"

#include <doctest/doctest.h>

#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>

namespace mayfly::tests {

struct KafkaFixture {
  adapters::KafkaOptions options;
  std::string name;

  KafkaFixture() {
    static int made = 0;
    const auto* brokers = std::getenv("MAYFLY_KAFKA");
    REQUIRE_MESSAGE(
        brokers != nullptr,
        "no broker: run tools/scripts/kafka start, then set MAYFLY_KAFKA to what tools/scripts/kafka address prints");
    options.brokers = brokers;
    options.instance = "first";
    options.request_limit = events::Millis{120'000};  // of a broker that shares its processors with other tests
    name = "test-" + std::to_string(::getpid()) + "-" + std::to_string(++made) + "-" +
           std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    for (auto& topic : options.topics) topic.insert(0, name + ".");
  }
  std::unique_ptr<events::Log> engine() { return engine_named("first"); }
  std::unique_ptr<events::Log> usurper() { return engine(); }
  std::unique_ptr<events::Log> engine_named(const std::string& instance) const {
    auto own = options;
    own.instance = instance;
    events::LogStatus status;
    auto log = adapters::KafkaLog::open(own, 2, name, status);
    REQUIRE_MESSAGE(log != nullptr, status.message);
    return log;
  }
  std::unique_ptr<events::LogClient> client() const {
    events::LogStatus status;
    auto client = adapters::KafkaClient::open(options, 2, status);
    REQUIRE_MESSAGE(client != nullptr, status.message);
    return client;
  }
};

}  // namespace mayfly::tests
