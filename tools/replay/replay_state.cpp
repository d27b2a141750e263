#include "tools/replay/replay_state.h"

#include "tools/console/parsed_json.h"
#include "tools/console/text.h"

#include <algorithm>
#include <map>

namespace mayfly::tools {

std::string phase_of(const ReplayedCart* cart, const std::optional<events::Ended>& ended) {
  if (cart != nullptr) return std::string(name(cart->cart.phase));
  return ended ? std::string(name(ended->outcome)) : "none";
}

namespace {

OrderedJson session_json(const events::Session& s) {
  const auto& l = s.ledger;
  OrderedJson json = {{"number", s.number},
                      {"state", name(l.state)},
                      {"provider", std::string(s.provider)},
                      {"amount_minor", s.amount_minor},
                      {"authorized_minor", l.authorized_minor},
                      {"captured_minor", l.captured_minor},
                      {"refunded_minor", l.refunded_minor},
                      {"refund_asked_minor", l.refund_asked_minor},
                      {"opened", time_text(s.opened_at)},
                      {"order_placed", l.order_placed},
                      {"in_doubt", l.in_doubt},
                      {"status_tries", l.status_tries},
                      {"capture_failures", l.capture_failures}};
  if (!s.reference.empty()) json["reference"] = std::string(s.reference);
  if (s.terms.any()) {
    json["capture"] = s.terms.on_command ? "on_command" : "automatic";
    json["capture_within_s"] = s.terms.capture_within_s;
    json["settles_within_s"] = s.terms.settles_within_s;
    json["extra_up_to_minor"] = s.terms.extra_up_to_minor;
    json["order_pending"] = l.order_pending;
    json["captures_asked"] = l.captures_asked;
    json["capture_total_minor"] = l.capture_total_minor;
    json["final_asked"] = l.final_asked;
    if (l.until != events::Timestamp{}) json["until"] = time_text(l.until);
  }
  if (!s.action_url.empty()) json["action_url"] = std::string(s.action_url);
  if (l.state == events::SessionState::canceling || l.state == events::SessionState::refunding)
    json["why"] = name(l.why);
  return json;
}

OrderedJson wait_json(const events::Wait& wait) {
  OrderedJson json = {{"kind", name(wait.kind)}, {"length_ms", wait.length.count}};
  if (wait.due) json["due"] = time_text(*wait.due);
  return json;
}

}  // namespace

OrderedJson json_or_null(std::string_view text) {
  auto json = parsed_json<OrderedJson>(text);
  return json.is_discarded() ? OrderedJson(nullptr) : json;
}

OrderedJson state_json(const ReplayedCart& of) {
  const auto& c = of.cart;
  OrderedJson json = {{"cart", std::string(c.id)},
                      {"phase", name(c.phase)},
                      {"currency", c.currency.view()},
                      {"total_minor", c.total_minor()}};
  if (!c.customer_id.empty()) json["customer_id"] = std::string(c.customer_id);
  json["created"] = time_text(c.created_at);
  json["created_at"] = std::to_string(c.created.partition) + ":" + std::to_string(c.created.offset);
  json["sequence"] = c.sequence;
  json["expires_after_s"] = c.expires_after_s;
  json["reservations"] = c.reservations;
  json["sessions"] = c.sessions;
  json["remembered_commands"] = c.remembered.size();
  if (!c.merge_into.empty()) {
    json["merge"] = {{"into", std::string(c.merge_into)}, {"offset", c.merge}};
  }
  if (!c.provider.empty()) json["provider"] = std::string(c.provider);
  if (!c.token.empty()) json["token"] = "(kept)";
  json["lines"] = OrderedJson::array();
  for (const auto& line : c.lines) {
    OrderedJson l = {
        {"sku", std::string(line.sku)}, {"quantity", line.quantity}, {"unit_price_minor", line.unit_price_minor}};
    if (!line.name.empty()) l["name"] = std::string(line.name);
    if (const auto id = c.line_id(line); !id.empty()) l["line_id"] = std::string(id);
    if (const auto per = c.per_quantity(line); per != 1) l["per_quantity"] = per;
    if (const auto texts = c.attributes(line); !texts.empty()) {
      l["attributes"] = OrderedJson::parse(texts, nullptr, false);
    }
    json["lines"].push_back(std::move(l));
  }
  if (!c.adjustments.empty()) json["adjustments"] = OrderedJson::array();
  for (const auto& a : c.adjustments) {
    OrderedJson one = {{"kind", name(a.kind)}, {"label", std::string(a.label)}, {"amount_minor", a.amount_minor}};
    if (a.line > 0) one["line"] = a.line;
    if (a.included) one["included"] = true;
    json["adjustments"].push_back(std::move(one));
  }
  if (of.wait.kind != events::WaitKind::none) json["wait"] = wait_json(of.wait);
  if (of.session) json["session"] = session_json(*of.session);
  if (of.trouble.failures > 0) json["failures"] = of.trouble.failures;
  if (of.trouble.quarantined()) json["quarantined_by"] = of.trouble.quarantined_by;
  return json;
}

namespace {

/// Members by path. A line's path has its sku, and its line id if it has one.
void flatten(const OrderedJson& json, const std::string& path, std::vector<std::pair<std::string, OrderedJson>>& out) {
  const auto below = [&](const std::string& member) { return path.empty() ? member : path + "." + member; };
  if (json.is_object()) {
    for (const auto& [member, value] : json.items()) flatten(value, below(member), out);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) {
      const auto& element = json[i];
      const bool line = element.is_object() && element.contains("sku");
      auto name = line ? element["sku"].get<std::string>() : std::to_string(i);
      if (line && element.contains("line_id")) name += "[" + element["line_id"].get<std::string>() + "]";
      flatten(element, below(name), out);
    }
  } else if (!json.is_null()) {
    out.emplace_back(path, json);
  }
}

}  // namespace

std::string outcome_of(const Replayed& told) {
  if (told.dead_letter) return "dead letter " + std::string(events::name(*told.dead_letter));
  if (told.repeated) return "repeated";
  for (const auto& event : told.events) {
    if (event.code) return "rejected " + std::string(events::name(*event.code));
  }
  return told.events.empty() ? "no event" : "accepted";
}

std::vector<Change> changes_between(const OrderedJson& before, const OrderedJson& after) {
  std::vector<std::pair<std::string, OrderedJson>> old_members;
  std::vector<std::pair<std::string, OrderedJson>> new_members;
  flatten(before, {}, old_members);
  flatten(after, {}, new_members);
  std::map<std::string, const OrderedJson*> was;
  for (const auto& [path, value] : old_members) was.emplace(path, &value);
  std::vector<Change> changes;
  for (const auto& [path, value] : new_members) {
    const auto found = was.find(path);
    if (found == was.end()) {
      changes.push_back({path, nullptr, value});
      continue;
    }
    if (*found->second != value) changes.push_back({path, *found->second, value});
    was.erase(found);
  }
  for (const auto& [path, value] : old_members) {
    if (was.contains(path)) changes.push_back({path, value, nullptr});
  }
  return changes;
}

std::string short_value(const OrderedJson& json) {
  if (json.is_null()) return "nothing";
  if (json.is_string()) return json.get<std::string>();
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string length_text(std::int64_t ms) {
  if (ms < 1000) return std::to_string(ms) + " ms";
  if (ms < 10'000 && ms % 1000 != 0) return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
  return age_text(ms / 1000);
}

}  // namespace mayfly::tools
