// What a topic must be like for the engine to keep its promises; each finding says how to make it so.
#include "adapters/kafka/kafka_topics.h"
#include "events/text/number.h"

#include <algorithm>
#include <optional>

namespace mayfly::adapters::kafka {

namespace {

using events::Stream;

constexpr std::int64_t least_retention_ms = 3'600'000;  // an hour: connectors and engine must come to read it
constexpr std::int64_t least_tombstone_ms = 600'000;    // a restore must see a tombstone that it has begun before
constexpr std::int64_t least_record_bytes = 1'000'000;  // events and state of the largest cart, and offers of its lines

class Checks {
 public:
  Checks(const AllTopics& all, const KafkaOptions& options) : all_(all), options_(options) {}

  std::vector<std::string> run() {
    counts();
    for (int i = 0; i < events::stream_count; ++i) each(static_cast<Stream>(i));
    settings_of_commands();
    settings_of_state();
    return std::move(found_);
  }

  std::vector<std::string> run_warnings() {
    for (int i = 0; i < events::stream_count; ++i) {
      const auto s = static_cast<Stream>(i);
      if (facts(s).replicas < 2 || number(s, "min.insync.replicas") != 1) continue;
      wrong(s,
            "min.insync.replicas is 1 although there are " + std::to_string(facts(s).replicas) +
                " replicas: what only one broker has is taken for stored, and is lost with it",
            "min.insync.replicas=2");
    }
    constexpr auto commands = Stream::commands;
    if (const auto type = setting(commands, "compression.type"); !type.empty() && type != "uncompressed") {
      wrong(commands,
            "compression.type is " + type +
                ": max.message.bytes bounds batches as they are compressed, so that one may come to a gigabyte in the "
                "engine; where every producer is trusted that may be as it is",
            "compression.type=uncompressed");
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] const TopicFacts& facts(Stream s) const { return all_[static_cast<std::size_t>(s)]; }
  [[nodiscard]] std::string setting(Stream s, const char* name) const {
    const auto found = facts(s).settings.find(name);
    return found == facts(s).settings.end() ? std::string() : found->second;
  }
  [[nodiscard]] std::optional<std::int64_t> number(Stream s, const char* name) const {
    return events::number_in<std::int64_t>(setting(s, name));
  }
  /// A finding that a setting mends.
  void wrong(Stream s, const std::string& what, const std::string& setting_wanted) {
    found_.push_back("Topic " + options_.topic(s) + ": " + what + ". Set it with: kafka-configs --bootstrap-server " +
                     options_.brokers + " --alter --entity-type topics --entity-name " + options_.topic(s) +
                     " --add-config " + setting_wanted);
  }

  void counts() {
    const auto want = facts(Stream::commands).partitions;
    for (const auto s : {Stream::events, Stream::state}) {
      if (facts(s).partitions == want) continue;
      found_.push_back("Topic " + options_.topic(s) + " has " + std::to_string(facts(s).partitions) + " partitions, " +
                       options_.topic(Stream::commands) + " has " + std::to_string(want) +
                       ". A cart lies in the same partition of both: the counts must be equal and never change. Begin "
                       "with new topics.");
    }
    for (const auto s : {Stream::deadletters, Stream::alerts}) {
      if (facts(s).partitions >= want) continue;
      found_.push_back("Topic " + options_.topic(s) + " has " + std::to_string(facts(s).partitions) +
                       " partitions, fewer than the " + std::to_string(want) + " of " +
                       options_.topic(Stream::commands) + ". Add some with: kafka-topics --bootstrap-server " +
                       options_.brokers + " --alter --topic " + options_.topic(s) + " --partitions " +
                       std::to_string(want));
    }
  }

  void each(Stream s) {
    constexpr auto least = least_record_bytes;
    if (const auto bytes = number(s, "max.message.bytes"); bytes && *bytes < least) {
      wrong(s, "max.message.bytes is " + std::to_string(*bytes) + ", but records may have " + std::to_string(least),
            "max.message.bytes=" + std::to_string(std::max<std::int64_t>(least, 1'048'588)));
    }
    if (const auto in_sync = number(s, "min.insync.replicas"); in_sync && *in_sync > facts(s).replicas) {
      wrong(s,
            "min.insync.replicas is " + std::to_string(*in_sync) + " but a partition has only " +
                std::to_string(facts(s).replicas) + " replicas, so nothing can be written",
            "min.insync.replicas=" + std::to_string(facts(s).replicas));
    }
    const bool deletes = setting(s, "cleanup.policy").find("delete") != std::string::npos;
    if (const auto kept = number(s, "retention.ms"); deletes && kept && *kept >= 0 && *kept < least_retention_ms) {
      wrong(s, "retention.ms is " + std::to_string(*kept) + ": records would be gone before they are read",
            "retention.ms=604800000");
    }
  }

  void settings_of_commands() {
    constexpr auto s = Stream::commands;
    if (const auto type = setting(s, "message.timestamp.type"); type != "LogAppendTime") {
      wrong(s, "message.timestamp.type is " + type + ": the only clock of a decision is the time of appending",
            "message.timestamp.type=LogAppendTime");
    }
    if (const auto policy = setting(s, "cleanup.policy"); policy.find("compact") != std::string::npos) {
      wrong(s, "cleanup.policy is " + policy + ": commands that are not yet decided would be lost",
            "cleanup.policy=delete");
    }
  }

  void settings_of_state() {
    constexpr auto s = Stream::state;
    if (const auto policy = setting(s, "cleanup.policy"); policy != "compact") {
      wrong(s, "cleanup.policy is " + policy + ": the state of open carts must be kept, however old it is",
            "cleanup.policy=compact");
    }
    if (const auto kept = number(s, "delete.retention.ms"); kept && *kept < least_tombstone_ms) {
      wrong(s, "delete.retention.ms is " + std::to_string(*kept) + ": a restore under way would miss carts' ends",
            "delete.retention.ms=86400000");
    }
  }

  const AllTopics& all_;
  const KafkaOptions& options_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> findings(const AllTopics& all, const KafkaOptions& options) {
  return Checks(all, options).run();
}

std::vector<std::string> warnings(const AllTopics& all, const KafkaOptions& options) {
  return Checks(all, options).run_warnings();
}

}  // namespace mayfly::adapters::kafka
