#include "tools/records/cart_state.h"

#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/state/snapshot.h"
#include "tools/console/parsed_json.h"
#include "tools/console/text.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

Json session_json(const events::Session& s) {
  Json json = {{"number", s.number},
               {"state", name(s.ledger.state)},
               {"provider", std::string(s.provider)},
               {"reference", std::string(s.reference)},
               {"amount_minor", s.amount_minor},
               {"authorized_minor", s.ledger.authorized_minor},
               {"captured_minor", s.ledger.captured_minor},
               {"refunded_minor", s.ledger.refunded_minor}};
  if (s.ledger.until != events::Timestamp{}) json["until"] = time_text(s.ledger.until);
  if (!s.tenders) return json;
  json["tenders"] = Json::array();
  for (const auto& tender : s.tenders->list) {
    const int number = s.tenders->first + static_cast<int>(json["tenders"].size());
    json["tenders"].push_back({{"number", number},
                               {"state", name(tender.state)},
                               {"provider", std::string(tender.provider)},
                               {"amount_minor", tender.amount_minor}});
  }
  return json;
}

/// The state as JSON, or what of it cannot be read.
std::string read_state(const std::string& id, std::string_view bytes, Json& out) {
  auto* memory = std::pmr::get_default_resource();
  const auto parts = events::split_snapshot(bytes);
  if (const auto* u = std::get_if<events::Unsupported>(&parts)) return u->message;
  const auto& found = std::get<events::SnapshotParts>(parts);
  const auto decoded = events::decode_cart(id, found.cart, memory);
  if (const auto* u = std::get_if<events::Unsupported>(&decoded)) return u->message;
  const auto& cart = std::get<events::Cart>(decoded);
  out["state"] = name(cart.phase);
  out["currency"] = std::string(cart.currency.view());
  out["total_minor"] = cart.total_minor();
  out["sequence"] = cart.sequence;
  out["created"] = time_text(cart.created_at);
  out["reservations"] = cart.reservations;
  out["sessions"] = cart.sessions;
  if (!cart.merge_into.empty()) out["merge"] = {{"into", std::string(cart.merge_into)}, {"offset", cart.merge}};
  out["lines"] = Json::array();
  for (const auto& line : cart.lines) {
    Json l = {{"sku", std::string(line.sku)},
              {"quantity", line.quantity},
              {"unit_price_minor", line.unit_price_minor},
              {"name", std::string(line.name)}};
    if (const auto name = cart.line_id(line); !name.empty()) l["line_id"] = std::string(name);
    if (const auto per = cart.per_quantity(line); per != 1) l["per_quantity"] = per;
    if (const auto texts = cart.attributes(line); !texts.empty()) l["attributes"] = Json::parse(texts, nullptr, false);
    out["lines"].push_back(std::move(l));
  }
  out["adjustments"] = Json::array();
  for (const auto& adjustment : cart.adjustments) {
    Json a = {{"kind", std::string(events::name(adjustment.kind))},
              {"label", std::string(adjustment.label)},
              {"amount_minor", adjustment.amount_minor}};
    if (adjustment.included) a["included"] = true;
    if (adjustment.line > 0) {
      const auto& line = cart.lines[adjustment.line - 1U];
      a["sku"] = std::string(line.sku);
      if (const auto name = cart.line_id(line); !name.empty()) a["line_id"] = std::string(name);
    }
    out["adjustments"].push_back(std::move(a));
  }
  out["wait"] = {{"kind", std::string(events::name(found.wait.kind))}, {"length_ms", found.wait.length.count}};
  if (found.wait.due) out["wait"]["due"] = time_text(*found.wait.due);
  if (found.session.empty()) return {};
  const auto session = events::decode_session(found.session, memory);
  if (const auto* u = std::get_if<events::Unsupported>(&session)) return u->message;
  out["session"] = session_json(std::get<events::Session>(session));
  return {};
}

}  // namespace

CartState read_cart_state(events::LogClient& log, const std::string& cart) {
  CartState out;
  out.state = {{"cart", cart}, {"state", "unknown"}};
  out.status = each_record(log, events::Stream::state, events::partition_of(cart, log.partitions()),
                           [&](const events::Record& record) {
                             if (record.key == events::position_key && record.value) {
                               const auto read = events::decode_position(*record.value);
                               if (const auto* at = std::get_if<events::PositionRecord>(&read))
                                 out.next_command = at->next;
                             }
                             if (record.key != cart) return true;
                             out.at = record.at;
                             out.state = {{"cart", cart}, {"state", "ended"}};
                             if (record.value) out.unreadable = read_state(cart, *record.value, out.state);
                             return true;
                           });
  return out;
}

bool read_ending(const events::Record& record, Json& state) {
  const auto type = short_type(record);
  const bool ends =
      type == "cart.converted" || type == "cart.expired" || type == "cart.canceled" || type == "cart.merged";
  if (!ends) return false;
  const auto data = parsed_json(record.value.value_or("{}"));
  state["outcome"] = std::string(type.substr(type.find('.') + 1));
  for (const char* member : {"order_id", "reason", "into"}) {
    if (data.is_object() && data.contains(member)) state[member] = data[member];
  }
  if (state["state"] == "unknown") state["state"] = "ended";
  return true;
}

}  // namespace mayfly::tools
