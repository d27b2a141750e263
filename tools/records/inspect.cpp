// mayfly inspect: what is known of one cart: its newest state record and its events.
#include "adapters/host/wall_clock.h"
#include "events/rules/identity.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/cart_state.h"
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

std::string headline(const Json& s) {
  if (s["state"] != "ended" || !s.contains("outcome")) return s["state"].get<std::string>();
  auto text = s["outcome"].get<std::string>();
  for (const auto& [member, before] : {std::pair{"order_id", ", order "}, {"into", " into "}, {"reason", ": "}}) {
    if (s.contains(member) && s[member].is_string()) text += before + printable(s[member].get<std::string>());
  }
  return text;
}

/// How many of the cart's commands lie where the engine has not read yet.
events::LogStatus count_waiting(events::LogClient& log, const std::string& cart, events::Offset next, Json& state) {
  std::int64_t waiting = 0;
  auto status = each_of(log, events::Stream::commands, cart,
                        [&](const events::Record& record) { waiting += record.at.offset >= next ? 1 : 0; });
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
  auto now = read_cart_state(*log, options.cart);
  auto& state = now.state;
  auto status = now.status;
  if (status.ok()) status = count_waiting(*log, options.cart, now.next_command, state);
  std::vector<std::string> timeline;
  Json history = Json::array();
  if (status.ok()) {
    status = each_of(*log, events::Stream::events, options.cart, [&](const events::Record& record) {
      (void)read_ending(record, state);
      if (options.json)
        history.push_back(Json::parse(as_ndjson(record)));
      else
        timeline.push_back(
            as_line(record, events::Stream::events, is_terminal(1) ? TextWidth::terminal : TextWidth::whole));
    });
  }
  if (!status.ok() || !now.unreadable.empty()) {
    complain("%s\n", status.ok() ? now.unreadable.c_str() : status.message.c_str());
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
