// A timeline as one HTML page: no script, nothing fetched, readable on a phone and on paper.
#include "tools/console/printable.h"
#include "tools/replay/replay_timeline.h"

namespace mayfly::tools {

namespace {

constexpr const char* head = R"(<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:1rem auto;padding:0 .8rem}
h1{font-size:1.3rem}h2{font-size:1.1rem;overflow-wrap:anywhere}
article{border-left:4px solid #8888;padding:.2rem 0 .2rem .8rem;margin:.5rem 0;overflow-wrap:anywhere}
article.rejected{border-color:#c60}article.dead,article.differs{border-color:#c00}article.wait{border-color:#48c}
header{font-weight:600}small{font-weight:400;opacity:.75}
table{border-collapse:collapse;margin:.2rem 0;width:100%}td{padding:0 .6rem 0 0;vertical-align:top}
td:first-child{opacity:.7;white-space:nowrap;width:5.2rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85em;margin:.2rem 0}
.end{font-weight:600;margin:.6rem 0 1.4rem;overflow-wrap:anywhere}
@media (max-width:34rem){table,tbody,tr,td{display:block}td:first-child{margin-top:.3rem;font-size:.85em;width:auto}}
@media print{body{font-size:10pt;max-width:none}article{break-inside:avoid}details>summary{display:none}}
</style>)";

std::string dumped(const OrderedJson& json, int indent) {
  return html_text(json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace));
}

std::string html_of(const OrderedJson& step, const char* member) {
  const auto found = step.find(member);
  return found == step.end() || !found->is_string() ? std::string{} : html_text(found->get<std::string>());
}

void row(std::string& out, std::string_view label, const std::string& html) {
  out.append("<tr><td>").append(label).append("<td>").append(html).append("\n");
}

std::string class_of(const OrderedJson& step) {
  const auto outcome = step.value("outcome", "");
  if (step.contains("recorded")) return "differs";
  if (outcome.starts_with("rejected")) return "rejected";
  if (outcome.starts_with("dead letter") || step["kind"] == "alert") return "dead";
  return step["kind"] == "command" ? "command" : "wait";
}

void details_of(std::string& out, const char* summary, const OrderedJson& json) {
  out.append("<details><summary>").append(summary).append("</summary><pre>").append(dumped(json, 1));
  out.append("</pre></details>\n");
}

void add_step(std::string& out, const OrderedJson& step) {
  auto title = html_of(step, "type");
  if (step["kind"] == "wait_started") title = "wait started";
  if (step["kind"] == "alert") title = "alert";
  out.append("<article class=\"").append(class_of(step)).append("\"><header>").append(title).append(" <small>");
  out.append(html_of(step, "time")).append(" &middot; ").append(html_of(step, "position")).append(" ");
  out.append(html_of(step, "source")).append("</small></header><table>\n");
  if (step.contains("data")) row(out, "with", dumped(step["data"], -1));
  if (step.contains("outcome")) row(out, "is", html_of(step, "outcome"));
  if (step.contains("rule")) row(out, "rule", html_of(step["rule"], "guard") + " " + html_of(step["rule"], "name"));
  for (const auto& event : step.value("events", OrderedJson::array()))
    row(out, "says", "<b>" + html_of(event, "type") + "</b> " + dumped(event["data"], -1));
  if (step.contains("phase") && step["phase"] != step["phase_before"])
    row(out, "phase", html_of(step, "phase_before") + " &rarr; " + html_of(step, "phase"));
  for (const auto& change : step.value("changes", OrderedJson::array())) {
    if (step["phase_before"] == "none") continue;
    row(out, "state",
        html_of(change, "member") + ": " + dumped(change["before"], -1) + " &rarr; " + dumped(change["after"], -1));
  }
  if (step.contains("wait")) row(out, "wait", dumped(step["wait"], -1));
  if (step.contains("money")) row(out, "money", dumped(step["money"], -1));
  if (step.contains("dead_letter")) row(out, "dead letter", dumped(step["dead_letter"], -1));
  for (const auto& alert : step.value("alerts", OrderedJson::array())) row(out, "alert", dumped(alert, -1));
  if (step.contains("recorded")) row(out, "recorded", dumped(step["recorded"], -1));
  out.append("</table>");
  if (step.contains("state") && !step["state"].is_null()) details_of(out, "state afterwards", step["state"]);
  out.append("</article>\n");
}

/// How the cart stands after its last step.
std::string end_of(const Timeline& timeline) {
  auto text = timeline.state.is_null() ? "The cart is over: " + html_text(timeline.phase)
                                       : "The cart is open: " + html_text(timeline.phase);
  if (!timeline.order.empty()) text += ", order " + html_text(timeline.order);
  if (timeline.not_decided > 0) text += ". Commands not decided yet: " + std::to_string(timeline.not_decided);
  if (timeline.differing > 0) text += ". Steps that were recorded otherwise: " + std::to_string(timeline.differing);
  return text;
}

}  // namespace

std::string timeline_page(const std::vector<Timeline>& timelines, const std::string& asked) {
  std::string out = head;
  out.append("<title>").append(html_text(asked)).append("</title></head><body><h1>").append(html_text(asked));
  out.append("</h1>\n");
  for (const auto& timeline : timelines) {
    out.append("<h2>cart ").append(html_text(timeline.cart)).append(": ").append(html_text(timeline.phase));
    if (!timeline.order.empty()) out.append(", order ").append(html_text(timeline.order));
    out.append("</h2>\n");
    for (const auto& step : timeline.steps) add_step(out, step);
    out.append("<p class=\"end\">").append(end_of(timeline)).append("</p>\n");
  }
  return out + "</body></html>\n";
}

}  // namespace mayfly::tools
