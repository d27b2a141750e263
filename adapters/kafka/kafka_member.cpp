#include "adapters/kafka/kafka_member.h"

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace mayfly::adapters::kafka {

namespace {

constexpr auto close_limit = std::chrono::seconds(5);
constexpr int close_step_ms = 50;

Places no_places() { return Places(rd_kafka_topic_partition_list_new(0)); }

}  // namespace

std::unique_ptr<Member> Member::join(const KafkaOptions& options, const Identity& identity, Hooks hooks, Waker& waker,
                                     events::LogStatus& status) {
  std::unique_ptr<Member> member(new Member(options, identity, std::move(hooks)));
  auto client = make_client(Role::member, options, identity, *member, status);
  if (!client) return nullptr;
  member->client_ = std::move(client);
  member->topics_ = topics_at(member->client_.get(), options);
  rd_kafka_poll_set_consumer(member->client_.get());
  member->queue_.reset(rd_kafka_queue_get_consumer(member->client_.get()));
  Waker::watch(member->queue_.get(), &waker);
  const auto wanted = no_places();
  rd_kafka_topic_partition_list_add(wanted.get(), options.topic(events::Stream::commands).c_str(),
                                    RD_KAFKA_PARTITION_UA);
  const Error error(rd_kafka_subscribe(member->client_.get(), wanted.get()));
  if (error.ok()) return member;
  status = error.status("subscribing to " + options.topic(events::Stream::commands));
  return nullptr;
}

/// Closing calls `rebalanced` once more, in this thread; it must not hang a process that ends.
Member::~Member() {
  if (!client_) return;
  hooks_ = {};
  if (queue_) {
    Waker::watch(queue_.get(), nullptr);
    const Queue last_words(rd_kafka_queue_new(client_.get()));
    const auto until = std::chrono::steady_clock::now() + close_limit;
    const Error closing(rd_kafka_consumer_close_queue(client_.get(), last_words.get()));
    while (closing.ok() && rd_kafka_consumer_closed(client_.get()) == 0 && std::chrono::steady_clock::now() < until) {
      const Event event(rd_kafka_queue_poll(last_words.get(), close_step_ms));
      if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) rd_kafka_assign(client_.get(), nullptr);
    }
  }
}

void Member::rebalanced(rd_kafka_t* client, rd_kafka_resp_err_t what, const rd_kafka_topic_partition_list_t* list) {
  if (what != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    if (hooks_.leaving) hooks_.leaving();
    rd_kafka_assign(client, nullptr);
    if (hooks_.given) hooks_.given({}, nullptr);
    return;
  }
  // The group hears that the partitions are taken; reading them is somebody else's work.
  const auto nothing = no_places();
  rd_kafka_assign(client, nothing.get());
  std::vector<events::Partition> partitions;
  partitions.reserve(static_cast<std::size_t>(list->cnt));
  for (int i = 0; i < list->cnt; ++i) partitions.push_back(list->elems[i].partition);
  const std::shared_ptr<rd_kafka_consumer_group_metadata_t> now(rd_kafka_consumer_group_metadata(client),
                                                                By<rd_kafka_consumer_group_metadata_destroy>());
  if (hooks_.given) hooks_.given(std::move(partitions), now);
}

Error Member::poll() {
  while (const auto message = Message(rd_kafka_consumer_poll(client_.get(), 0))) {
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
      char why[512];
      const auto code = rd_kafka_fatal_error(client_.get(), why, sizeof why);
      Error error(code, why);
      error.fatal = true;
      return error;
    }
    if (message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) return Error(message->err);
    heard(rd_kafka_message_errstr(message.get()));
    if (Error(message->err).unknown_topic()) doubt();
  }
  return {};
}

Error Member::committed(events::Partition partition, events::Millis limit, events::Offset& offset) {
  const auto places = no_places();
  rd_kafka_topic_partition_list_add(places.get(), options_.topic(events::Stream::commands).c_str(), partition);
  Error error(rd_kafka_committed(client_.get(), places.get(), static_cast<int>(limit.count)));
  if (!error.ok()) return error;
  if (Error e(places->elems[0].err); !e.ok()) return e;
  offset = places->elems[0].offset >= 0 ? places->elems[0].offset : -1;
  return {};
}

bool Member::replaced() const {
  const rd_kafka_group_list* list = nullptr;
  const Error error(rd_kafka_list_groups(client_.get(), identity_.group.c_str(), &list,
                                         static_cast<int>(options_.request_limit.count)));
  const GroupList groups(list);
  if (!error.ok() || list == nullptr) return false;
  const std::unique_ptr<char, void (*)(char*)> own(rd_kafka_memberid(client_.get()),
                                                   [](char* id) { rd_kafka_mem_free(nullptr, id); });
  // A static member's id is its instance's name, "-" and a random part.
  const std::string prefix = identity_.instance + "-";
  for (int g = 0; g < list->group_cnt; ++g) {
    for (int m = 0; m < list->groups[g].member_cnt; ++m) {
      const std::string id = list->groups[g].members[m].member_id;
      if (id.starts_with(prefix) && id.size() == prefix.size() + 36 && (!own || id != own.get())) return true;
    }
  }
  return false;
}

}  // namespace mayfly::adapters::kafka
