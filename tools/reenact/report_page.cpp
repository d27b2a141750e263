// The report as a page: one file, no script, nothing fetched.
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/reenact/curve.h"
#include "tools/reenact/report.h"
#include "tools/reenact/report_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace mayfly::tools {

namespace {

constexpr std::size_t windows = 80;  // of a run, for what is counted by time

double in_mib(std::int64_t bytes) { return static_cast<double>(bytes) / static_cast<double>(mib); }

const char* css_of(Role role) {
  switch (role) {
    case Role::unprotected: return "unprotected";
    case Role::guarded: return "protected";
    case Role::mended: return "mended";
  }
  return "";
}

void fill(std::string& page, std::string_view mark, std::string_view text) {
  for (auto at = page.find(mark); at != std::string::npos; at = page.find(mark, at + text.size())) {
    page.replace(at, mark.size(), text);
  }
}

/// Samples between two moments.
std::pair<std::size_t, std::size_t> window(const Recording& run, std::int64_t from_ms, std::int64_t to_ms) {
  const auto before = [](const Sample& s, std::int64_t ms) { return s.at.count < ms; };
  const auto first = std::lower_bound(run.samples.begin(), run.samples.end(), from_ms, before);
  const auto last = std::lower_bound(first, run.samples.end(), to_ms, before);
  return {static_cast<std::size_t>(first - run.samples.begin()), static_cast<std::size_t>(last - run.samples.begin())};
}

class Charts {
 public:
  Charts(const Plan& plan, const Recordings& runs, const Verdict& verdict)
      : plan_(plan), runs_(runs), verdict_(verdict) {}

  [[nodiscard]] std::string all() const {
    auto memory = chart("Memory", "MiB", [](const Sample& s) { return in_mib(s.used_bytes); });
    memory.limit = in_mib(plan_.limit_bytes);
    memory.limit_name = "the limit";
    const bool carts = plan_.outage == Outage::cart_leak;
    const auto actors =
        chart(carts ? "Actors of carts" : "Actors of payment sessions", "alive",
              [carts](const Sample& s) { return static_cast<double>(carts ? s.cart_actors : s.session_actors); });
    const auto page =
        svg(memory) + svg(actors) + svg(rate("Orders placed", "a second", &Sample::orders)) + svg(failed());
    if (carts) return page + svg(answers()) + svg(rate("Carts admitted", "a second", &Sample::admitted));
    auto connections = chart("Connections to the provider", "taken",
                             [](const Sample& s) { return static_cast<double>(s.connections); });
    connections.limit = static_cast<double>(plan_.connection_limits().most);
    connections.limit_name = "all it has";
    return page + svg(rate("Slow orders", "a second", &Sample::slow)) + svg(connections);
  }

 private:
  template <class Value>
  [[nodiscard]] Chart chart(std::string title, std::string unit, Value value) const {
    auto made = empty(std::move(title), std::move(unit));
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      for (const auto& s : runs_[i].samples) {
        if (s.at <= plan_.length) made.curves[i].points.emplace_back(plan_.outage_minute(s.at), value(s));
      }
    }
    return made;
  }

  /// Axes, moments and a curve without points for each run, that without the bug first: it lies behind the others.
  [[nodiscard]] Chart empty(std::string title, std::string unit) const {
    Chart made;
    made.title = std::move(title);
    made.unit = std::move(unit);
    made.from_minute = plan_.outage_minute({0});
    made.to_minute = plan_.outage_minute(plan_.length);
    made.moments = {{0, "bug"}, {plan_.outage_minute(plan_.bug_ends()), "fix"}};
    for (const auto& run : runs_) made.curves.push_back({css_of(run.role), {}, run.died.has_value()});
    const auto& alert = verdict_.runs[static_cast<std::size_t>(Role::guarded)].first_alert;
    if (alert) made.alert = plan_.outage_minute(alert->at);
    return made;
  }

  /// By windows of the run; `value` of the samples with these indexes.
  template <class Value>
  [[nodiscard]] Chart by_windows(std::string title, std::string unit, Value value) const {
    auto made = empty(std::move(title), std::move(unit));
    const auto each = std::max<std::int64_t>(plan_.length.count / static_cast<std::int64_t>(windows), 1);
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      for (std::int64_t ms = 0; ms + each <= plan_.length.count; ms += each) {
        const auto [first, last] = window(runs_[i], ms, ms + each);
        if (first == last) continue;
        made.curves[i].points.emplace_back(plan_.outage_minute({ms + each / 2}), value(runs_[i], first, last));
      }
    }
    return made;
  }

  [[nodiscard]] Chart rate(std::string title, std::string unit, std::int64_t Sample::*count) const {
    return by_windows(std::move(title), std::move(unit),
                      [count](const Recording& run, std::size_t first, std::size_t last) {
                        const auto& begin = run.samples[first > 0 ? first - 1 : 0];
                        const auto& end = run.samples[last - 1];
                        const auto ms = std::max<std::int64_t>(end.at.count - begin.at.count, 1);
                        return static_cast<double>(end.*count - begin.*count) * 1000 / static_cast<double>(ms);
                      });
  }

  [[nodiscard]] Chart answers() const {
    constexpr int rank = 99;
    return by_windows("Answers, p99", "ms", [](const Recording& run, std::size_t first, std::size_t last) {
      std::vector<std::int64_t> all;
      for (auto i = first; i < last; ++i) {
        all.insert(all.end(), run.samples[i].answers_ms.begin(), run.samples[i].answers_ms.end());
      }
      return static_cast<double>(percentile(std::move(all), rank));
    });
  }

  /// Where the process is gone, what the same buyers asked for in the run without the bug.
  [[nodiscard]] Chart failed() const {
    auto made = chart("Failed checkouts", "so far", [](const Sample& s) { return static_cast<double>(s.failed); });
    const auto& mended = runs_[static_cast<std::size_t>(Role::mended)];
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (!runs_[i].died) continue;
      made.curves[i].ends = false;
      for (const auto& s : mended.samples) {
        if (s.at <= *runs_[i].died || s.at > plan_.length) continue;
        const auto lost = std::max<std::int64_t>(s.checkouts - runs_[i].samples.back().orders, 0);
        made.curves[i].points.emplace_back(plan_.outage_minute(s.at), static_cast<double>(lost));
      }
    }
    return made;
  }

  const Plan& plan_;
  const Recordings& runs_;
  const Verdict& verdict_;
};

