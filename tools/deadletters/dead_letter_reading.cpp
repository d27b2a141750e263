#include "tools/deadletters/dead_letter_reading.h"

#include "tools/records/each_record.h"

#include <algorithm>

namespace mayfly::tools {

std::string_view name(Fate::Kind kind) {
  switch (kind) {
    case Fate::Kind::open: return "open";
    case Fate::Kind::retry_begun: return "retry_begun";
    case Fate::Kind::retried: return "retried";
    case Fate::Kind::dropped: return "dropped";
  }
  return "";
}

bool Selection::fits(const events::Record& record, const DeadLetter& letter, const Fate& fate) const {
  if (fate.handled() && !with_handled) return false;
  if (!positions.empty() && !positions.contains(record.at)) return false;
  if (!reasons.empty() && !reasons.contains(letter.reason)) return false;
  if (!cart.empty() && record.key != cart) return false;
  if (since && record.append_time < *since) return false;
  return !until || record.append_time < *until;
}

void DeadLetterReading::take(const Mark& mark, events::Timestamp at) {
  const auto [found, is_new] = fates_.try_emplace(mark.of);
  auto& fate = found->second;
  if (fate.kind == Fate::Kind::retried) return;
  if (mark.kind == MarkKind::retry_begun) {
    if (fate.kind == Fate::Kind::dropped) return;
    if (fate.kind == Fate::Kind::open || mark.to.offset < fate.to.offset) fate.to = mark.to;
    fate.kind = Fate::Kind::retry_begun;
  } else {
    // A drop leaves a retry that was begun alone: this one was marked before it could know.
    if (mark.kind == MarkKind::dropped && fate.kind == Fate::Kind::retry_begun) return;
    fate.kind = mark.kind == MarkKind::retried ? Fate::Kind::retried : Fate::Kind::dropped;
    fate.to = mark.to;
  }
  fate.at = at;
  fate.handler = kept(mark.handler);
}

const Handler* DeadLetterReading::kept(const Handler& handler) {
  return &handlers_.try_emplace({handler.by, handler.why}, handler).first->second;
}

Fate DeadLetterReading::fate_of(events::Offset offset) const {
  const auto found = fates_.find(offset);
  return found == fates_.end() ? Fate{} : found->second;
}

events::LogStatus DeadLetterReading::begin() {
  ends_ = log_.ends(events::Stream::deadletters, partition_);
  if (!ends_.status.ok()) return ends_.status;
  marks_read_to_ = ends_.end;
  for (auto from = ends_.first; from < ends_.end;) {
    auto fetched = log_.read(events::Stream::deadletters, partition_, from, at_once);
    if (!fetched.status.ok() || fetched.batch.records.empty()) return fetched.status;
    from = fetched.next;
    for (const auto& record : fetched.batch.records) {
      if (record.at.offset >= ends_.end) return {};
      if (const auto mark = read_mark(record)) take(*mark, record.append_time);
    }
  }
  return {};
}

events::LogStatus DeadLetterReading::each_batch(const Selection& selection,
                                                const std::function<events::LogStatus(std::vector<Found>&)>& f) {
  for (auto from = ends_.first; from < ends_.end;) {
    auto fetched = log_.read(events::Stream::deadletters, partition_, from, at_once);
    if (!fetched.status.ok() || fetched.batch.records.empty()) return fetched.status;
    from = fetched.next;
    std::vector<Found> found;
    for (const auto& record : fetched.batch.records) {
      if (record.at.offset >= ends_.end) break;
      const auto letter = read_dead_letter(record);
      if (!letter) continue;
      const auto fate = fate_of(record.at.offset);
      if (selection.fits(record, *letter, fate)) found.push_back({record, *letter, fate});
    }
    if (found.empty()) continue;
    if (auto status = f(found); !status.ok()) return status;
  }
  return {};
}

events::LogStatus DeadLetterReading::read_marks_through(events::Offset through, std::string_view own_run) {
  auto status = each_record_through(log_, events::Stream::deadletters, partition_, marks_read_to_, through,
                                    [&](const events::Record& record) {
                                      const auto mark = read_mark(record);
                                      if (mark && mark->run != own_run) by_others_.insert(mark->of);
                                    });
  if (status.ok()) marks_read_to_ = std::max(marks_read_to_, through + 1);
  return status;
}

}  // namespace mayfly::tools
