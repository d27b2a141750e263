#include "adapters/kafka/kafka_client.h"

#include "adapters/kafka/kafka_limits.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mayfly::adapters {

using events::LogError;
using SteadyClock = std::chrono::steady_clock;

std::unique_ptr<KafkaClient> KafkaClient::open(const KafkaOptions& options, std::int32_t partitions_if_new,
                                               events::LogStatus& status) {
  std::unique_ptr<KafkaClient> client(new KafkaClient(options));
  status = kafka::topics_of(options, partitions_if_new, client->topics_);
  if (!status.ok()) return nullptr;
  client->reader_ = kafka::Reader::make(options, most_streams * client->topics_.partitions, status);
  if (!client->reader_) return nullptr;
  client->appender_.bound_batches(client->topics_.least_limit_bytes());
  return client;
}

events::Appended KafkaClient::append(std::span<const events::NewRecord> records) {
  for (const auto& record : records) {
    if (auto why = kafka::refusal(record, topics_); !why.empty()) return {{}, {LogError::invalid, why}};
  }
  return appender_.append(records);
}

kafka::Lane& KafkaClient::lane(events::Stream stream, events::Partition partition, events::Offset from) {
  if (open_[0].stream != stream) std::swap(open_[0], open_[1]);
  if (open_[0].stream != stream) open_[0] = {stream, {}};
  auto& open = open_[0].lanes[partition];
  if (open && open->next() != from) open.reset();  // first: its end would end another reading of the partition
  if (!open) open = reader_->read(stream, partition, from);
  return *open;
}

events::Fetched KafkaClient::read(events::Stream stream, events::Partition partition, events::Offset from,
                                  const events::PollLimits& limits) {
  events::Fetched fetched;
  auto& reading = lane(stream, partition, from);
  const auto begun = SteadyClock::now();
  const auto wait = std::chrono::milliseconds(limits.wait.count);
  const auto limit = std::chrono::milliseconds(options_.request_limit.count);
  bool nudged = !reading.has_given();
  for (;;) {
    std::size_t records = limits.records;
    std::size_t bytes = limits.bytes;
    reading.take(records, bytes, fetched.batch);
    if (const auto error = reading.take_error(); !error.ok()) {
      fetched.status = error.status("reading partition " + std::to_string(partition) + " of " + options_.topic(stream));
    }
    if (!fetched.batch.records.empty() || !fetched.status.ok()) break;
    // Whether there is anything is known only when the end was seen: until then the wait is for the brokers' answer.
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                          begun + (reading.at_end() ? wait : std::max(wait, limit)) - SteadyClock::now())
                          .count();
    if (left <= 0) {
      if (!reading.at_end()) {
        fetched.status = kafka::Error(RD_KAFKA_RESP_ERR__TIMED_OUT, reader_->listener().last_heard())
                             .status("reading " + options_.topic(stream) + " at " + options_.brokers);
      }
      break;
    }
    const bool called = reader_->waker().wait({left});
    if (!called && !nudged && !reading.at_end()) {
      reader_->nudge(stream, partition, {left});
      nudged = true;
    }
    reader_->serve();
  }
  if (!fetched.batch.records.empty()) reader_->waker().found();
  fetched.next = std::max(from, reading.next());
  return fetched;
}

events::StreamEnds KafkaClient::ends(events::Stream stream, events::Partition partition) {
  events::StreamEnds ends;
  const bool reads = std::any_of(open_.begin(), open_.end(), [](const OpenLanes& open) { return !open.lanes.empty(); });
  if (reads && !asker_) asker_ = kafka::Reader::make(options_, 1, ends.status);
  if (!ends.status.ok()) return ends;
  auto& asked = reads ? *asker_ : *reader_;
  ends.status = asked.ends(stream, partition, ends)
                    .status("asking where partition " + std::to_string(partition) + " of " + options_.topic(stream) +
                            " begins and ends");
  return ends;
}

void KafkaClient::rest() {
  for (auto& open : open_) open.lanes.clear();
}

kafka::Group* KafkaClient::group(std::string_view name, events::LogStatus& status) {
  if (!group_ || group_->name() != name) group_ = kafka::Group::make(options_, std::string(name), status);
  return group_.get();
}

events::GroupPositions KafkaClient::group_positions(std::string_view name, events::Stream stream) {
  events::GroupPositions positions;
  if (auto* of = group(name, positions.status)) {
    positions.status = of->read(stream, topics_.partitions, positions.next);
  }
  return positions;
}

events::LogStatus KafkaClient::keep_group_positions(std::string_view name, events::Stream stream,
                                                    std::span<const events::Position> next) {
  events::LogStatus status;
  auto* of = group(name, status);
  return of == nullptr ? status : of->keep(stream, next);
}

}  // namespace mayfly::adapters
