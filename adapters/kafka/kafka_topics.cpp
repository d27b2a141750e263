#include "adapters/kafka/kafka_topics.h"

#include "adapters/kafka/kafka_error.h"
#include "events/text/number.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace mayfly::adapters::kafka {

using SteadyClock = std::chrono::steady_clock;

namespace {

using events::LogError;
using events::LogStatus;
using events::Stream;

constexpr auto look_again = std::chrono::milliseconds(20);

int limit_ms(const KafkaOptions& options) { return static_cast<int>(options.request_limit.count); }

/// Partitions and replicas of ours among all topics.
LogStatus look(rd_kafka_t* client, const KafkaOptions& options, AllTopics& all) {
  const struct rd_kafka_metadata* list = nullptr;
  const Error error(rd_kafka_metadata(client, 1, nullptr, &list, limit_ms(options)));
  if (!error.ok()) return error.status("asking " + options.brokers + " for its topics");
  const Metadata metadata(list);
  for (int i = 0; i < list->topic_cnt; ++i) {
    const auto& topic = list->topics[i];
    const auto ours = std::find(options.topics.begin(), options.topics.end(), topic.topic);
    if (ours == options.topics.end()) continue;
    auto& facts = all[static_cast<std::size_t>(ours - options.topics.begin())];
    facts.leaderless = topic.err != RD_KAFKA_RESP_ERR_NO_ERROR && !Error(topic.err).unknown_topic();
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const bool all_led = std::all_of(topic.partitions, topic.partitions + topic.partition_cnt,
                                     [](const rd_kafka_metadata_partition& p) { return p.leader >= 0; });
    facts.leaderless = !all_led;
    if (!all_led) continue;
    facts.partitions = topic.partition_cnt;
    facts.replicas = topic.partition_cnt > 0 ? topic.partitions[0].replica_cnt : 0;
    for (int p = 0; p < topic.partition_cnt; ++p) {
      facts.replicas = std::min(facts.replicas, topic.partitions[p].replica_cnt);
    }
  }
  return {};
}

/// Sends an admin request and waits for its answer. Null with `error` set if there is none.
template <class Send>
Event ask(rd_kafka_t* client, rd_kafka_admin_op_t what, const KafkaOptions& options, Send send, Error& error) {
  const Queue queue(rd_kafka_queue_new(client));
  const AdminOptions admin(rd_kafka_AdminOptions_new(client, what));
  char why[256];
  rd_kafka_AdminOptions_set_request_timeout(admin.get(), limit_ms(options), why, sizeof why);
  send(admin.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), limit_ms(options)));
  error = event ? Error(rd_kafka_event_error(event.get())) : Error(RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (event && !error.ok()) error.message = rd_kafka_event_error_string(event.get());
  return error.ok() ? std::move(event) : nullptr;
}

std::vector<std::pair<const char*, std::string>> settings_of(Stream stream, const KafkaOptions& options) {
  std::vector<std::pair<const char*, std::string>> all = {{"message.timestamp.type", "LogAppendTime"},
                                                          {"max.message.bytes", "1114112"}};  // 1 MiB and headers
  if (options.min_insync_replicas > 0) {
    all.emplace_back("min.insync.replicas", std::to_string(options.min_insync_replicas));
  }
  if (stream == Stream::state) {
    all.emplace_back("cleanup.policy", "compact");
    // Restoring reads what is not yet compacted: segments that close soon are compacted soon.
    all.emplace_back("segment.bytes", "67108864");
    all.emplace_back("min.cleanable.dirty.ratio", "0.2");
  } else {
    all.emplace_back("cleanup.policy", "delete");
  }
  if (stream == Stream::commands)
    all.emplace_back("compression.type", "uncompressed");  // docs/kafka.md, What a batch unpacks to
  return all;
}

LogStatus make(rd_kafka_t* client, const KafkaOptions& options, std::int32_t partitions, const AllTopics& all) {
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> wanted;
  char why[256];
  for (int i = 0; i < events::stream_count; ++i) {
    if (all[static_cast<std::size_t>(i)].exists()) continue;
    const auto stream = static_cast<Stream>(i);
    NewTopic topic(rd_kafka_NewTopic_new(options.topic(stream).c_str(), partitions,
                                         options.replication_factor > 0 ? options.replication_factor : -1, why,
                                         sizeof why));
    if (!topic) return {LogError::invalid, "Topic " + options.topic(stream) + " cannot be made: " + why + "."};
    for (const auto& [name, value] : settings_of(stream, options)) {
      rd_kafka_NewTopic_set_config(topic.get(), name, value.c_str());
    }
    wanted.push_back(topic.get());
    topics.push_back(std::move(topic));
  }
  Error error;
  const auto event = ask(
      client, RD_KAFKA_ADMIN_OP_CREATETOPICS, options,
      [&](rd_kafka_AdminOptions_t* admin, rd_kafka_queue_t* queue) {
        rd_kafka_CreateTopics(client, wanted.data(), wanted.size(), admin, queue);
      },
      error);
  if (!event) return error.status("making topics at " + options.brokers);
  std::size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const auto* text = rd_kafka_topic_result_error_string(results[i]);
    Error refused(code, text != nullptr ? text : rd_kafka_err2str(code));
    // More replicas than brokers: those of a cluster that is started come one after the other.
    if (code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR) refused.retriable = true;
    return refused.status("making topic " + std::string(rd_kafka_topic_result_name(results[i])));
  }
  return {};
}

