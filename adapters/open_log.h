// Opens the log that a word names: sqlite:FILE or kafka:HOST:PORT[,HOST:PORT...].
#pragma once

#include "adapters/kafka/kafka_options.h"
#include "adapters/sqlite/sqlite_options.h"
#include "events/log/log.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mayfly::adapters {

inline constexpr std::int32_t default_partitions = 4;

struct LogOptions {
  std::int32_t partitions = default_partitions;  // for a log that is made
  std::string engine = "mayfly";
  KafkaOptions kafka;  // its brokers are what the word names
  SqliteOptions sqlite{};
};

/// Says why `name` can be no log's, by its form alone; empty if it can.
[[nodiscard]] std::string not_log_name(std::string_view name);

/// The engine's side. Null with `status` set if it cannot be opened; an ok status with a message is a warning.
[[nodiscard]] std::unique_ptr<events::Log> open_log(std::string_view name, const LogOptions&, const events::Clock&,
                                                    events::LogStatus& status);
/// A reader's side: it changes nothing, and of a SQLite file needs only the right to read.
[[nodiscard]] std::unique_ptr<events::LogClient> open_reader(std::string_view name, const LogOptions&,
                                                             const events::Clock&, events::LogStatus& status);
/// A producer's and reader's side. `create`: make the log where there is none.
[[nodiscard]] std::unique_ptr<events::LogClient> open_client(std::string_view name, const LogOptions&, bool create,
                                                             const events::Clock&, events::LogStatus& status);

}  // namespace mayfly::adapters
