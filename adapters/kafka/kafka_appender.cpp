#include "adapters/kafka/kafka_appender.h"

#include "adapters/kafka/kafka_produce.h"

#include <array>
#include <utility>

namespace mayfly::adapters::kafka {

namespace {
constexpr int last_flush_ms = 1'000;
}

Appender::~Appender() {
  if (client_) rd_kafka_flush(client_.get(), last_flush_ms);
  throw_away();
}

void Appender::serve() {
  if (!client_) return;
  rd_kafka_poll(client_.get(), 0);
  const bool idle = rd_kafka_outq_len(client_.get()) == 0 && std::chrono::steady_clock::now() - used_ >= idle_;
  if (idle) throw_away();
}

void Appender::throw_away() {
  for (auto& topic : topics_) topic.reset();
  client_.reset();
}

/// It has lost count of what it sent. The next append makes another, so this passes by itself.
bool Appender::of_no_more_use() const {
  return client_ && rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

Error Appender::begin_anew_if_needed() {
  used_ = std::chrono::steady_clock::now();
  if (client_ && !of_no_more_use()) return {};
  throw_away();
  events::LogStatus status;
  auto options = options_;
  if (keeps_ == Keeps::for_ever) options.request_limit = {};  // of a message: none
  client_ = make_client(Role::appender, options, {}, *this, status);
  if (!client_) return {RD_KAFKA_RESP_ERR__INVALID_ARG, status.message};
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    topics_[i].reset(rd_kafka_topic_new(client_.get(), options_.topics[i].c_str(), nullptr));
  }
  return {};
}

void Appender::delivered(const rd_kafka_message_t& message) {
  auto* at = static_cast<events::Position*>(message._private);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (at != nullptr) *at = {message.partition, message.offset};
    return;
  }
  Error failed(message.err);  // not the message's own text: of one that was to be written that is its value
  failed.retriable = of_no_more_use() || failed.fenced();  // it has no name that another could take
  std::scoped_lock lock(mutex_);
  if (failure_.ok()) failure_ = std::move(failed);
}

Error Appender::take_failure() {
  const bool unproven = take_unproven();
  std::scoped_lock lock(mutex_);
  auto failure = std::exchange(failure_, {});
  return failure.ok() && unproven ? Error::unproven_delivery() : failure;
}

Error Appender::produce(const events::NewRecord& record, events::Position* at) {
  auto error = kafka::produce(client_.get(), topics_[static_cast<std::size_t>(record.stream)].get(), record, at);
  error.retriable = error.retriable || of_no_more_use();
  return error;
}

events::Appended Appender::append(std::span<const events::NewRecord> records) {
  const std::string tried = "appending to " + options_.brokers;
  if (const auto error = begin_anew_if_needed(); !error.ok()) return {{}, error.status(tried)};
  events::Appended appended;
  appended.at.resize(records.size());
  Error error;
  for (std::size_t i = 0; i < records.size() && error.ok(); ++i) error = produce(records[i], &appended.at[i]);
  const auto limit_ms = static_cast<int>(options_.request_limit.count);
  if (const Error flushed(rd_kafka_flush(client_.get(), limit_ms)); !flushed.ok()) {
    throw_away();  // deliveries told later would write where nothing is any more
    if (error.ok()) error = flushed;
  }
  if (auto failure = take_failure(); !failure.ok()) error = std::move(failure);
  if (error.ok()) return appended;
  return {{}, error.status(tried)};
}

Error Appender::send(const events::NewRecord& record) {
  if (auto error = begin_anew_if_needed(); !error.ok()) return error;
  if (auto error = produce(record, nullptr); !error.ok()) return error;
  rd_kafka_poll(client_.get(), 0);
  return take_failure();
}

}  // namespace mayfly::adapters::kafka
