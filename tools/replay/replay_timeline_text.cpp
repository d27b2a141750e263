// A timeline in lines for people.
#include "events/text/time_text.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/replay/replay_timeline.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr std::int64_t gap_shown_ms = 60'000;  // a pause of so long is told
constexpr std::size_t shown_value_columns = 60;

std::string text_of(const OrderedJson& step, const char* member) {
  const auto found = step.find(member);
  return found == step.end() || !found->is_string() ? std::string{} : printable(found->get<std::string>());
}

std::string detail(const char* label, const std::string& text) {
  std::string line(26, ' ');
  line += padded(label, 8);
  line += text;
  line += '\n';
  return line;
}

/// "sku TEA, quantity 2": members on one line, arrays by their length.
std::string members(const OrderedJson& data, const std::vector<std::string_view>& left_out) {
  std::string line;
  if (!data.is_object()) return line;
  for (const auto& [member, value] : data.items()) {
    if (std::find(left_out.begin(), left_out.end(), member) != left_out.end()) continue;
    if (!line.empty()) line += ", ";
    line += member;
    line += ' ';
    if (value.is_array()) {
      line += "[" + std::to_string(value.size()) + "]";
    } else {
      line += shortened(printable(short_value(value)), shown_value_columns);
    }
  }
  return line;
}

std::string money_text(const OrderedJson& money) {
  const auto currency = events::currency_in_force(money["currency"].get<std::string>()).value_or(events::Currency{});
  const auto amount = [&](const char* member) { return tools::money(money[member].get<std::int64_t>(), currency); };
  return "asked " + amount("asked_minor") + ", held " + amount("held_minor") + ", taken " + amount("taken_minor");
}

std::string wait_text(const OrderedJson& wait) {
  auto text = wait["kind"].get<std::string>() + " " + wait["change"].get<std::string>();
  if (wait.contains("length_ms")) text += ", " + length_text(wait["length_ms"].get<std::int64_t>());
  if (wait.contains("before") && wait["before"] != wait["kind"])
    text += ", before: " + wait["before"].get<std::string>();
  if (wait.contains("due")) text += ", due " + wait["due"].get<std::string>();
  return text;
}

/// A cart's idle wait begins anew with each command; that is told where something else was waited for.
bool is_news(const OrderedJson& wait) {
  return wait["kind"] != "idle" || wait["change"] != "replaced" || wait.value("before", "") != "idle";
}

/// What of a path comes or goes with a whole session, line or adjustment: it has the member that each of these has.
bool goes_with_whole(const OrderedJson& changes, const OrderedJson& change, const std::string& whole) {
  const bool comes = change["before"].is_null();
  if (!comes && !change["after"].is_null()) return false;
  return std::any_of(changes.begin(), changes.end(), [&](const OrderedJson& other) {
    const auto& path = other["member"].get_ref<const std::string&>();
    const bool key = path == whole + ".number" || path == whole + ".sku" || path == whole + ".kind";
    return key && other[comes ? "before" : "after"].is_null();
  });
}

/// "session new", "lines.TEA gone": what came or went as a whole is one line.
std::string change_lines(const OrderedJson& changes) {
  std::string text;
  std::string last;
  for (const auto& change : changes) {
    const auto path = change["member"].get<std::string>();
    if (path == "phase") continue;
    const auto whole = path.substr(0, std::min(path.rfind('.'), path.size()));
    if (goes_with_whole(changes, change, whole)) {
      const auto line = printable(whole) + (change["before"].is_null() ? " new" : " gone");
      if (line != last) text += detail("state", line);
      last = line;
      continue;
    }
    const auto value = [](const OrderedJson& v) { return shortened(printable(short_value(v)), shown_value_columns); };
    text += detail("state", printable(path) + " " + value(change["before"]) + " -> " + value(change["after"]));
  }
  return text;
}

/// "2.11.3  other total    yes  expected_total_minor 2000, total_minor 2500"
std::string guard_lines(const OrderedJson& guards) {
  std::string text;
  std::size_t widest = 0;
  for (const auto& g : guards) widest = std::max(widest, g["name"].get_ref<const std::string&>().size());
  for (const auto& g : guards) {
    auto line = padded(g["guard"].get<std::string>(), 8) + padded(g["name"].get<std::string>(), widest + 2);
    line += g["held"].get<bool>() ? "yes" : "no";
    if (const auto saw = members(g["saw"], {}); !saw.empty()) line += (g["held"].get<bool>() ? "  " : "   ") + saw;
    text += detail("guard", line);
  }
  return text;
}

