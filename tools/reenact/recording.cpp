#include "tools/reenact/recording.h"

#include <nlohmann/json.hpp>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

Sample sample_of(const Json& line) {
  Sample s;
  s.at = events::Millis{line.at("ms")};
  s.used_bytes = line.at("used_bytes");
  s.offered = line.at("offered");
  s.admitted = line.at("admitted");
  s.refused = line.at("refused");
  s.checkouts = line.at("checkouts");
  s.orders = line.at("orders");
  s.slow = line.at("slow");
  s.failed = line.at("failed");
  s.carts_open = line.at("carts_open");
  s.cart_actors = line.at("cart_actors");
  s.sessions_open = line.at("sessions_open");
  s.session_actors = line.at("session_actors");
  s.connections = line.at("connections");
  s.dead_letters = line.at("dead_letters");
  s.answers_ms = line.at("answers_ms").get<std::vector<std::int64_t>>();
  return s;
}

SeenAlert alert_of(const Json& line) {
  SeenAlert a;
  a.at = events::Millis{line.at("ms")};
  a.name = line.at("alert");
  a.message = line.at("message");
  if (const auto leak = line.find("leak"); leak != line.end()) {
    a.purpose = leak->at("purpose");
    a.kind = leak->at("kind");
    a.bytes = leak->at("bytes");
  }
  return a;
}

}  // namespace

bool add_line(Recording& recording, const std::string& line) {
  const auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return false;
  if (json.contains("alert")) {
    recording.alerts.push_back(alert_of(json));
  } else {
    recording.samples.push_back(sample_of(json));
  }
  return true;
}

std::string message_of(const std::string& line) {
  const auto json = Json::parse(line, nullptr, false);
  if (json.is_object()) return json.value("message", line);
  const auto begin = line.find_first_not_of(' ');
  return begin == std::string::npos ? std::string() : line.substr(begin);
}

}  // namespace mayfly::tools
