// mayfly inspect: what is known of one cart: its newest state record and its events.
#include "adapters/host/wall_clock.h"
#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/state/snapshot.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

/// Calls back for each record of a stream's partition that has the key, in order.
events::LogStatus each_of(events::LogClient& log, events::Stream stream, const std::string& key,
                          const std::function<void(const events::Record&)>& each) {
  return each_record(log, stream, events::partition_of(key, log.partitions()), [&](const events::Record& record) {
    if (record.key == key) each(record);
    return true;
  });
}

const char* name(events::Phase phase) {
  switch (phase) {
    case events::Phase::active: return "active";
    case events::Phase::reserving: return "reserving";
    case events::Phase::paying: return "paying";
  }
  return "";
}

const char* name(events::SessionState state) {
  switch (state) {
    case events::SessionState::authorizing: return "authorizing";
    case events::SessionState::canceling: return "canceling";
    case events::SessionState::capturing: return "capturing";
    case events::SessionState::refunding: return "refunding";
  }
  return "";
}

Json session_json(const events::Session& s) {
  return {{"number", s.number},
          {"state", name(s.ledger.state)},
          {"provider", std::string(s.provider)},
          {"reference", std::string(s.reference)},
          {"amount_minor", s.amount_minor},
          {"authorized_minor", s.ledger.authorized_minor},
          {"captured_minor", s.ledger.captured_minor},
          {"refunded_minor", s.ledger.refunded_minor}};
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
  out["lines"] = Json::array();
  for (const auto& line : cart.lines) {
    out["lines"].push_back({{"sku", std::string(line.sku)},
                            {"quantity", line.quantity},
                            {"unit_price_minor", line.unit_price_minor},
                            {"name", std::string(line.name)}});
  }
  out["wait"] = {{"kind", std::string(events::name(found.wait.kind))}, {"length_ms", found.wait.length.count}};
  if (found.wait.due) out["wait"]["due"] = time_text(*found.wait.due);
  if (found.session.empty()) return {};
  const auto session = events::decode_session(found.session, memory);
  if (const auto* u = std::get_if<events::Unsupported>(&session)) return u->message;
  out["session"] = session_json(std::get<events::Session>(session));
  return {};
}

/// How the cart ended, and why, as the event says that ended it.
void read_ending(const events::Record& record, Json& state) {
  const auto type = short_type(record);
  const bool ends =
      type == "cart.converted" || type == "cart.expired" || type == "cart.canceled" || type == "cart.merged";
  if (!ends) return;
  const auto data = Json::parse(record.value.value_or("{}"), nullptr, false);
  state["outcome"] = std::string(type.substr(type.find('.') + 1));
  for (const char* member : {"order_id", "reason", "into"}) {
    if (data.is_object() && data.contains(member)) state[member] = data[member];
  }
  if (state["state"] == "unknown") state["state"] = "ended";
}

std::string headline(const Json& s) {
  if (s["state"] != "ended" || !s.contains("outcome")) return s["state"].get<std::string>();
  auto text = s["outcome"].get<std::string>();
  for (const auto& [member, before] : {std::pair{"order_id", ", order "}, {"into", " into "}, {"reason", ": "}}) {
    if (s.contains(member) && s[member].is_string()) text += before + printable(s[member].get<std::string>());
  }
  return text;
}

/// The newest state record, and how many of the cart's commands lie where the engine has not read yet.
events::LogStatus read_now(events::LogClient& log, const std::string& cart, Json& state, std::string& unreadable) {
  events::Offset next = 0;
  auto status = each_record(log, events::Stream::state, events::partition_of(cart, log.partitions()),
                            [&](const events::Record& record) {
                              if (record.key == events::position_key && record.value) {
                                const auto read = events::decode_position(*record.value);
                                if (const auto* at = std::get_if<events::PositionRecord>(&read)) next = at->next;
                              }
                              if (record.key == cart && record.value)
                                unreadable = read_state(cart, *record.value, state);
                              if (record.key == cart && !record.value) state["state"] = "ended";
                              return true;
                            });
  std::int64_t waiting = 0;
  if (status.ok()) {
    status = each_of(log, events::Stream::commands, cart,
                     [&](const events::Record& record) { waiting += record.at.offset >= next ? 1 : 0; });
  }
  state["waiting"] = waiting;
  return status;
}

