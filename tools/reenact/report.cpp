#include "tools/reenact/report.h"

#include "tools/console/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr int label_columns = 26;
constexpr int cell_columns = 26;

template <class Cell>
ReportRow row(std::string label, const Verdict& verdict, Cell cell) {
  ReportRow made{std::move(label), {}};
  for (std::size_t i = 0; i < roles.size(); ++i) made.cells[i] = cell(verdict.runs[i]);
  return made;
}

std::string seconds(events::Millis m) { return fmt::format("{:.1f} s", static_cast<double>(m.count) / 1000); }

std::string percent_text(std::int64_t part, std::int64_t all) {
  return fmt::format("{:.1f}%", all == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(all));
}

std::string sign_text(const Plan& plan, const Outcome& o) {
  return o.first_sign ? minute_text(plan, *o.first_sign) : "none";
}

std::string alert_text(const Plan& plan, const Outcome& o) {
  if (!o.first_alert) return "none";
  return fmt::format("{} ({} after)", minute_text(plan, o.first_alert->at),
                     seconds({o.first_alert->at.count - plan.bug_begins().count}));
}

std::string alert_name(const Outcome& o) {
  if (!o.first_alert) return "";
  return o.first_alert->purpose.empty() ? o.first_alert->name : o.first_alert->name + " " + o.first_alert->purpose;
}

std::string recovery_text(const Outcome& o) {
  if (o.role == Role::mended) return "";
  if (o.died) return "none";
  return o.recovered ? seconds(*o.recovered) : "not within the run";
}

std::string ending_text(const Plan& plan, const Outcome& o) {
  return o.died ? fmt::format("{}, {}", o.ending, minute_text(plan, *o.died)) : "none";
}

std::string connections_text(const ConnectionLimits& limits) {
  return fmt::format(
      "Chosen too, and the same in all runs: the provider has {} connections. Where all are taken it hangs up on "
      "the one that is idle for longest, {:.1f} times a second at most; a payment that has none after {} is "
      "declined.",
      grouped(limits.most), static_cast<double>(ms_per_s) / limits.hang_up_interval_ms, seconds(limits.longest_wait));
}

}  // namespace

std::string minute_text(const Plan& plan, events::Millis since_begin) {
  return fmt::format("minute {:.1f}", plan.outage_minute(since_begin));
}

std::string story(const Plan& plan) {
  if (plan.outage == Outage::cart_leak) {
    return "A shop's service kept unnecessary data for every active cart. After 30 minutes it crashed.";
  }
  return "A shop's service never ended payment sessions after their transaction. Over 2.5 hours 60% of responses were "
         "slow and 25% of checkouts failed.";
}

std::vector<std::string> circumstances(const Plan& plan) {
  const auto minutes = static_cast<double>(plan.outage_length().count) / 60'000;
  const auto played_s = static_cast<double>(plan.length.count) / 1000;
  std::vector<std::string> sentences = {
      fmt::format("Three engines run side by side for {:.0f} s, each with its own log, shop, inventory and payment "
                  "provider in a process of {} MiB; beyond that it gets no memory.",
                  played_s, plan.limit_bytes / mib),
      fmt::format("Each shop begins {} carts a second, by the same seed ({}); {} of 100 are left without a checkout.",
                  plan.carts_per_s, plan.seed, plan.abandoned_percent()),
      fmt::format("Minute 0 is the release with the bug, {:.1f} s after the begin; the release without it comes "
                  "after {:.1f} s. The outage's {:.0f} minutes are played in {:.1f} s.",
                  static_cast<double>(plan.bug_begins().count) / 1000,
                  static_cast<double>(plan.bug_ends().count) / 1000, minutes,
                  static_cast<double>(plan.length.count) / 1000 * minutes /
                      (plan.outage_minute(plan.length) - plan.outage_minute({0}))),
      plan.outage == Outage::cart_leak
          ? fmt::format("The bug: at each command a cart's actor keeps {} bytes more, until it ends.",
                        grouped(plan.bug_bytes()))
          : fmt::format("The bug: a session's actor is not ended but kept in a list, with {} bytes of buffers and its "
                        "connection to the provider.",
                        grouped(plan.bug_bytes())),
      plan.given_bug_bytes > 0
          ? "The size of the bug was given."
          : fmt::format("The size of the bug is chosen so that an unprotected engine comes to its limit at about "
                        "minute {:.0f}.",
                        plan.outage_minute(plan.limit_reached()))};
  if (plan.outage == Outage::session_leak) sentences.push_back(connections_text(plan.connection_limits()));
  sentences.emplace_back("All else is measured.");
  return sentences;
}

