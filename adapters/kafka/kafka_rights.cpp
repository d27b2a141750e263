#include "adapters/kafka/kafka_rights.h"

#include "adapters/kafka/kafka_error.h"
#include "adapters/kafka/kafka_produce.h"
#include "adapters/kafka/kafka_reader.h"
#include "adapters/kafka/kafka_settings.h"

#include <array>
#include <chrono>
#include <mutex>

namespace mayfly::adapters::kafka {

using SteadyClock = std::chrono::steady_clock;

namespace {

using events::LogError;
using events::LogStatus;
using events::Stream;
using Denied = std::array<bool, events::stream_count>;

constexpr events::Partition asked_about = 0;

/// Hears which topics may not be written to.
class Answers final : public Listener {
 public:
  explicit Answers(const KafkaOptions& options) : options_(options) {}
  void delivered(const rd_kafka_message_t& message) override {
    if (message.err != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return;
    const std::string_view topic = rd_kafka_topic_name(message.rkt);
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < denied_.size(); ++i) denied_[i] = denied_[i] || topic == options_.topics[i];
  }
  [[nodiscard]] Denied denied() const {
    const std::scoped_lock lock(mutex_);
    return denied_;
  }

 private:
  const KafkaOptions& options_;
  mutable std::mutex mutex_;
  Denied denied_{};
};

Denied not_to_be_written(const KafkaOptions& options, LogStatus& status) {
  Answers answers(options);
  const auto client = make_client(Role::asker, options, {}, answers, status);
  if (!client) return {};
  const auto topics = topics_at(client.get(), options);
  for (std::size_t i = 0; i < topics.size(); ++i) {
    const events::NewRecord record{static_cast<Stream>(i), asked_about, "rights", std::nullopt, {}};
    static_cast<void>(produce(client.get(), topics[i].get(), record, nullptr));
  }
  rd_kafka_flush(client.get(), static_cast<int>(options.request_limit.count));
  return answers.denied();
}

/// From its end on, where nothing comes.
bool may_be_read(Reader& reader, Stream stream, SteadyClock::time_point until) {
  events::StreamEnds ends;
  if (!reader.ends(stream, asked_about, ends).ok()) return true;
  const auto lane = reader.read(stream, asked_about, ends.end);
  while (!lane->at_end() && SteadyClock::now() < until) {
    events::RecordBatch batch;
    std::size_t records = 1;
    std::size_t bytes = 1;
    lane->take(records, bytes, batch);
    if (const auto error = lane->take_error(); !error.ok()) {
      return error.code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    }
    if (!batch.records.empty()) return true;
    reader.waker().wait(events::Millis{10});
  }
  return true;
}

}  // namespace

std::string missing_right(const KafkaOptions& options, std::string_view operation, std::string_view resource,
                          std::string_view name) {
  std::string text = "The brokers do not allow this account ";
  text.append(operation).append(" on ").append(resource).append(" ").append(name);
  text.append(". Allow it with: kafka-acls --bootstrap-server ").append(options.brokers);
  text.append(" --add --allow-principal User:NAME --operation ").append(operation);
  return text.append(" --").append(resource).append(" ").append(name);
}

LogStatus check_rights(const KafkaOptions& given) {
  auto options = given;
  options.properties["fetch.wait.max.ms"] = "5";  // the ends are to be seen soon
  LogStatus status;
  const auto denied = not_to_be_written(given, status);
  const auto reader = Reader::make(options, 1, status);
  if (!reader) return status;
  std::string missing;
  const auto lacks = [&](std::string_view operation, Stream stream) {
    missing += (missing.empty() ? "" : "\n") + missing_right(given, operation, "topic", given.topic(stream));
  };
  const auto until = SteadyClock::now() + std::chrono::milliseconds(given.request_limit.count);
  for (const auto stream : {Stream::commands, Stream::state}) {
    if (!may_be_read(*reader, stream, until)) lacks("Read", stream);
  }
  for (std::size_t i = 0; i < denied.size(); ++i) {
    if (denied[i]) lacks("Write", static_cast<Stream>(i));
  }
  return missing.empty() ? LogStatus{} : LogStatus{LogError::invalid, missing};
}

}  // namespace mayfly::adapters::kafka
