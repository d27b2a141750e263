// mayfly inspect: what is known of one cart: its newest state record and its events. The cart may be named by its
// order's, a session's or a reservation's id.
#include "adapters/host/wall_clock.h"
#include "events/rules/identity.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/each_record.h"
#include "tools/records/found_cart.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <limits>
#include <string>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;
using Kind = DerivedId::Kind;

std::string headline(const Json& s) {
  if (s["state"] != "ended" || !s.contains("outcome")) return s["state"].get<std::string>();
  auto text = s["outcome"].get<std::string>();
  for (const auto& [member, before] : {std::pair{"order_id", ", order "}, {"into", " into "}, {"reason", ": "}}) {
    if (s.contains(member) && s[member].is_string()) text += before + printable(s[member].get<std::string>());
  }
  return text;
}

/// What few lines have, behind the name.
std::string extras_text(const Json& line) {
  std::string text;
  if (line.contains("line_id")) text += " [" + printable(line["line_id"].get<std::string>()) + "]";
  if (line.contains("per_quantity")) text += " per " + grouped(line["per_quantity"].get<std::int64_t>());
  if (!line.contains("attributes")) return text;
  for (const auto& [name, value] : line["attributes"].items()) {
    text += ", " + printable(name) + ": " + printable(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

void print_state(const Json& s, const std::string& asked) {
  print("cart %s: %s\n", printable(s["cart"].get<std::string>()).c_str(), headline(s).c_str());
  if (!asked.empty()) print("  %s\n", asked.c_str());
  if (const auto waiting = s["waiting"].get<std::int64_t>(); waiting > 0) {
    print("  commands  %s not decided yet; if this does not change, no engine is serving this log\n",
          grouped(waiting).c_str());
  }
  if (!s.contains("currency")) return;
  const auto currency = events::currency_in_force(s["currency"].get<std::string>()).value_or(events::Currency{});
  print("  total     %s, %zu lines\n", money(s["total_minor"].get<std::int64_t>(), currency).c_str(),
        s["lines"].size());
  for (const auto& line : s["lines"]) {
    print("  %7lld x %s %14s  %s%s\n", line["quantity"].get<long long>(),
          padded(printable(line["sku"].get<std::string>()), 20).c_str(),
          money(line["unit_price_minor"].get<std::int64_t>(), currency).c_str(),
          printable(line["name"].get<std::string>()).c_str(), extras_text(line).c_str());
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
    for (const auto& tender : p.value("tenders", Json::array())) {
      print("  tender    %d %s at %s: %s\n", tender["number"].get<int>(), tender["state"].get<std::string>().c_str(),
            printable(tender["provider"].get<std::string>()).c_str(),
            money(tender["amount_minor"].get<std::int64_t>(), currency).c_str());
    }
    if (p.contains("until")) print("            until %s\n", p["until"].get<std::string>().c_str());
  }
}

}  // namespace

int inspect(const InspectOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_history(options, clock, code);
  if (!log) return code;
  const auto width = is_terminal(1) ? TextWidth::terminal : TextWidth::whole;
  const auto as_text = [&](const events::Record& record) {
    return options.json ? as_ndjson(record) : as_line(record, events::Stream::events, width);
  };
  FoundCart shown;
  const auto status = find_cart(*log, options.id, std::numeric_limits<std::size_t>::max(), as_text, shown);
  if (!status.ok() || !shown.cart.unreadable.empty()) {
    complain("%s\n", status.ok() ? shown.cart.unreadable.c_str() : status.message.c_str());
    return status.ok() ? exit_log_unusable : exit_code_of(status.error);
  }
  say_where_history_begins(*log, events::partition_of(shown.reading.cart, log->partitions()));
  auto& state = shown.cart.state;
  if (options.json) {
    if (shown.reading.kind != Kind::cart) state[member_of(shown.reading.kind)] = options.id;
    state["events"] = Json::array();
    for (const auto& event : shown.events) state["events"].push_back(Json::parse(event));
    print_json(state.dump(-1, ' ', false, Json::error_handler_t::replace));
    return shown.has_it ? exit_ok : exit_failed;
  }
  print_state(state, relation(shown, options.id));
  for (const auto& line : shown.events) print_text(line + "\n");
  if (!shown.has_it)
    print("  the log has no record of it%s\n", shown.near_by.empty() ? "" : ("; " + shown.near_by).c_str());
  return shown.has_it ? exit_ok : exit_failed;
}

}  // namespace mayfly::tools
