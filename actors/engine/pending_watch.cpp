#include "actors/engine/pending_watch.h"

#include <algorithm>
#include <optional>

namespace mayfly::actors {

namespace {

struct Seen {
  std::int64_t pending = 0;
  std::optional<events::Offset> stable;  // none: not known now
};

}  // namespace

std::vector<PendingWatch::Finding> PendingWatch::look(std::span<const events::LogFigure> figures,
                                                      events::Timestamp now) {
  std::map<events::Partition, Seen> seen;
  for (const auto& figure : figures) {
    if (figure.name == events::pending_records_figure) {
      seen[figure.partition].pending = static_cast<std::int64_t>(figure.value);
    } else if (figure.name == events::stable_offset_figure) {
      seen[figure.partition].stable = static_cast<events::Offset>(figure.value);
    }
  }
  std::erase_if(held_, [&](const auto& held) { return !seen.contains(held.first); });
  std::vector<Finding> findings;
  for (const auto& [partition, is] : seen) {
    if (!is.stable) continue;
    auto known = held_.find(partition);
    const bool over = known != held_.end() && (is.pending == 0 || *is.stable != known->second.at);
    if (over && known->second.said) {
      findings.push_back({false, {partition, known->second.at}, 0, now - known->second.since});
      continue;  // until it is said, what holds it up now is not looked at
    }
    if (over) held_.erase(partition);
    if (is.pending == 0) continue;
    const auto& held = held_.try_emplace(partition, Held{*is.stable, now}).first->second;
    if (held.said || now - held.since <= limit_) continue;
    findings.push_back({true, {partition, held.at}, is.pending, now - held.since});
  }
  return findings;
}

void PendingWatch::said(const Finding& finding) {
  if (finding.hanging) {
    held_[finding.at.partition].said = true;
  } else {
    held_.erase(finding.at.partition);
  }
}

std::size_t PendingWatch::hanging() const {
  return static_cast<std::size_t>(
      std::count_if(held_.begin(), held_.end(), [](const auto& of) { return of.second.said; }));
}

}  // namespace mayfly::actors
