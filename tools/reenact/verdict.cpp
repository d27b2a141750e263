#include "tools/reenact/verdict.h"

#include "tools/console/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::int64_t admitted_permille = 990;
constexpr std::int64_t alert_permille = 20;  // of the budget
constexpr events::Millis alert_within{10'000};
constexpr double slower_at_most = 1.5;
constexpr std::int64_t failed_percent = 25;  // of the second outage's checkouts
constexpr std::int64_t slow_percent = 60;
// Memory is what it is without the bug when it is not above that run's highest by more than this.
constexpr std::int64_t recovered_within_bytes = 4LL << 20;

const Recording& of(const Recordings& all, Role role) { return all[static_cast<std::size_t>(role)]; }

/// The last sample not after that moment; counts of none are 0.
Sample at(const Recording& run, events::Millis moment) {
  Sample found;
  for (const auto& sample : run.samples) {
    if (sample.at > moment) break;
    found = sample;
  }
  return found;
}

std::optional<events::Millis> first_sign(const Recording& run) {
  for (const auto& s : run.samples) {
    const bool late = std::any_of(s.answers_ms.begin(), s.answers_ms.end(), [](auto ms) { return ms > slow.count; });
    if (late || s.failed + s.refused + s.slow > 0) return s.at;
  }
  return run.died;
}

std::optional<events::Millis> recovered(const Plan& plan, const Recording& run, std::int64_t usual_bytes) {
  if (run.died) return std::nullopt;
  for (const auto& s : run.samples) {
    if (s.at < plan.bug_ends() || s.used_bytes > usual_bytes + recovered_within_bytes) continue;
    return events::Millis{s.at.count - plan.bug_ends().count};
  }
  return std::nullopt;
}

void take_answers(const Plan& plan, const Recording& run, Outcome& o) {
  std::vector<std::int64_t> answers;
  for (const auto& s : run.samples) {
    if (s.at < plan.bug_begins() || s.at > plan.bug_ends()) continue;
    answers.insert(answers.end(), s.answers_ms.begin(), s.answers_ms.end());
  }
  o.p50_ms = percentile(answers, 50);
  o.p99_ms = percentile(std::move(answers), 99);
}

/// What the shop would have sent to a process that was there is failed.
void count_checkouts(const Plan& plan, const Recording& run, const Recording& mended, Outcome& o) {
  const auto& last = run.samples.back();
  const auto& shop = run.died ? mended : run;
  o.checkouts = shop.samples.back().checkouts;
  o.failed = run.died ? std::max<std::int64_t>(o.checkouts - last.orders, 0) : last.failed;
  // A checkout fails when its buyer's patience ends, so those of the outage have failed or have their order by then.
  const events::Millis over_by{plan.bug_ends().count + patience.count};
  const auto begun = at(shop, plan.bug_begins());
  const auto ended = at(shop, plan.bug_ends());
  o.checkouts_in_outage = ended.checkouts - begun.checkouts;
  o.failed_in_outage = run.died ? std::max<std::int64_t>(ended.checkouts - last.orders, 0) : at(run, over_by).failed;
  o.slow_in_outage = at(run, over_by).slow - at(run, plan.bug_begins()).slow;
}

Outcome outcome(const Plan& plan, const Recording& run, const Recording& mended) {
  Outcome o;
  o.role = run.role;
  o.died = run.died;
  o.ending = run.ending;
  o.last_words = run.last_words;
  if (run.samples.empty() || mended.samples.empty()) return o;
  const auto& last = run.samples.back();
  o.offered = (run.died ? mended : run).samples.back().offered;
  o.admitted = last.admitted;
  o.refused = last.refused;
  o.unanswered = std::max<std::int64_t>(o.offered - o.admitted - o.refused, 0);
  o.orders = last.orders;
  o.slow = last.slow;
  count_checkouts(plan, run, mended, o);
  take_answers(plan, run, o);
  std::int64_t usual_bytes = 0;
  for (const auto& s : mended.samples) usual_bytes = std::max(usual_bytes, s.used_bytes);
  for (const auto& s : run.samples) o.peak_bytes = std::max(o.peak_bytes, s.used_bytes);
  o.first_sign = first_sign(run);
  o.recovered = recovered(plan, run, usual_bytes);
  for (const auto& alert : run.alerts) {
    if (alert.at < plan.bug_begins()) continue;
    const bool known = std::find(o.leaks.begin(), o.leaks.end(), alert.purpose) != o.leaks.end();
    if (alert.name == "leak" && !known) o.leaks.push_back(alert.purpose);
    if (!o.first_alert) o.first_alert = alert;
  }
  return o;
}

double percent_of(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(all);
}

Goal ends_as_it_did(const Plan& plan, const Outcome& o) {
  const auto failed = percent_of(o.failed_in_outage, o.checkouts_in_outage);
  const auto crash = o.died ? fmt::format("{} at minute {:.1f}", o.ending, plan.outage_minute(*o.died)) : "no crash";
  if (plan.outage == Outage::cart_leak) return {"unprotected, the service crashes", crash, o.died.has_value()};
  const auto slow_ones = percent_of(o.slow_in_outage, o.checkouts_in_outage);
  const bool limps = failed >= static_cast<double>(failed_percent) && slow_ones >= static_cast<double>(slow_percent);
  return {fmt::format("unprotected, {}% of the outage's checkouts fail and {}% are slow, or the service crashes",
                      failed_percent, slow_percent),
          fmt::format("{:.1f}% failed, {:.1f}% were slow; {}", failed, slow_ones, crash), limps || o.died.has_value()};
}

std::vector<Goal> alert_goals(const Plan& plan, const Outcome& o) {
  const auto promised_name = fmt::format("the first alert is a leak of {}, within {} s of the bug",
                                         plan.right_purpose(), alert_within.count / 1000);
  if (!o.first_alert) return {{promised_name, "no alert", false}};
  const auto& alert = *o.first_alert;
  const auto after_ms = alert.at.count - plan.bug_begins().count;
  const auto permille = alert.bytes * 1000 / std::max<std::int64_t>(plan.budget_bytes(), 1);
  return {{promised_name,
           fmt::format("{} of {} ({}) after {:.1f} s", alert.name, alert.purpose.empty() ? "nothing" : alert.purpose,
                       alert.kind, static_cast<double>(after_ms) / 1000),
           alert.name == "leak" && alert.purpose == plan.right_purpose() && after_ms <= alert_within.count},
          {fmt::format("by then at most {}% of the budget has leaked", alert_permille / 10),
           fmt::format("{:.2f}%, {} bytes", percent_of(alert.bytes, plan.budget_bytes()), grouped(alert.bytes)),
           permille < alert_permille}};
}

std::vector<Goal> goals(const Plan& plan, const Verdict& verdict) {
  const auto& exposed = verdict.runs[static_cast<std::size_t>(Role::unprotected)];
  const auto& o = verdict.runs[static_cast<std::size_t>(Role::guarded)];
  const auto& mended = verdict.runs[static_cast<std::size_t>(Role::mended)];
  std::vector<Goal> all{ends_as_it_did(plan, exposed)};
  all.push_back({"protected, no checkout fails", fmt::format("{} of {}", grouped(o.failed), grouped(o.checkouts)),
                 o.failed == 0 && o.checkouts > 0 && !o.died});
  all.push_back({fmt::format("protected, {}% of carts are admitted", admitted_permille / 10),
                 fmt::format("{:.2f}%", percent_of(o.admitted, o.offered)),
                 o.offered > 0 && o.admitted * 1000 >= o.offered * admitted_permille});
  const auto ratio = mended.p99_ms == 0 ? 0 : static_cast<double>(o.p99_ms) / static_cast<double>(mended.p99_ms);
  all.push_back({fmt::format("protected, p99 of answers is at most {} times that without the bug", slower_at_most),
                 fmt::format("{} ms to {} ms, {:.2f} times", o.p99_ms, mended.p99_ms, ratio),
                 ratio > 0 && ratio <= slower_at_most});
  for (auto& goal : alert_goals(plan, o)) all.push_back(std::move(goal));
  return all;
}

OrderedJson moment(const std::optional<events::Millis>& m) { return m ? OrderedJson(m->count) : OrderedJson(); }

OrderedJson json_of(const Outcome& o) {
  OrderedJson alert;
  if (o.first_alert) {
    const auto& a = *o.first_alert;
    alert = {{"ms", a.at.count},     {"alert", a.name},  {"kind", a.kind},
             {"purpose", a.purpose}, {"bytes", a.bytes}, {"message", a.message}};
  }
  return {
      {"run", name(o.role)},
      {"carts",
       {{"offered", o.offered}, {"admitted", o.admitted}, {"refused", o.refused}, {"unanswered", o.unanswered}}},
      {"checkouts", {{"begun", o.checkouts}, {"orders", o.orders}, {"slow", o.slow}, {"failed", o.failed}}},
      {"outage", {{"checkouts", o.checkouts_in_outage}, {"slow", o.slow_in_outage}, {"failed", o.failed_in_outage}}},
      {"peak_bytes", o.peak_bytes},
      {"answer_ms", {{"p50", o.p50_ms}, {"p99", o.p99_ms}}},
      {"first_sign_ms", moment(o.first_sign)},
      {"recovered_after_ms", moment(o.recovered)},
      {"leaks", o.leaks},
      {"first_alert", alert},
      {"died_ms", moment(o.died)},
      {"ending", o.ending},
      {"last_words", o.last_words}};
}

}  // namespace

