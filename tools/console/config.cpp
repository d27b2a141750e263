#include "tools/console/config.h"

#include "adapters/http/http_names.h"
#include "events/state/trouble.h"
#include "tools/console/config_keys.h"
#include "tools/console/secret_property.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace mayfly::tools {

namespace {

using adapters::read_host_names;
using events::Millis;

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t least_process_bytes = 64LL * 1024 * 1024;  // with less an engine only waits for memory
constexpr std::string_view properties = "kafka.properties.";
constexpr std::string_view connect_tables = "connect.";  // of `mayfly connect` (tools/connect/connect_config.h)

std::string read_names_carts(const std::string& word, NamesCarts& to) {
  if (word == "loopback") to = NamesCarts::on_loopback;
  if (word == "always") to = NamesCarts::always;
  if (word == "never") to = NamesCarts::never;
  const bool known = word == "loopback" || word == "always" || word == "never";
  return known ? std::string() : "give loopback, always or never.";
}

std::vector<ConfigKey> keys_of(Config& c) {
  auto& e = c.engine;
  auto& s = e.settings;
  auto& h = c.http_limits;
  const auto text = [](std::string table, std::string name, std::string& to) {
    return ConfigKey{std::move(table), std::move(name), 0, 0, nullptr, [&to](std::string v) {
                       to = std::move(v);
                       return std::string();
                     }};
  };
  const auto number = [](std::string table, std::string name, std::int64_t least, std::int64_t most, auto& to) {
    using To = std::remove_reference_t<decltype(to)>;
    return ConfigKey{std::move(table), std::move(name), least, most, [&to](std::int64_t v) { to = static_cast<To>(v); },
                     nullptr};
  };
  const auto millis = [](std::string table, std::string name, std::int64_t least, std::int64_t most, Millis& to) {
    return ConfigKey{std::move(table), std::move(name), least, most, [&to](std::int64_t v) { to = Millis{v}; },
                     nullptr};
  };
  const auto seconds = [](std::string name, std::int64_t most, Millis& to) {
    return ConfigKey{"decisions", std::move(name), 1, most, [&to](std::int64_t v) { to = Millis{v * 1000}; }, nullptr};
  };
  auto& u = e.supervision;
  const auto borne = [](std::string name, std::int64_t most, actors::Intensity& to) {
    return ConfigKey{"supervision", std::move(name), 0, most, [&to](std::int64_t v) { to.most = v; }, nullptr};
  };
  const auto borne_within = [](std::string name, actors::Intensity& to) {
    return ConfigKey{"supervision", std::move(name), 1, day_s, [&to](std::int64_t v) { to.within = Millis{v * 1000}; },
                     nullptr};
  };
  return {
      text("", "log", c.log),
      number("", "partitions", 1, 1024, c.partitions),
      text("engine", "name", e.name),
      text("engine", "tick_secret_file", c.tick_secret_file),
      ConfigKey{"replies", "sources", 0, 0, nullptr,
                [&s](const std::string& v) {
                  const auto patterns = events::SourcePatterns::from(v);
                  if (patterns) s.reply_sources = *patterns;
                  return patterns ? std::string() : "give patterns with spaces between, 254 bytes at most.";
                }},
      number("engine", "batch_records", 1, 1'000'000, e.batch_records),
      number("engine", "batch_bytes", 1024, 1 << 30, e.batch_bytes),
      number("engine", "batch_output_records", 1, 10'000'000, e.batch_output_records),
      number("engine", "batch_output_bytes", 1024, 1 << 30, e.batch_output_bytes),
      millis("engine", "batch_time_ms", 10, 600'000, e.batch_time),
      millis("engine", "poll_wait_ms", 1, 10'000, e.poll_wait),
      millis("engine", "tick_interval_ms", 10, 60'000, e.tick_interval),
      millis("engine", "passivate_after_ms", 0, 3'600'000, e.passivate_after),
      number("engine", "awake_carts", 0, 10'000'000, e.awake_carts),
      millis("engine", "first_pause_ms", 1, 60'000, e.first_pause),
      millis("engine", "most_pause_ms", 1, 600'000, e.most_pause),
      millis("engine", "pending_limit_ms", 1'000, day_s * 1000, e.pending_limit),
      number("memory", "cart_bytes", 0, 1 << 30, e.memory.cart_bytes),
      number("memory", "session_bytes", 0, 1 << 30, e.memory.session_bytes),
      number("memory", "partition_bytes", 0, std::int64_t{1} << 50, e.memory.partition_bytes),
      ConfigKey{"memory", "process_bytes", least_process_bytes, std::int64_t{1} << 50,
                [&e](std::int64_t v) { e.memory.process_bytes = v; }, nullptr, true},
      number("memory", "process_percent", 1, 100, e.memory.process_percent),
      millis("memory", "longest_stop_ms", 10, 60'000, e.memory.longest_stop),
      millis("memory", "look_interval_ms", 10, 60'000, e.memory.look_interval),
      millis("memory", "renew_interval_ms", 0, 30 * day_s * 1000, e.renewal.interval),
      number("memory", "renew_jitter_percent", 0, 100, e.renewal.jitter_percent),
      number("engine", "threads", 0, 256, e.threads),
      millis("sqlite", "retention_ms", 0, 3'650 * day_s * 1000, c.sqlite.retention),
      number("sqlite", "retention_bytes", 0, std::int64_t{1} << 50, c.sqlite.retention_bytes),
      number("sqlite", "alert_bytes", 0, std::int64_t{1} << 50, c.sqlite.alert_bytes),
      number("sqlite", "alert_wal_bytes", 0, std::int64_t{1} << 50, c.sqlite.alert_wal_bytes),
      text("kafka", "instance", c.kafka.instance),
      number("kafka", "replication_factor", 0, 32, c.kafka.replication_factor),
      number("kafka", "min_insync_replicas", 0, 32, c.kafka.min_insync_replicas),
      millis("kafka", "session_timeout_ms", 1'000, 300'000, c.kafka.session_timeout),
      millis("kafka", "transaction_timeout_ms", 1'000, 300'000, c.kafka.transaction_timeout),
      millis("kafka", "request_limit_ms", 1'000, 300'000, c.kafka.request_limit),
      number("kafka", "read_ahead_bytes", 1 << 20, std::int64_t{1} << 40, c.kafka.read_ahead_bytes),
      text("kafka.topics", "commands", c.kafka.topics[0]),
      text("kafka.topics", "events", c.kafka.topics[1]),
      text("kafka.topics", "state", c.kafka.topics[2]),
      text("kafka.topics", "deadletters", c.kafka.topics[3]),
      text("kafka.topics", "alerts", c.kafka.topics[4]),
      text("operate", "http", c.http),
      ConfigKey{"http", "hosts", 0, 0, nullptr, [&h](const std::string& v) { return read_host_names(v, h.hosts); }},
      ConfigKey{"http", "search", 0, 0, nullptr,
                [&c](const std::string& v) { return read_names_carts(v, c.names_carts); }},
      number("http", "connections", 8, 10'000, h.connections),
      number("http", "connection_ms", 100, day_s * 1000, h.connection_ms),
      number("http", "connection_requests", 1, 1'000'000, h.connection_requests),
      number("http", "request_ms", 100, 600'000, h.request_ms),
      number("http", "request_header_bytes", 512, 65'536, h.request_header_bytes),
      number("http", "waiting_requests", 1, 10'000, h.waiting_requests),
      number("http", "answer_bytes", 65'536, 1 << 30, h.answer_bytes),
      number("http", "answer_cpu_percent", 1, 100, h.answer_cpu_percent),
      millis("operate", "stuck_limit_ms", 1'000, 3'600'000, c.stuck_limit),
      millis("operate", "handler_cpu_limit_ms", 100, 3'600'000, c.handler_cpu_limit),
      millis("operate", "log_write_limit_ms", 1'000, 3'600'000, c.log_write_limit),
      text("operate", "state_dir", c.state_dir),
      millis("operate", "drain_limit_ms", 100, 3'600'000, c.drain_limit),
      borne("cart_restarts", 100'000, u.cart_restarts),
      borne_within("cart_restarts_within_s", u.cart_restarts),
      borne("cart_dead_letters", events::Trouble::most - 1, u.cart_dead_letters),
      borne_within("cart_dead_letters_within_s", u.cart_dead_letters),
      borne("partition_restarts", 1'000'000'000, u.partition_restarts),
      borne_within("partition_restarts_within_s", u.partition_restarts),
      borne("partition_rebuilds", 1'000'000, u.partition_rebuilds),
      borne_within("partition_rebuilds_within_s", u.partition_rebuilds),
      seconds("cart_idle_s", 30 * day_s, s.cart_idle),
      seconds("cart_life_s", 365 * day_s, s.cart_life),
      seconds("reservation_wait_s", day_s, s.reservation_wait),
      seconds("reservation_hold_s", 30 * day_s, s.reservation_hold),
      seconds("authorization_wait_s", day_s, s.authorization_wait),
      seconds("pending_wait_s", day_s, s.pending_wait),
      seconds("refund_wait_s", day_s, s.refund_wait),
      seconds("action_wait_s", day_s, s.action_wait),
      seconds("action_total_s", day_s, s.action_total),
      seconds("capture_wait_s", day_s, s.capture_wait),
      seconds("cancel_wait_s", day_s, s.cancel_wait),
      seconds("capture_retry_1_s", day_s, s.capture_retry[0]),
      seconds("capture_retry_2_s", day_s, s.capture_retry[1]),
      seconds("request_answer_s", day_s, s.request_answer),
      seconds("status_try_1_s", day_s, s.status_try[0]),
      seconds("status_try_2_s", day_s, s.status_try[1]),
      seconds("status_try_3_s", day_s, s.status_try[2]),
      seconds("status_try_4_s", day_s, s.status_try[3]),
      number("decisions", "status_tries", 0, 1000, s.status_tries),
      number("decisions", "status_tries_order_placed", 0, 1000, s.status_tries_order_placed),
      seconds("retry_after_s", day_s, s.retry_after),
      number("decisions", "live_carts", 1, 100'000'000, s.live_carts),
  };
}

/// A property of librdkafka: its names have dots, so that `linger.ms = 5` is a table in a table.
std::string take_property(adapters::KafkaOptions& kafka, const ConfigValue& given, const std::string& where) {
  const auto name = given.path.substr(properties.size());
  std::string value;
  if (given.text) {
    value = *given.text;
  } else if (given.integer) {
    value = std::to_string(*given.integer);
  } else if (given.yes) {
    value = *given.yes ? "true" : "false";
  } else {
    return where + std::string(properties) + name + " must be a text, an integer, true or false.";
  }
  bool elsewhere = false;
  std::string of = name;
  if (const auto wrong = read_secret_property(of, value, elsewhere); !wrong.empty()) {
    return where + std::string(properties) + name + ": " + wrong;
  }
  const auto why = adapters::refused_property(of, value);
  // What librdkafka says may quote the value.
  if (!why.empty() && elsewhere) return where + std::string(properties) + name + " is not taken: see " + of + ".";
  if (!why.empty()) return where + why;
  if (!kafka.properties.emplace(of, value).second) return where + std::string(properties) + of + " is given twice.";
  return {};
}

}  // namespace

std::string read_config_text(const std::string& text, const std::string& name, Config& config) {
  std::vector<ConfigValue> values;
  auto all = read_values(text, name, values);
  if (!all.empty()) return all;
  const auto keys = keys_of(config);
  for (const auto& value : values) {
    if (value.path.starts_with(connect_tables)) continue;
    const auto where = name + ":" + std::to_string(value.line) + ": ";
    const auto said = value.path.starts_with(properties) ? take_property(config.kafka, value, where)
                                                         : take(keys, value, where, "docs/configuration.md");
    if (!said.empty()) all.append(all.empty() ? "" : "\n").append(said);
  }
  return all;
}

bool is_engine_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  constexpr std::string_view others = "._-";
  return !name.empty() && name.size() <= longest && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           others.find(c) != std::string_view::npos;
  });
}

std::string read_config(const std::string& file, Config& config) {
  std::string text;
  auto wrong = read_config_file(file, text);
  return wrong.empty() ? read_config_text(text, file, config) : wrong;
}

}  // namespace mayfly::tools