std::vector<ReportRow> report_rows(const Plan& plan, const Verdict& v) {
  const auto number = [](std::int64_t n) { return grouped(n); };
  return {
      row("carts offered", v, [&](const Outcome& o) { return number(o.offered); }),
      row("  admitted", v, [&](const Outcome& o) { return number(o.admitted); }),
      row("  refused", v, [&](const Outcome& o) { return number(o.refused); }),
      row("  never answered", v, [&](const Outcome& o) { return number(o.unanswered); }),
      row("checkouts", v, [&](const Outcome& o) { return number(o.checkouts); }),
      row("  orders placed", v, [&](const Outcome& o) { return number(o.orders); }),
      row(fmt::format("  slow, over {} s", slow.count / 1000), v, [&](const Outcome& o) { return number(o.slow); }),
      row(fmt::format("  failed, no order in {} s", patience.count / 1000), v,
          [&](const Outcome& o) { return number(o.failed); }),
      row("  of the outage's, slow", v,
          [&](const Outcome& o) { return percent_text(o.slow_in_outage, o.checkouts_in_outage); }),
      row("  of the outage's, failed", v,
          [&](const Outcome& o) { return percent_text(o.failed_in_outage, o.checkouts_in_outage); }),
      row("answers, p50 and p99", v, [&](const Outcome& o) { return fmt::format("{} and {} ms", o.p50_ms, o.p99_ms); }),
      row("most memory", v, [&](const Outcome& o) { return fmt::format("{} MiB", o.peak_bytes / mib); }),
      row("first alert", v, [&](const Outcome& o) { return alert_text(plan, o); }),
      row("  its name", v, [&](const Outcome& o) { return alert_name(o); }),
      row("first sign to buyers", v, [&](const Outcome& o) { return sign_text(plan, o); }),
      row("crash", v, [&](const Outcome& o) { return ending_text(plan, o); }),
      row("recovery after the fix", v, [&](const Outcome& o) { return recovery_text(o); }),
  };
}

std::string stopped_text(const Plan& plan, events::Millis stopped) {
  return fmt::format("Stopped at {}, after {} of {}. These are the figures so far; what is promised was not judged.",
                     minute_text(plan, stopped), seconds(stopped), seconds(plan.length));
}

std::string report_text(const Plan& plan, const Verdict& verdict) {
  std::string out = fmt::format("\n{:<{}}", "", label_columns);
  for (const auto role : roles) out += fmt::format("{:>{}}", name(role), cell_columns);
  out += '\n';
  for (const auto& one : report_rows(plan, verdict)) {
    out += fmt::format("{:<{}}", one.label, label_columns);
    for (const auto& cell : one.cells) out += fmt::format("{:>{}}", cell, cell_columns);
    out += '\n';
  }
  out += '\n';
  if (verdict.stopped) out += stopped_text(plan, *verdict.stopped) + "\n";
  for (const auto& goal : verdict.goals) {
    out += fmt::format("{:<4} {}: {}\n", goal.reached ? "yes" : "NO", goal.promised, goal.measured);
  }
  for (const auto& run : verdict.runs) {
    if (run.died) out += fmt::format("\n{}, the last words: {}\n", name(run.role), run.last_words);
  }
  const auto& alert = verdict.runs[static_cast<std::size_t>(Role::guarded)].first_alert;
  if (alert) out += fmt::format("\nThe first alert, {}: {}\n", alert->name, alert->message);
  return out;
}

}  // namespace mayfly::tools