void print_state(const std::string& id, const Json& s) {
  print("cart %s: %s\n", printable(id).c_str(), headline(s).c_str());
  if (const auto waiting = s["waiting"].get<std::int64_t>(); waiting > 0) {
    print("  commands  %s not decided yet: is an engine serving this log?\n", grouped(waiting).c_str());
  }
  if (!s.contains("currency")) return;
  const auto currency = events::currency_in_force(s["currency"].get<std::string>()).value_or(events::Currency{});
  print("  total     %s, %zu lines\n", money(s["total_minor"].get<std::int64_t>(), currency).c_str(),
        s["lines"].size());
  for (const auto& line : s["lines"]) {
    print("  %7lld x %s %14s  %s\n", line["quantity"].get<long long>(),
          padded(printable(line["sku"].get<std::string>()), 20).c_str(),
          money(line["unit_price_minor"].get<std::int64_t>(), currency).c_str(),
          printable(line["name"].get<std::string>()).c_str());
  }
  const auto& wait = s["wait"];
  const auto due = wait.contains("due")
                       ? "due " + wait["due"].get<std::string>()
                       : "of " + grouped(wait["length_ms"].get<std::int64_t>() / 1000) + " s, starts at the next tick";
  if (wait["kind"] != "none") print("  waits     %s, %s\n", wait["kind"].get<std::string>().c_str(), due.c_str());
  if (s.contains("session")) {
    const auto& p = s["session"];
    print("  session   %d %s at %s: %s asked, %s authorized, %s captured, %s refunded\n", p["number"].get<int>(),
          p["state"].get<std::string>().c_str(), printable(p["provider"].get<std::string>()).c_str(),
          money(p["amount_minor"].get<std::int64_t>(), currency).c_str(),
          money(p["authorized_minor"].get<std::int64_t>(), currency).c_str(),
          money(p["captured_minor"].get<std::int64_t>(), currency).c_str(),
          money(p["refunded_minor"].get<std::int64_t>(), currency).c_str());
  }
}

}  // namespace

int inspect(const InspectOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_reader(options, clock, code);
  if (!log) return code;
  say_where_history_begins(*log, events::partition_of(options.cart, log->partitions()));
  events::LogStatus status;
  Json state = {{"cart", options.cart}, {"state", "unknown"}};
  std::string unreadable;
  status = read_now(*log, options.cart, state, unreadable);
  std::vector<std::string> timeline;
  Json history = Json::array();
  if (status.ok()) {
    status = each_of(*log, events::Stream::events, options.cart, [&](const events::Record& record) {
      read_ending(record, state);
      if (options.json)
        history.push_back(Json::parse(as_ndjson(record)));
      else
        timeline.push_back(
            as_line(record, events::Stream::events, is_terminal(1) ? TextWidth::terminal : TextWidth::whole));
    });
  }
  if (!status.ok() || !unreadable.empty()) {
    complain("%s\n", status.ok() ? unreadable.c_str() : status.message.c_str());
    return status.ok() ? exit_log_unusable : exit_code_of(status.error);
  }
  if (options.json) {
    state["events"] = std::move(history);
    print_json(state.dump());
    return exit_ok;
  }
  print_state(options.cart, state);
  for (const auto& line : timeline) print_text(line + "\n");
  if (state["state"] == "unknown" && timeline.empty() && state["waiting"] == 0)
    print_text("  nothing was ever said about it here\n");
  return exit_ok;
}

}  // namespace mayfly::tools