std::string card(const Plan& plan, const Outcome& o) {
  const auto share = o.checkouts == 0 ? 0 : 100 * static_cast<double>(o.failed) / static_cast<double>(o.checkouts);
  std::string small = "the same shop, the same engine";
  if (o.role == Role::unprotected) {
    small = o.died
                ? fmt::format("{} at {}", o.ending, minute_text(plan, *o.died))
                : fmt::format("of {} in the outage's time {} failed and {} were slow", grouped(o.checkouts_in_outage),
                              grouped(o.failed_in_outage), grouped(o.slow_in_outage));
  } else if (o.first_alert) {
    small = fmt::format("alert: {} {}, {:.1f} s after the release", o.first_alert->name, o.first_alert->purpose,
                        static_cast<double>(o.first_alert->at.count - plan.bug_begins().count) / 1000);
  }
  return fmt::format(
      "<section class=\"run {}\"><h2>{}</h2><b>{}</b>of {} checkouts failed<br><small>{}</small></section>\n",
      css_of(o.role), name(o.role), o.failed == 0 ? "none" : fmt::format("{:.1f}%", share), grouped(o.checkouts),
      html_text(small));
}

std::string rows_html(const Plan& plan, const Verdict& verdict) {
  std::string out;
  for (const auto& row : report_rows(plan, verdict)) {
    const bool within = row.label.starts_with("  ");
    out += fmt::format("<tr><th scope=\"row\"{}>{}</th>", within ? " class=\"in\"" : "",
                       html_text(row.label.substr(within ? 2 : 0)));
    for (const auto& cell : row.cells) out += fmt::format("<td>{}</td>", html_text(cell));
    out += "</tr>\n";
  }
  return out;
}

std::string last_words_html(const Plan& plan, const Verdict& verdict) {
  std::string out;
  if (const auto& alert = verdict.runs[static_cast<std::size_t>(Role::guarded)].first_alert) {
    out += fmt::format("<p>Protected, {}: the first alert, as it is in the alerts stream.</p><pre>{} {}\n{}</pre>",
                       minute_text(plan, alert->at), html_text(alert->name), html_text(alert->kind),
                       html_text(alert->message));
  } else {
    out += "<p>Protected: no alert.</p>";
  }
  for (const auto& run : verdict.runs) {
    if (!run.died) continue;
    out += fmt::format("<p class=\"next\">{}, {}: {}. The last that it said:</p><pre>{}</pre>", name(run.role),
                       minute_text(plan, *run.died), html_text(run.ending), html_text(run.last_words));
  }
  return out;
}

}  // namespace

std::string report_page(const Plan& plan, const Recordings& runs, const Verdict& verdict, const std::string& command) {
  std::string cards;
  for (const auto& run : verdict.runs) cards += card(plan, run);
  std::string goals;
  for (const auto& goal : verdict.goals) {
    goals += fmt::format("<li{}>{}{}<br><small>{}</small></li>\n", goal.reached ? "" : " class=\"no\"",
                         goal.reached ? "" : "not reached: ", html_text(goal.promised), html_text(goal.measured));
  }
  if (verdict.stopped) goals = "<li class=\"no\">" + html_text(stopped_text(plan, *verdict.stopped)) + "</li>\n";
  std::string how;
  for (const auto& sentence : circumstances(plan)) how += "<p>" + html_text(sentence) + "</p>\n";
  std::string page = report_template;
  fill(page, "{{TITLE}}",
       plan.outage == Outage::cart_leak ? "The cart leak, played again" : "The session leak, played again");
  fill(page, "{{STORY}}", html_text(story(plan)));
  fill(page, "{{CARDS}}", cards);
  fill(page, "{{CURVES}}", Charts(plan, runs, verdict).all());
  fill(page, "{{GOALS}}", goals);
  fill(page, "{{WORDS}}", last_words_html(plan, verdict));
  fill(page, "{{ROWS}}", rows_html(plan, verdict));
  fill(page, "{{CIRCUMSTANCES}}", how);
  fill(page, "{{COMMAND}}", html_text(command));
  return page;
}

}  // namespace mayfly::tools
