#include "adapters/kafka/kafka_group.h"

#include "adapters/kafka/kafka_error.h"

#include <chrono>
#include <thread>

namespace mayfly::adapters::kafka {

namespace {

/// Engines' groups begin with "mayfly-": none has this name.
constexpr const char* group_prefix = "mayfly.reader.";

/// The answer's own error, or that of its first partition that has one.
Error error_of(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* places) {
  for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && places != nullptr && i < places->cnt; ++i) {
    code = places->elems[i].err;
  }
  return Error(code);
}

/// A coordinator that is chosen or loads answers a little later: asks until there is another answer or `limit` is over.
template <class Ask>
Error patiently(events::Millis limit, Ask&& ask) {
  constexpr std::chrono::milliseconds pause{100};
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit.count);
  auto error = ask();
  while (error.unavailable() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(pause);
    error = ask();
  }
  return error;
}

}  // namespace

std::unique_ptr<Group> Group::make(const KafkaOptions& options, std::string name, events::LogStatus& status) {
  std::unique_ptr<Group> group(new Group(options, std::move(name)));
  Identity identity;
  identity.group = group_prefix + group->name_;
  group->client_ = make_client(Role::group, options, identity, group->listener_, status);
  return group->client_ ? std::move(group) : nullptr;
}

events::LogStatus Group::read(events::Stream stream, std::int32_t partitions, std::vector<events::Position>& next) {
  const Places places(rd_kafka_topic_partition_list_new(partitions));
  for (events::Partition p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(places.get(), options_.topic(stream).c_str(), p);
  }
  const auto error = patiently(options_.request_limit, [&] {
    const auto limit_ms = static_cast<int>(options_.request_limit.count);
    return error_of(rd_kafka_committed(client_.get(), places.get(), limit_ms), places.get());
  });
  if (!error.ok()) return error.status("asking for the positions of the group " + (group_prefix + name_));
  for (int i = 0; i < places->cnt; ++i) {
    const auto& place = places->elems[i];
    if (place.offset >= 0) next.push_back({place.partition, place.offset});
  }
  return {};
}

events::LogStatus Group::keep(events::Stream stream, std::span<const events::Position> next) {
  const Places places(rd_kafka_topic_partition_list_new(static_cast<int>(next.size())));
  for (const auto& p : next) {
    rd_kafka_topic_partition_list_add(places.get(), options_.topic(stream).c_str(), p.partition)->offset = p.offset;
  }
  const auto error = patiently(options_.request_limit, [&] {
    const Queue queue(rd_kafka_queue_new(client_.get()));
    const auto code = rd_kafka_commit_queue(client_.get(), places.get(), queue.get(), nullptr, nullptr);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return Error(code);
    const Event answer(rd_kafka_queue_poll(queue.get(), static_cast<int>(options_.request_limit.count)));
    if (!answer) return Error(RD_KAFKA_RESP_ERR__TIMED_OUT);
    return error_of(rd_kafka_event_error(answer.get()), rd_kafka_event_topic_partition_list(answer.get()));
  });
  return error.ok() ? events::LogStatus{}
                    : error.status("keeping the positions of the group " + (group_prefix + name_));
}

}  // namespace mayfly::adapters::kafka
