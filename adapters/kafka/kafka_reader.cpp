#include "adapters/kafka/kafka_reader.h"

#include "adapters/record_limits.h"

#include <algorithm>
#include <chrono>
#include <memory_resource>
#include <thread>
#include <utility>

namespace mayfly::adapters::kafka {

namespace {

constexpr auto pause_before_retry = std::chrono::milliseconds(20);
constexpr std::size_t most_held = 64;  // of a lane, beyond what a batch takes: not counted as read ahead

/// What a batch views: messages as librdkafka has them, and lists of their headers.
struct Storage {
  explicit Storage(Client c) : client(std::move(c)) {}
  ~Storage() {
    for (auto* m : messages) rd_kafka_message_destroy(m);
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  Client client;  // outlives its messages
  std::vector<rd_kafka_message_t*> messages;
  std::pmr::monotonic_buffer_resource headers{16 * 1024};
};

std::span<const events::Header> headers_of(rd_kafka_message_t* message, std::pmr::memory_resource& memory) {
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const std::size_t count = rd_kafka_header_cnt(list);
  auto* headers =
      static_cast<events::Header*>(memory.allocate(count * sizeof(events::Header), alignof(events::Header)));
  for (std::size_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    rd_kafka_header_get_all(list, i, &name, &value, &size);
    new (headers + i) events::Header{name, {static_cast<const char*>(value), value == nullptr ? 0 : size}};
  }
  return {headers, count};
}

/// Errors that librdkafka gets over: a broker that is away or does not yet know its topics.
bool passes(rd_kafka_resp_err_t code) { return Error(code).ok() || Error(code).unavailable(); }

std::optional<events::Bytes> bytes_of(const void* data, std::size_t size) {
  if (data == nullptr) return std::nullopt;
  return events::Bytes{static_cast<const char*>(data), size};
}

events::Record record_of(rd_kafka_message_t* message, std::pmr::memory_resource& memory) {
  events::Record record;
  record.at = {message->partition, message->offset};
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.append_time = {rd_kafka_message_timestamp(message, &type)};
  record.timestamp_type = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? events::TimestampType::log_append_time
                          : type == RD_KAFKA_TIMESTAMP_CREATE_TIME   ? events::TimestampType::create_time
                                                                     : events::TimestampType::none;
  record.key = bytes_of(message->key, message->key_len);
  record.value = bytes_of(message->payload, message->len);
  record.headers = headers_of(message, memory);
  return record;
}

}  // namespace

// --- one partition -------------------------------------------------------------------------------------------------

Lane::Lane(Client client, rd_kafka_topic_t* topic, events::Partition partition, events::Offset from,
           Unpackable unpackable, Waker& waker, Listener& listener)
    : client_(std::move(client)),
      topic_(topic),
      partition_(partition),
      unpackable_(unpackable),
      waker_(waker),
      listener_(listener),
      next_(std::max<events::Offset>(from, 0)) {
  begin(from);
}

Lane::~Lane() {
  rd_kafka_consume_stop(topic_, partition_);
  Waker::watch(queue_.get(), nullptr);
  let_go_of_held();
}

void Lane::begin(events::Offset from) {
  queue_.reset(rd_kafka_queue_new(client_.get()));
  Waker::watch(queue_.get(), &waker_);
  if (rd_kafka_consume_start_queue(topic_, partition_, from, queue_.get()) != 0) error_ = Error(rd_kafka_last_error());
}

void Lane::let_go_of_held() {
  for (; next_held_ < held_.size(); ++next_held_) rd_kafka_message_destroy(held_[next_held_]);
}

/// A batch that no client unpacks, a few KB that come to gigabytes, is read again and again by librdkafka, which never
/// says where it ends. The checksum of the batch was right (check.crcs), and brokers have unpacked it: so it is nothing
/// that was damaged on its way. True while its end is looked for: the message and all behind it are of no use.
bool Lane::searches_on(const rd_kafka_message_t& message) {
  const bool is_unpackable = message.err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION;
  if (!search_) {
    if (!is_unpackable || unpackable_ == Unpackable::is_an_error) return false;
    search_.emplace(message.offset);
  } else {
    const bool says_nothing = message.err != RD_KAFKA_RESP_ERR__PARTITION_EOF && passes(message.err);
    if (says_nothing && message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    if (is_unpackable && message.offset == search_->first()) {
      search_->met_it();
    } else {
      search_->met_it_not();
    }
  }
  const auto end = search_->end();
  const auto from = end.value_or(search_->at());
  if (end) {
    next_ = *end;
    skipped_ = {{partition_, search_->first()}, *end, "They come to more bytes, unpacked, than the client takes."};
    search_.reset();
  }
  rd_kafka_consume_stop(topic_, partition_);
  Waker::watch(queue_.get(), nullptr);
  let_go_of_held();
  begin(from);
  return true;
}

bool Lane::hold_more(std::size_t most) {
  if (next_held_ < held_.size()) return true;
  held_.resize(std::min(most, most_held));
  next_held_ = 0;
  const auto count = rd_kafka_consume_batch_queue(queue_.get(), 0, held_.data(), held_.size());
  held_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return !held_.empty();
}

void Lane::take(std::size_t& records, std::size_t& bytes, events::RecordBatch& batch) {
  auto storage = std::static_pointer_cast<Storage>(std::const_pointer_cast<void>(batch.storage));
  if (!storage) batch.storage = storage = std::make_shared<Storage>(client_);
  while (records > 0 && hold_more(records)) {
    auto* message = held_[next_held_];
    if (searches_on(*message)) return;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR || message->offset < next_) {
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        end_seen_ = message->offset;
        next_ = std::max(next_, end_seen_);
      } else if (passes(message->err)) {
        listener_.heard(rd_kafka_message_errstr(message));
        if (Error(message->err).unknown_topic()) listener_.doubt();
      } else {
        error_ = Error(message->err, rd_kafka_message_errstr(message));
      }
      rd_kafka_message_destroy(message);
      ++next_held_;
      continue;
    }
    const auto size = message->key_len + message->len;
    if (size > bytes && !batch.records.empty()) return;
    storage->messages.push_back(message);
    ++next_held_;
    batch.records.push_back(record_of(message, storage->headers));
    next_ = message->offset + 1;
    has_given_ = true;
    --records;
    bytes -= std::min(bytes, size_of(batch.records.back()));
  }
}

events::Offset Lane::high_watermark() const {
  std::int64_t low = -1;
  std::int64_t high = -1;
  rd_kafka_get_watermark_offsets(client_.get(), rd_kafka_topic_name(topic_), partition_, &low, &high);
  return high;
}

// --- all of them ---------------------------------------------------------------------------------------------------

events::LogStatus topics_of(const KafkaOptions& options, std::int32_t partitions_if_new, Topics& topics) {
  events::LogStatus status;
  const auto reader = Reader::make(options, 1, status);
  return reader ? prepare_topics(reader->client(), options, partitions_if_new, topics) : status;
}

std::unique_ptr<Reader> Reader::make(const KafkaOptions& options, std::int32_t partitions, events::LogStatus& status) {
  std::unique_ptr<Reader> reader(new Reader(options));
  bound_read_ahead(reader->options_, partitions);
  reader->client_ = make_client(Role::reader, reader->options_, {}, reader->listener_, status);
  if (!reader->client_) return nullptr;
  reader->topics_ = topics_at(reader->client_.get(), options);
  return reader;
}

std::unique_ptr<Lane> Reader::read(events::Stream stream, events::Partition partition, events::Offset from) {
  auto* topic = topics_[static_cast<std::size_t>(stream)].get();
  const auto unpackable =
      stream == events::Stream::commands ? Lane::Unpackable::is_skipped : Lane::Unpackable::is_an_error;
  return std::make_unique<Lane>(client_, topic, partition, from, unpackable, waker_, listener_);
}

void Reader::nudge(events::Stream stream, events::Partition partition, events::Millis longest) {
  std::int64_t first = 0;
  std::int64_t end = 0;
  rd_kafka_query_watermark_offsets(client_.get(), options_.topic(stream).c_str(), partition, &first, &end,
                                   static_cast<int>(std::max<std::int64_t>(longest.count, 1)));
}

Error Reader::ends(events::Stream stream, events::Partition partition, events::StreamEnds& ends) {
  // A topic just made may not yet be known to its leader.
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.request_limit.count);
  for (;;) {
    Error error(rd_kafka_query_watermark_offsets(client_.get(), options_.topic(stream).c_str(), partition, &ends.first,
                                                 &ends.end, static_cast<int>(options_.request_limit.count)));
    if (passes(error.code) && !error.ok() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(pause_before_retry);
      continue;
    }
    return error;
  }
}

}  // namespace mayfly::adapters::kafka
