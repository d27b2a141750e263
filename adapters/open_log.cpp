#include "adapters/open_log.h"

#include "adapters/http/http_names.h"
#include "adapters/kafka/kafka_client.h"
#include "adapters/kafka/kafka_log.h"
#include "adapters/sqlite/sqlite_client.h"
#include "adapters/sqlite/sqlite_log.h"

#include <algorithm>
#include <utility>

namespace mayfly::adapters {

namespace {

/// What follows the prefix; empty if it is another one.
std::string after(std::string_view prefix, std::string_view name) {
  return name.starts_with(prefix) ? std::string(name.substr(prefix.size())) : std::string();
}

/// As librdkafka takes it, [PROTOCOL://]HOST[:PORT].
bool is_broker(std::string_view broker) {
  constexpr std::string_view scheme = "://";
  if (const auto at = broker.find(scheme); at != std::string_view::npos) broker.remove_prefix(at + scheme.size());
  if (broker.empty()) return false;
  const bool without_port = broker.find(':') == std::string_view::npos || broker.ends_with(']');
  if (without_port) return true;
  const auto place = http_place(broker);
  return place && place->port > 0;
}

}  // namespace

std::string not_log_name(std::string_view name) {
  if (!after("sqlite:", name).empty()) return {};
  const auto brokers = after("kafka:", name);
  if (brokers.empty()) {
    return "'" + std::string(name) +
           "' names no log. Give sqlite:FILE, for example sqlite:shop.db, or kafka:HOST:PORT[,HOST:PORT...]";
  }
  for (std::size_t at = 0; at <= brokers.size();) {
    const auto end = std::min(brokers.find(',', at), brokers.size());
    const auto broker = brokers.substr(at, end - at);
    if (!is_broker(broker))
      return "'" + broker + "' is no broker's address. Give HOST:PORT, for example kafka:localhost:9092.";
    at = end + 1;
  }
  return {};
}

std::unique_ptr<events::Log> open_log(std::string_view name, const LogOptions& options, const events::Clock& clock,
                                      events::LogStatus& status) {
  if (auto wrong = not_log_name(name); !wrong.empty()) {
    status = {events::LogError::invalid, std::move(wrong)};
    return nullptr;
  }
  if (const auto file = after("sqlite:", name); !file.empty()) {
    return SqliteLog::open(file, options.partitions, options.engine, clock, status, options.sqlite);
  }
  auto kafka = options.kafka;
  kafka.brokers = after("kafka:", name);
  return KafkaLog::open(kafka, options.partitions, options.engine, status);
}

std::unique_ptr<events::LogClient> open_reader(std::string_view name, const LogOptions& options,
                                               const events::Clock& clock, events::LogStatus& status) {
  if (const auto file = after("sqlite:", name); !file.empty()) return SqliteClient::open_to_read(file, clock, status);
  return open_client(name, options, false, clock, status);
}

std::unique_ptr<events::LogClient> open_client(std::string_view name, const LogOptions& options, bool create,
                                               const events::Clock& clock, events::LogStatus& status) {
  if (auto wrong = not_log_name(name); !wrong.empty()) {
    status = {events::LogError::invalid, std::move(wrong)};
    return nullptr;
  }
  const auto partitions_if_new = create ? options.partitions : 0;
  if (const auto file = after("sqlite:", name); !file.empty()) {
    return SqliteClient::open(file, partitions_if_new, clock, status);
  }
  auto kafka = options.kafka;
  kafka.brokers = after("kafka:", name);
  return KafkaClient::open(kafka, partitions_if_new, status);
}

}  // namespace mayfly::adapters
