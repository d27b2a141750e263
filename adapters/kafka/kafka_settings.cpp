#include "adapters/kafka/kafka_settings.h"

#include "adapters/record_limits.h"
#include "events/text/number.h"
#include "events/text/precondition.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace mayfly::adapters::kafka {

namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

constexpr int heartbeats_per_session = 5;
constexpr std::size_t largest_batch_bytes = 900'000;      // of several records; one that is larger goes alone
constexpr std::size_t largest_fetch_bytes = 1024 * 1024;  // of one partition
constexpr std::size_t bytes_beside_record = 512;          // that librdkafka keeps, measured
constexpr int most_waiting_records = 50'000;              // to be sent; of each with its headers it keeps some 2 KB

Settings begins_with(Role role) {
  Settings all = {{"reconnect.backoff.ms", "50"}, {"reconnect.backoff.max.ms", "1000"}, {"retry.backoff.ms", "10"}};
  const auto add = [&all](const Settings& more) { all.insert(all.end(), more.begin(), more.end()); };
  switch (role) {
    case Role::member:
    case Role::group:
    case Role::asker: break;
    case Role::reader:
      // An answer comes as soon as there is one byte; the wait only bounds how long an idle request is open. Whatever
      // else this client asks a broker waits behind it.
      add({{"fetch.min.bytes", "1"}, {"fetch.wait.max.ms", "500"}, {"fetch.error.backoff.ms", "20"}});
      break;
    case Role::transactional:
      add({{"compression.codec", "lz4"},
           {"linger.ms", "5"},  // a commit flushes at once
           {"batch.size", std::to_string(largest_batch_bytes)},
           {"queue.buffering.max.messages", std::to_string(most_waiting_records)}});
      break;
    case Role::appender:
      add({{"compression.codec", "lz4"}, {"linger.ms", "0"}, {"batch.size", std::to_string(largest_batch_bytes)}});
      break;
  }
  return all;
}

Settings must_hold(Role role, const KafkaOptions& options, const Identity& identity) {
  Settings all = {{"bootstrap.servers", options.brokers}, {"client.id", "mayfly"}};
  const auto add = [&all](const Settings& more) { all.insert(all.end(), more.begin(), more.end()); };
  const auto ms = [](events::Millis m) { return std::to_string(m.count); };
  const Settings reading = {{"isolation.level", "read_committed"},
                            {"enable.auto.commit", "false"},
                            {"enable.auto.offset.store", "false"},
                            {"auto.offset.reset", "error"},
                            {"allow.auto.create.topics", "false"}};
  switch (role) {
    case Role::member:
      add(reading);
      add({{"group.id", identity.group},
           {"group.instance.id", identity.instance},
           {"partition.assignment.strategy", "range"},
           {"session.timeout.ms", ms(options.session_timeout)},
           {"heartbeat.interval.ms", ms({options.session_timeout.count / heartbeats_per_session})}});
      break;
    case Role::reader:
      add(reading);
      add({{"enable.partition.eof", "true"}, {"check.crcs", "true"}});
      break;
    case Role::group:  // it only asks for and commits offsets
      add(reading);
      add({{"group.id", identity.group}});
      break;
    case Role::transactional:
      add({{"message.max.bytes", std::to_string(largest_record_bytes)},
           {"transactional.id", identity.transactional_id},
           {"transaction.timeout.ms", ms(options.transaction_timeout)},
           {"message.timeout.ms", ms(options.transaction_timeout)}});
      break;
    case Role::appender:
      // One request at a time: if a broker refuses a request while it takes the next one, librdkafka may believe that
      // it took both (Listener::take_unproven), and the records of a cart would change places.
      add({{"message.max.bytes", std::to_string(largest_record_bytes)},
           {"enable.idempotence", "true"},
           {"max.in.flight.requests.per.connection", "1"},
           {"message.timeout.ms", ms(options.request_limit)}});  // 0: none
      break;
    case Role::asker:  // what it sends is never taken (kafka_rights.h)
      add({{"acks", "2"}, {"linger.ms", "0"}, {"message.timeout.ms", ms(options.request_limit)}});
      break;
  }
  return all;
}

Listener* listener(void* opaque) { return static_cast<Listener*>(opaque); }

rd_kafka_resp_err_t hear_acknowledgement(rd_kafka_t*, rd_kafka_message_t* message, void* opaque) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset < 0) listener(opaque)->unproven();
  if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) listener(opaque)->too_large();
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t hear_acknowledgements(rd_kafka_t* client, const rd_kafka_conf_t*, void* opaque, char*,
                                          std::size_t) {
  return rd_kafka_interceptor_add_on_acknowledgement(client, "mayfly", hear_acknowledgement, opaque);
}

