#include "tools/first_difference.h"

#include "events/snapshot.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory_resource>

namespace mayfly::tools {

using Json = nlohmann::json;

namespace {

constexpr std::size_t shown_bytes = 200;

std::string shown(std::string_view text) {
  std::string out(text.substr(0, shown_bytes));
  return text.size() > shown_bytes ? out + " ..." : out;
}

std::string differ(const std::string& field, std::string_view recorded, std::string_view again) {
  return field + ": recorded " + shown(recorded) + ", again " + shown(again);
}

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The first member, in the order of their names, that differs.
std::string data_difference(const std::string& path, const Json& recorded, const Json& again) {
  if (recorded.is_object() && again.is_object()) {
    for (const auto& member : recorded.items()) {
      const auto found = again.find(member.key());
      if (found == again.end()) return differ(path + "." + member.key(), dumped(member.value()), "nothing");
      if (*found != member.value()) return data_difference(path + "." + member.key(), member.value(), *found);
    }
    for (const auto& member : again.items()) {
      if (!recorded.contains(member.key())) return differ(path + "." + member.key(), "nothing", dumped(member.value()));
    }
  }
  if (recorded.is_array() && again.is_array()) {
    for (std::size_t i = 0; i < std::min(recorded.size(), again.size()); ++i) {
      if (recorded[i] != again[i]) return data_difference(path + "[" + std::to_string(i) + "]", recorded[i], again[i]);
    }
  }
  return differ(path, dumped(recorded), dumped(again));
}

/// A cart's state as JSON of its fields, so that one can be named.
Json fields_of(std::string_view key, std::string_view bytes) {
  const auto parts = events::split_snapshot(bytes);
  const auto* found = std::get_if<events::SnapshotParts>(&parts);
  if (found == nullptr) return Json(shown(bytes));
  Json json;
  json["wait"] = {{"kind", name(found->wait.kind)},
                  {"length_ms", found->wait.length.count},
                  {"set_at", found->wait.set_at},
                  {"due_ms", found->wait.due ? found->wait.due->ms : 0}};
  std::pmr::monotonic_buffer_resource memory;
  const auto cart = events::decode_cart(key, found->cart, &memory);
  if (const auto* c = std::get_if<events::Cart>(&cart)) {
    json["sequence"] = c->sequence;
    json["phase"] = static_cast<int>(c->phase);
    json["currency"] = std::string(c->currency.view());
    json["created"] = {c->created.partition, c->created.offset, c->created_at.ms};
    json["customer_id"] = std::string(c->customer_id);
    json["total_minor"] = c->total_minor();
    json["reservations"] = c->reservations;
    json["sessions"] = c->sessions;
    json["remembered"] = c->remembered.size();
    for (const auto& line : c->lines) {
      json["lines"].push_back(
          {{"sku", std::string(line.sku)}, {"quantity", line.quantity}, {"unit_price_minor", line.unit_price_minor}});
    }
  }
  const auto session = events::decode_session(found->session, &memory);
  if (const auto* s = std::get_if<events::Session>(&session); s != nullptr && !found->session.empty()) {
    json["session"] = {{"number", s->number},
                       {"state", static_cast<int>(s->ledger.state)},
                       {"amount_minor", s->amount_minor},
                       {"authorized_minor", s->ledger.authorized_minor},
                       {"captured_minor", s->ledger.captured_minor},
                       {"refunded_minor", s->ledger.refunded_minor},
                       {"status_tries", s->ledger.status_tries}};
  }
  return json;
}

Json position_fields(std::string_view bytes) {
  const auto position = events::decode_position(bytes);
  const auto* p = std::get_if<events::PositionRecord>(&position);
  if (p == nullptr) return Json(shown(bytes));
  return {{"next", p->next}, {"ticked_ms", p->ticked.ms}, {"partitions", p->partitions}, {"engine", p->engine}};
}

}  // namespace

std::string first_difference(const RecordContent& recorded, const RecordContent& again) {
  if (recorded.key != again.key) return differ("key", recorded.key.value_or("none"), again.key.value_or("none"));
  for (std::size_t i = 0; i < std::max(recorded.headers.size(), again.headers.size()); ++i) {
    if (i == recorded.headers.size())
      return differ(std::string(again.headers[i].name), "nothing", again.headers[i].value);
    const auto& r = recorded.headers[i];
    if (i == again.headers.size()) return differ(std::string(r.name), r.value, "nothing");
    const auto& a = again.headers[i];
    if (r.name != a.name) return differ("header " + std::to_string(i), r.name, a.name);
    if (r.value != a.value) return differ(std::string(r.name), r.value, a.value);
  }
  if (recorded.value == again.value) return {};
  const auto r = Json::parse(recorded.value.value_or("null"), nullptr, false);
  const auto a = Json::parse(again.value.value_or("null"), nullptr, false);
  if (r.is_discarded() || a.is_discarded() || r == a)
    return differ("data", recorded.value.value_or("none"), again.value.value_or("none"));
  return data_difference("data", r, a);
}

std::string first_difference_of_state(std::string_view key, std::string_view recorded, std::string_view again) {
  const auto sizes = std::to_string(recorded.size()) + " bytes";
  const bool position = key == events::position_key;
  if (key.starts_with('\x01') && !position) return differ("bytes", sizes, std::to_string(again.size()) + " bytes");
  const auto r = position ? position_fields(recorded) : fields_of(key, recorded);
  const auto a = position ? position_fields(again) : fields_of(key, again);
  if (r == a) return differ("bytes", sizes, std::to_string(again.size()) + " bytes");
  return data_difference("state", r, a);
}

std::string summary(std::span<const events::Header> headers, const std::optional<events::Bytes>& value) {
  std::string type = "?";
  for (const auto& h : headers) {
    if (h.name == "ce_type") type = h.value;
  }
  return type + " " + shown(value.value_or("nothing"));
}

}  // namespace mayfly::tools
