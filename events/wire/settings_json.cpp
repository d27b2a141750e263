#include "events/wire/settings_json.h"

#include "events/wire/json_writer.h"

#include <string_view>

namespace mayfly::events {

namespace {

/// Calls f(name, reference) for each setting: one list for writing and reading.
template <class S, class F>
void each(S& s, F f) {
  f("cart_idle_s", s.cart_idle);
  f("cart_life_s", s.cart_life);
  f("reservation_wait_s", s.reservation_wait);
  f("reservation_hold_s", s.reservation_hold);
  f("authorization_wait_s", s.authorization_wait);
  f("pending_wait_s", s.pending_wait);
  f("refund_wait_s", s.refund_wait);
  f("action_wait_s", s.action_wait);
  f("action_total_s", s.action_total);
  f("capture_wait_s", s.capture_wait);
  f("cancel_wait_s", s.cancel_wait);
  f("capture_retry_1_s", s.capture_retry[0]);
  f("capture_retry_2_s", s.capture_retry[1]);
  f("request_answer_s", s.request_answer);
  f("status_try_1_s", s.status_try[0]);
  f("status_try_2_s", s.status_try[1]);
  f("status_try_3_s", s.status_try[2]);
  f("status_try_4_s", s.status_try[3]);
  f("status_tries", s.status_tries);
  f("status_tries_order_placed", s.status_tries_order_placed);
  f("admission_closed", s.admission_closed);
  f("retry_after_s", s.retry_after);
  f("live_carts", s.live_carts);
  f("tick_secret", s.tick_secret);
  f("reply_sources", s.reply_sources);
}

constexpr std::int64_t longest_s = 31'536'000;  // a year

bool take(const JsonValue& v, bool& to) {
  if (v.kind != JsonValue::Kind::boolean) return false;
  to = v.truth;
  return true;
}
bool take(const JsonValue& v, Millis& to) {
  const auto seconds = v.integer();
  if (!seconds || *seconds < 1 || *seconds > longest_s) return false;
  to = Millis{*seconds * 1000};
  return true;
}
bool take(const JsonValue& v, std::int32_t& to) {
  const auto number = v.integer();
  if (!number || *number < 0 || *number > 1000) return false;
  to = static_cast<std::int32_t>(*number);
  return true;
}
bool take(const JsonValue& v, std::int64_t& to) {
  const auto number = v.integer();
  if (!number || *number < 0) return false;
  to = *number;
  return true;
}
bool take(const JsonValue& v, SourcePatterns& to) {
  const auto patterns = v.kind == JsonValue::Kind::string ? SourcePatterns::from(v.text) : std::nullopt;
  if (patterns) to = *patterns;
  return patterns.has_value();
}

void put(JsonObject& json, std::string_view name, bool value) { json.boolean(name, value); }
void put(JsonObject& json, std::string_view name, Millis value) { json.number(name, value.count / 1000); }
void put(JsonObject& json, std::string_view name, std::int32_t value) { json.number(name, value); }
void put(JsonObject& json, std::string_view name, std::int64_t value) { json.number(name, value); }
void put(JsonObject& json, std::string_view name, const SourcePatterns& value) { json.text(name, value.text()); }

}  // namespace

void append_settings(std::string& out, const Settings& settings, const Settings& base) {
  JsonObject json(out);
  each(settings, [&](std::string_view name, const auto& value) {
    bool differs = true;
    each(base, [&](std::string_view its_name, const auto& there) {
      if constexpr (std::is_same_v<decltype(there), decltype(value)>) {
        if (name == its_name) differs = !(there == value);
      }
    });
    if (differs) put(json, name, value);
  });
  json.close();
}

std::optional<Settings> settings_from(const JsonValue& object, Settings settings) {
  if (object.kind != JsonValue::Kind::object) return std::nullopt;
  bool good = true;
  for (const auto& member : object.members) {
    each(settings, [&](std::string_view name, auto& value) {
      if (member.name == name) good = take(member.value, value) && good;
    });
  }
  if (!good) return std::nullopt;
  return settings;
}

}  // namespace mayfly::events
