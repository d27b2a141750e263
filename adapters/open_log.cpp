#include "adapters/open_log.h"

#include "adapters/kafka/kafka_client.h"
#include "adapters/kafka/kafka_log.h"
#include "adapters/sqlite/sqlite_client.h"
#include "adapters/sqlite/sqlite_log.h"

namespace mayfly::adapters {

namespace {

/// What follows the prefix; empty if it is another one.
std::string after(std::string_view prefix, std::string_view name) {
  return name.starts_with(prefix) ? std::string(name.substr(prefix.size())) : std::string();
}

events::LogStatus no_log(std::string_view name) {
  return {events::LogError::invalid, "'" + std::string(name) +
                                         "' names no log. Give sqlite:FILE, for example sqlite:shop.db, or "
                                         "kafka:HOST:PORT[,HOST:PORT...]"};
}

}  // namespace

std::unique_ptr<events::Log> open_log(std::string_view name, const LogOptions& options, const events::Clock& clock,
                                      events::LogStatus& status) {
  if (const auto file = after("sqlite:", name); !file.empty()) {
    return SqliteLog::open(file, options.partitions, options.engine, clock, status, options.sqlite);
  }
  auto kafka = options.kafka;
  kafka.brokers = after("kafka:", name);
  if (!kafka.brokers.empty()) return KafkaLog::open(kafka, options.partitions, options.engine, status);
  status = no_log(name);
  return nullptr;
}

std::unique_ptr<events::LogClient> open_reader(std::string_view name, const LogOptions& options,
                                               const events::Clock& clock, events::LogStatus& status) {
  if (const auto file = after("sqlite:", name); !file.empty()) return SqliteClient::open_to_read(file, clock, status);
  return open_client(name, options, false, clock, status);
}

std::unique_ptr<events::LogClient> open_client(std::string_view name, const LogOptions& options, bool create,
                                               const events::Clock& clock, events::LogStatus& status) {
  const auto partitions_if_new = create ? options.partitions : 0;
  if (const auto file = after("sqlite:", name); !file.empty()) {
    return SqliteClient::open(file, partitions_if_new, clock, status);
  }
  auto kafka = options.kafka;
  kafka.brokers = after("kafka:", name);
  if (!kafka.brokers.empty()) return KafkaClient::open(kafka, partitions_if_new, status);
  status = no_log(name);
  return nullptr;
}

}  // namespace mayfly::adapters
