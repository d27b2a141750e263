#include "tools/reenact/watch_rows.h"

#include "tools/console/text.h"
#include "tools/reenact/verdict.h"

#include <fmt/format.h>

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr std::int64_t rows_of_a_run = 24;

/// Orders a second and p99 of answers, of the last so many samples.
constexpr std::size_t looked_back = 20;

events::Millis newest(const Recordings& runs) {
  events::Millis now{};
  for (const auto& run : runs) now = std::max(now, run.samples.empty() ? events::Millis{} : run.samples.back().at);
  return now;
}

std::string cells(const Recording& run) {
  if (run.died) return fmt::format("{:>28}", "gone");
  if (run.samples.empty()) return fmt::format("{:>28}", "");
  const auto& now = run.samples.back();
  const auto& before = run.samples[run.samples.size() - std::min(run.samples.size(), looked_back)];
  std::vector<std::int64_t> answers;
  for (auto s = run.samples.end() - static_cast<std::ptrdiff_t>(std::min(run.samples.size(), looked_back));
       s != run.samples.end(); ++s) {
    answers.insert(answers.end(), s->answers_ms.begin(), s->answers_ms.end());
  }
  const auto ms = std::max<std::int64_t>(now.at.count - before.at.count, 1);
  return fmt::format("{:>7} {:>9} {:>10}", now.used_bytes / mib, (now.orders - before.orders) * 1000 / ms,
                     percentile(std::move(answers), 99));
}

}  // namespace

std::string WatchRows::head() {
  std::string first = fmt::format("{:>8}", "");
  std::string second = fmt::format("{:>8}", "minute");
  for (const auto role : roles) {
    first += fmt::format("{:>28}", name(role));
    second += fmt::format("{:>7} {:>9} {:>10}", "MiB", "orders/s", "p99 ms");
  }
  return first + "\n" + second + "\n";
}

std::string WatchRows::row(const Recordings& runs) const {
  const auto now = newest(runs);
  std::string line = fmt::format("{:>8.1f}", plan_.outage_minute(now));
  for (const auto& run : runs) line += cells(run);
  return line + "\n";
}

std::string WatchRows::news(const Recordings& runs) {
  std::string lines;
  const auto say = [&](events::Millis at, const std::string& what) {
    lines += fmt::format("{:>8.1f}  {}\n", plan_.outage_minute(at), what);
  };
  const auto now = newest(runs);
  if (!began_ && now >= plan_.bug_begins()) say(plan_.bug_begins(), "the release with the bug is in service");
  began_ = began_ || now >= plan_.bug_begins();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto& run = runs[i];
    if (!alerted_[i] && !run.alerts.empty()) {
      const auto& a = run.alerts.front();
      say(a.at, fmt::format("{}: alert {} {}", name(run.role), a.name, a.purpose));
    }
    alerted_[i] = !run.alerts.empty();
    if (!died_[i] && run.died) say(*run.died, fmt::format("{}: {}", name(run.role), run.ending));
    died_[i] = run.died.has_value();
  }
  if (!ended_ && now >= plan_.bug_ends()) say(plan_.bug_ends(), "the release without the bug is in service");
  ended_ = ended_ || now >= plan_.bug_ends();
  return lines;
}

std::string WatchRows::step(const Recordings& runs) {
  const auto now = newest(runs);
  auto lines = news(runs);
  const auto due = now.count * rows_of_a_run / plan_.length.count;
  if (due > rows_) lines += row(runs);
  rows_ = std::max(rows_, due);
  return lines;
}

}  // namespace mayfly::tools