void destroy_client(rd_kafka_t* client) {
  if (rd_kafka_type(client) == RD_KAFKA_PRODUCER) {
    rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  }
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

}  // namespace

void Listener::heard(const char* line) {
  std::scoped_lock lock(mutex_);
  last_ = line;
}

std::string Listener::last_heard() const {
  std::scoped_lock lock(mutex_);
  return last_;
}

Identity identity_of(std::string_view engine, const KafkaOptions& options) {
  Identity identity;
  identity.instance = options.instance;
  if (identity.instance.empty()) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    identity.instance = host.data();
  }
  identity.group = kafka_group_of(engine);
  identity.transactional_id = identity.group + "-" + identity.instance;
  return identity;
}

void bound_batches(KafkaOptions& options, std::size_t most_bytes) {
  auto& size = options.properties.try_emplace("batch.size", std::to_string(largest_batch_bytes)).first->second;
  size = std::to_string(std::clamp<std::size_t>(events::number_in<std::size_t>(size).value_or(0), 1, most_bytes));
}

/// librdkafka bounds each partition: by the bytes of its records, which leave out what it keeps beside each of them,
/// and by their number, both looked at before a fetch is asked for. So a partition's share has three parts: these
/// bytes, what is kept beside them, and a fetch.
void bound_read_ahead(KafkaOptions& options, std::int32_t partitions) {
  events::precondition(partitions > 0, "bound_read_ahead: there are partitions");
  const auto share = options.read_ahead_bytes / static_cast<std::size_t>(partitions);
  const auto fetch = std::clamp<std::size_t>(share / 4, 1, largest_fetch_bytes);
  const auto queue = (share - fetch) / 2;
  const auto set = [&options](const char* name, std::size_t value, std::size_t most) {
    options.properties[name] = std::to_string(std::clamp<std::size_t>(value, 1, most));
  };
  set("fetch.message.max.bytes", fetch, largest_fetch_bytes);
  set("queued.max.messages.kbytes", queue / 1024, 2'097'151);
  set("queued.min.messages", queue / bytes_beside_record, 10'000'000);
}

Client make_client(Role role, const KafkaOptions& options, const Identity& identity, Listener& heard_by,
                   events::LogStatus& status) {
  Conf conf(rd_kafka_conf_new());
  char why[512];
  const auto set = [&](const std::string& name, const std::string& value) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK) return true;
    status = {events::LogError::invalid, "Kafka's setting " + name + ": " + why + "."};
    return false;
  };
  for (const auto& [name, value] : begins_with(role)) {
    if (!set(name, value)) return nullptr;
  }
  // How long after as much was read ahead as may be it is looked whether there is room again; a second by default. The
  // library before 2.2 does not know it (Reader::nudge).
  if (role == Role::reader) rd_kafka_conf_set(conf.get(), "fetch.queue.backoff.ms", "10", why, sizeof why);
  for (const auto& [name, value] : options.properties) {
    if (!set(name, value)) return nullptr;
  }
  for (const auto& [name, value] : must_hold(role, options, identity)) {
    if (!set(name, value)) return nullptr;
  }
  rd_kafka_conf_set_opaque(conf.get(), &heard_by);
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t* client, int level, const char* kind, const char* line) {
    constexpr int warning = 4;
    if (std::string_view(kind) == "TXNERR") listener(rd_kafka_opaque(client))->fail_transaction();
    if (level <= warning) listener(rd_kafka_opaque(client))->heard(line);
  });
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int error, const char* reason, void* opaque) {
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) listener(opaque)->doubt();
    listener(opaque)->heard(reason);
  });
  if (role == Role::member) {
    rd_kafka_conf_set_rebalance_cb(
        conf.get(), [](rd_kafka_t* client, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
                       void* opaque) { listener(opaque)->rebalanced(client, what, partitions); });
  }
  if (role == Role::appender || role == Role::asker) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
      listener(opaque)->delivered(*message);
    });
  }
  if (role == Role::appender || role == Role::transactional) {
    rd_kafka_conf_interceptor_add_on_new(conf.get(), "mayfly", hear_acknowledgements, &heard_by);
  }
  const bool reads = role == Role::member || role == Role::reader || role == Role::group;
  auto* client = rd_kafka_new(reads ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf.get(), why, sizeof why);
  if (client == nullptr) {
    status = {events::LogError::invalid, "Kafka's settings do not go together: " + std::string(why) + "."};
    return nullptr;
  }
  static_cast<void>(conf.release());  // the client has taken it over
  return {client, destroy_client};
}

StreamTopics topics_at(rd_kafka_t* client, const KafkaOptions& options) {
  StreamTopics topics;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    topics[i].reset(rd_kafka_topic_new(client, options.topics[i].c_str(), nullptr));
  }
  return topics;
}

}  // namespace mayfly::adapters::kafka