std::string before_lines(const OrderedJson& step) {
  const auto& before = step["state_before"];
  if (before.is_null()) return detail("before", text_of(step, "phase_before"));
  auto text = detail("before", members(before, {"cart", "session", "wait"}));
  for (const auto* part : {"session", "wait"}) {
    if (before.contains(part)) text += detail("", std::string(part) + ": " + members(before[part], {}));
  }
  return text;
}

std::string details(const OrderedJson& step) {
  std::string text;
  if (step.contains("state_before")) text += before_lines(step);
  if (step.contains("data")) text += detail("with", members(step["data"], {}));
  if (const auto outcome = text_of(step, "outcome"); !outcome.empty() && outcome != "accepted")
    text += detail("is", outcome);
  if (step.contains("guards")) text += guard_lines(step["guards"]);
  if (step.contains("rule"))
    text += detail("rule", text_of(step["rule"], "guard") + " " + text_of(step["rule"], "name"));
  for (const auto& event : step.value("events", OrderedJson::array())) {
    text += detail("says", padded(event["type"].get<std::string>(), 33) + " " +
                               members(event["data"], {"cart_id", "idempotency_key", "command_id", "command_type"}));
  }
  if (step.contains("lines_offered_to"))
    text += detail("offers", "its lines to cart " + text_of(step, "lines_offered_to"));
  if (step.contains("phase") && step["phase"] != step["phase_before"])
    text += detail("phase", text_of(step, "phase_before") + " -> " + text_of(step, "phase"));
  if (step.contains("changes") && step["phase_before"] != "none") text += change_lines(step["changes"]);
  if (step.contains("wait") && is_news(step["wait"])) text += detail("wait", wait_text(step["wait"]));
  if (step.contains("money")) text += detail("money", money_text(step["money"]));
  if (step.contains("dead_letter")) {
    const auto& d = step["dead_letter"];
    text += detail("dead",
                   text_of(d, "position") + ", attempts " + short_value(d["attempts"]) + ": " + text_of(d, "message"));
  }
  for (const auto& alert : step.value("alerts", OrderedJson::array()))
    text += detail("alert", text_of(alert, "alert") + ": " + text_of(alert, "message"));
  for (const auto& event : step.value("recorded", OrderedJson::array()))
    text += detail("RECORDED", printable(event["type"].get<std::string>()) + " " + members(event["data"], {"cart_id"}));
  if (step.contains("recorded") && step["recorded"].empty()) text += detail("RECORDED", "nothing");
  return text;
}

std::string headline(const OrderedJson& step) {
  auto text = text_of(step, "type");
  if (step["kind"] == "wait_started") text = "wait started";
  if (step["kind"] == "alert") text = "alert";
  if (const auto source = text_of(step, "source"); !source.empty()) text = padded(text, 28) + " from " + source;
  return text;
}

}  // namespace

std::string timeline_text(const Timeline& timeline) {
  std::string out = "cart " + printable(timeline.cart) + " in partition " + std::to_string(timeline.partition) + ": " +
                    timeline.phase;
  if (!timeline.order.empty()) out += ", order " + printable(timeline.order);
  out += "\n";
  std::optional<events::Timestamp> last;
  std::string day;
  for (const auto& step : timeline.steps) {
    const bool started = step["kind"] == "wait_started";
    if (started && step["wait"]["kind"] == "idle" && &step != &timeline.steps.back()) continue;
    const auto time = step.value("time", "");
    const auto at = events::timestamp_from_text(time);
    if (at && last && (*at - *last).count >= gap_shown_ms)
      out += "              ... " + length_text((*at - *last).count) + " ...\n";
    if (at) last = at;
    if (!time.empty() && time.substr(0, 10) != day) {
      day = time.substr(0, 10);
      out += day + "\n";
    }
    out += padded(time.empty() ? "" : time.substr(11, 12), 12) + " " + padded(step["position"].get<std::string>(), 12) +
           " " + headline(step) + "\n" + details(step);
  }
  if (timeline.not_decided > 0)
    out += grouped(timeline.not_decided) +
           " of its commands are not decided yet; if this does not change, no engine is serving this log.\n";
  if (timeline.differing > 0) {
    out += grouped(timeline.differing) + (timeline.differing == 1 ? " step comes" : " steps come") +
           " to something else than was recorded: this build decides differently.\n";
  }
  return out;
}

void print_timeline(const Timeline& timeline, bool json) {
  if (!json) return print_text(timeline_text(timeline));
  for (const auto& step : timeline.steps) {
    OrderedJson line = {{"cart", timeline.cart}};
    line.update(step);
    print_json(line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  }
}

}  // namespace mayfly::tools