/// `unavailable` also where the broker that is asked has not yet heard of a topic that another one has.
LogStatus read_settings(rd_kafka_t* client, const KafkaOptions& options, AllTopics& all) {
  std::vector<ConfigResource> resources;
  std::vector<rd_kafka_ConfigResource_t*> asked;
  for (const auto& topic : options.topics) {
    resources.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    asked.push_back(resources.back().get());
  }
  Error error;
  const auto event = ask(
      client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, options,
      [&](rd_kafka_AdminOptions_t* admin, rd_kafka_queue_t* queue) {
        rd_kafka_DescribeConfigs(client, asked.data(), asked.size(), admin, queue);
      },
      error);
  if (!event) return error.status("reading the topics' settings");
  std::size_t count = 0;
  const auto* found =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(found[i]);
    if (Error e(rd_kafka_ConfigResource_error(found[i])); !e.ok()) {
      return e.status("reading the settings of topic " + name);
    }
    const auto ours = std::find(options.topics.begin(), options.topics.end(), name);
    if (ours == options.topics.end()) continue;
    auto& facts = all[static_cast<std::size_t>(ours - options.topics.begin())];
    std::size_t entries = 0;
    const auto* entry = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (std::size_t k = 0; k < entries; ++k) {
      const auto* value = rd_kafka_ConfigEntry_value(entry[k]);
      if (value != nullptr) facts.settings[rd_kafka_ConfigEntry_name(entry[k])] = value;
    }
  }
  return {};
}

bool all_exist(const AllTopics& all) {
  return std::all_of(all.begin(), all.end(), [](const TopicFacts& f) { return f.exists(); });
}

/// The topics of which that is true.
template <class Which>
std::string named(const KafkaOptions& options, const AllTopics& all, Which which) {
  std::string names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (which(all[i])) names.append(names.empty() ? "" : ", ").append(options.topics[i]);
  }
  return names;
}

LogStatus none_there(const KafkaOptions& options, const AllTopics& all) {
  return {LogError::invalid, options.brokers + " has no topic " +
                                 named(options, all, [](const TopicFacts& f) { return !f.exists(); }) +
                                 ". Make them by starting an engine: mayfly serve --log kafka:" + options.brokers};
}

/// Until every topic that is there has its leaders, no longer than `until`: what is missing is known only then.
LogStatus look_until_led(rd_kafka_t* client, const KafkaOptions& options, SteadyClock::time_point until,
                         AllTopics& all) {
  const auto leaderless = [](const TopicFacts& f) { return f.leaderless; };
  for (;;) {
    all = {};
    if (auto status = look(client, options, all); !status.ok()) return status;
    if (std::none_of(all.begin(), all.end(), leaderless)) return {};
    if (SteadyClock::now() > until) {
      return {LogError::unavailable, "Partitions of topic " + named(options, all, leaderless) + " at " +
                                         options.brokers + " have no leader. Start the brokers that are away."};
    }
    std::this_thread::sleep_for(look_again);
  }
}

void take_limits(const AllTopics& all, Topics& topics) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto found = all[i].settings.find("max.message.bytes");
    const auto bytes = found == all[i].settings.end() ? 0 : events::number_in<std::uint64_t>(found->second).value_or(0);
    topics.largest_record_bytes[i] = bytes > 0 ? bytes : 1'000'000;
  }
}

}  // namespace

LogStatus prepare_topics(rd_kafka_t* client, const KafkaOptions& options, std::int32_t partitions_if_new,
                         Topics& topics) {
  AllTopics all;
  const auto until = SteadyClock::now() + std::chrono::milliseconds(options.request_limit.count);
  auto status = look_until_led(client, options, until, all);
  if (!status.ok()) return status;
  if (!all_exist(all)) {
    if (partitions_if_new <= 0) return none_there(options, all);
    const auto& commands = all[static_cast<std::size_t>(Stream::commands)];
    status = make(client, options, commands.exists() ? commands.partitions : partitions_if_new, all);
    while (status.ok() && !all_exist(all)) {
      if (SteadyClock::now() > until) {
        return {LogError::unavailable, "Topics were made at " + options.brokers +
                                           ", and not every broker knows them yet. Wait for the cluster to settle."};
      }
      std::this_thread::sleep_for(look_again);
      status = look(client, options, all);
    }
    if (!status.ok()) return status;
  }
  status = read_settings(client, options, all);
  while (status.error == LogError::unavailable && SteadyClock::now() < until) {
    std::this_thread::sleep_for(look_again);
    status = read_settings(client, options, all);
  }
  if (!status.ok()) return status;
  std::string wrong;
  for (const auto& finding : findings(all, options)) wrong += (wrong.empty() ? "" : "\n") + finding;
  if (!wrong.empty()) return {LogError::invalid, wrong};
  for (const auto& advice : warnings(all, options)) topics.warning += (topics.warning.empty() ? "" : "\n") + advice;
  topics.partitions = all[static_cast<std::size_t>(Stream::commands)].partitions;
  take_limits(all, topics);
  return {};
}

void read_limits(rd_kafka_t* client, const KafkaOptions& options, Topics& topics) {
  AllTopics all;
  if (read_settings(client, options, all).ok()) take_limits(all, topics);
}

}  // namespace mayfly::adapters::kafka
