// The config file (TOML) of `mayfly serve`; docs/configuration.md has every key.
#pragma once

#include "actors/engine/engine.h"
#include "adapters/http/http.h"
#include "adapters/kafka/kafka_options.h"
#include "adapters/sqlite/sqlite_options.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly::tools {

/// Whether the page of `Config::http` finds carts and shows what alerts say: whoever reaches the address may read it.
enum class NamesCarts : std::uint8_t { on_loopback, always, never };

struct Config {
  Config() { engine.settings = events::default_settings(); }

  std::string log;
  std::int32_t partitions = 4;  // for a log that is made
  actors::EngineConfig engine;
  adapters::HttpLimits http_limits;
  std::string http;  // HOST:PORT or "off"; empty: the default address if it is free
  NamesCarts names_carts = NamesCarts::on_loopback;
  std::string tick_secret_file;
  std::string state_dir;  // of the flight recorder's file; empty: beside the SQLite file
  events::Millis stuck_limit{60'000};
  events::Millis handler_cpu_limit{10'000};
  events::Millis log_write_limit{10'000};
  events::Millis drain_limit{25'000};
  adapters::KafkaOptions kafka;
  adapters::SqliteOptions sqlite;
};

/// 1 to 64 of A-Z a-z 0-9 . _ -: it stands in ce_source, in every idempotency key, in names on Kafka.
[[nodiscard]] bool is_engine_name(std::string_view name);

/// Reads `file` over `config`. Returns an empty string, or all that is wrong, a line each: file, line, key, what to do.
[[nodiscard]] std::string read_config(const std::string& file, Config& config);
/// The same from text; `name` stands for the file in messages.
[[nodiscard]] std::string read_config_text(const std::string& text, const std::string& name, Config& config);

/// Reads what engine.tick_secret_file names into engine.tick_secrets and engine.settings. Returns as read_config.
[[nodiscard]] std::string read_tick_secrets(Config& config);

}  // namespace mayfly::tools
