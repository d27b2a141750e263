#include "adapters/kafka/kafka_options.h"

#include "adapters/kafka/kafka_handles.h"

#include <string_view>

namespace mayfly::adapters {

namespace {

struct Fixed {
  std::string_view name;
  std::string_view why;
};

constexpr std::string_view read_ahead = "it follows from kafka.read_ahead_bytes, one bound for all partitions together";

constexpr std::string_view in_flight = "the order of records, and whether they are known to be stored, stand on it";

/// What exactly-once, order, restore and the bound of memory stand on.
constexpr Fixed fixed[] = {
    {"bootstrap.servers", "it is what --log kafka:HOST:PORT says"},
    {"metadata.broker.list", "it is what --log kafka:HOST:PORT says"},
    {"group.id", "it is derived from the engine's name, with which its committed positions stay"},
    {"group.instance.id", "it is kafka.instance"},
    {"transactional.id", "it is derived from the engine's name and kafka.instance, so that a successor fences it"},
    {"session.timeout.ms", "it is kafka.session_timeout_ms"},
    {"heartbeat.interval.ms", "it follows from kafka.session_timeout_ms"},
    {"transaction.timeout.ms", "it is kafka.transaction_timeout_ms"},
    {"isolation.level", "only committed records may be decided"},
    {"enable.auto.commit", "positions are committed in the transaction with what was decided"},
    {"auto.commit.enable", "positions are committed in the transaction with what was decided"},
    {"enable.auto.offset.store", "positions are committed in the transaction with what was decided"},
    {"auto.offset.reset", "a position that is not there must be an error, not a guess"},
    {"enable.partition.eof", "restoring relies on it"},
    {"partition.assignment.strategy", "eager range is the one that librdkafka 2.0 does without defects"},
    {"enable.idempotence", "without it records could double or change places"},
    {"acks", "a transaction needs all"},
    {"request.required.acks", "a transaction needs all"},
    {"max.in.flight.requests.per.connection", in_flight},
    {"max.in.flight", in_flight},
    {"queued.max.messages.kbytes", read_ahead},
    {"queued.min.messages", read_ahead},
    {"fetch.message.max.bytes", read_ahead},
    {"max.partition.fetch.bytes", read_ahead},
    {"message.max.bytes", "it is the largest record that Mayfly writes; topics have limits of their own"},
    {"partitioner", "records are given their partition by murmur2 of the key"},
    {"allow.auto.create.topics", "topics need settings that a broker's automatic ones do not have"},
    {"enable.gapless.guarantee", "a failed record ends its transaction already"},
};

}  // namespace

std::string refused_property(const std::string& name, const std::string& value) {
  for (const auto& f : fixed) {
    if (f.name == name) return "kafka.properties." + name + " cannot be set: " + std::string(f.why) + ".";
  }
  const kafka::Conf conf(rd_kafka_conf_new());
  char why[512];
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK) return {};
  return "kafka.properties." + name + ": " + why + ".";
}

}  // namespace mayfly::adapters