bool Verdict::all_reached() const {
  return !stopped && std::all_of(goals.begin(), goals.end(), [](const Goal& goal) { return goal.reached; });
}

std::int64_t percentile(std::vector<std::int64_t> values, int percent) {
  if (values.empty()) return 0;
  const auto rank = (values.size() * static_cast<std::size_t>(percent) + 99) / 100;
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

Verdict judge(const Plan& plan, const Recordings& recordings, bool whole) {
  Verdict verdict;
  const auto& mended = of(recordings, Role::mended);
  for (std::size_t i = 0; i < roles.size(); ++i) verdict.runs[i] = outcome(plan, recordings[i], mended);
  if (whole) {
    verdict.goals = goals(plan, verdict);
  } else {
    verdict.stopped = events::Millis{};
    for (const auto& run : recordings) verdict.stopped = std::max(*verdict.stopped, run.samples.back().at);
  }
  return verdict;
}

std::string to_json(const Plan& plan, const Verdict& verdict) {
  OrderedJson goals = OrderedJson::array();
  for (const auto& goal : verdict.goals) {
    goals.push_back({{"promised", goal.promised}, {"measured", goal.measured}, {"reached", goal.reached}});
  }
  OrderedJson runs = OrderedJson::array();
  for (const auto& run : verdict.runs) runs.push_back(json_of(run));
  return OrderedJson{
      {"outage", name(plan.outage)},
      {"seed", plan.seed},
      {"length_ms", plan.length.count},
      {"limit_bytes", plan.limit_bytes},
      {"budget_bytes", plan.budget_bytes()},
      {"carts_per_s", plan.carts_per_s},
      {"bug",
       {{"begins_ms", plan.bug_begins().count}, {"ends_ms", plan.bug_ends().count}, {"bytes", plan.bug_bytes()}}},
      {"stopped_ms", moment(verdict.stopped)},
      {"runs", runs},
      {"goals", goals}}
      .dump();
}

}  // namespace mayfly::tools
