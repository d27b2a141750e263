#include "actors/engine/pending_watch.h"

#include <algorithm>

namespace mayfly::actors {

std::vector<PendingWatch::Finding> PendingWatch::look(std::span<const events::PartitionFigures> ours,
                                                      events::Timestamp now) {
  std::erase_if(held_, [&](const auto& held) {
    return std::ranges::none_of(ours, [&](const auto& one) { return one.partition == held.first; });
  });
  std::vector<Finding> findings;
  for (const auto& one : ours) {
    if (!one.stable_offset) continue;  // not known now
    const auto partition = one.partition;
    const auto stable = *one.stable_offset;
    const auto pending = one.pending_records.value_or(0);
    auto known = held_.find(partition);
    const bool over = known != held_.end() && (pending == 0 || stable != known->second.at);
    if (over && known->second.said) {
      findings.push_back({false, {partition, known->second.at}, 0, now - known->second.since});
      continue;  // until it is said, what holds it up now is not looked at
    }
    if (over) held_.erase(partition);
    if (pending == 0) continue;
    const auto& held = held_.try_emplace(partition, Held{stable, now}).first->second;
    if (held.said || now - held.since <= limit_) continue;
    findings.push_back({true, {partition, held.at}, pending, now - held.since});
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
