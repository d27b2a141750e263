#include "tools/deadletters/dead_letter_retry.h"

#include "events/rules/identity.h"
#include "tools/records/command_writer.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace mayfly::tools {

events::Partition retry_partition(const Found& found, std::int32_t partitions) {
  const auto& key = found.record.key;
  if (key && events::is_cart_id(*key)) return events::partition_of(*key, partitions);
  return std::min(found.letter.command.partition, partitions - 1);
}

std::string_view why_left_out(const DeadLetter& letter, bool forced) {
  if (const auto why = why_not_sent_again(letter); !why.empty()) return why;
  if (forced || times_redriven(letter) < most_redriven) return {};
  return "sent again 3 times already, and a dead letter each time: --force sends it once more";
}

std::int64_t HandlingCounts::all_left_out() const {
  std::int64_t all = 0;
  for (const auto& [why, count] : left_out) all += count;
  return all;
}

DeadLetterHandling::DeadLetterHandling(events::LogClient& log, const events::Clock& clock,
                                       const events::TickSecret* secret, Handler handler, bool forced)
    : log_(log), clock_(clock), secret_(secret), handler_(std::move(handler)), forced_(forced), run_(new_id()) {}

/// What is to be sent; the rest is counted with why not.
events::LogStatus DeadLetterHandling::choose(const std::vector<Found>& batch, std::vector<Sending>& sendings) {
  sendings.reserve(batch.size());
  const auto now = clock_.now();
  std::map<events::Partition, events::StreamEnds> ends;  // asked for once: a broker's answer takes a while
  for (const auto& found : batch) {
    const bool begun = found.fate.kind == Fate::Kind::retry_begun;
    if (const auto why = why_left_out(found.letter, forced_); !why.empty()) {
      leave_out(why);
    } else if (begun && now - found.fate.at < retry_over_after) {
      leave_out("a retry of it began less than a minute ago: try again later");
    } else if (begun) {
      sendings.push_back({&found, found.fate.to});
    } else {
      const auto partition = retry_partition(found, log_.partitions());
      const auto [known, is_new] = ends.try_emplace(partition);
      if (is_new) known->second = log_.ends(events::Stream::commands, partition);
      if (!known->second.status.ok()) return known->second.status;
      sendings.push_back({&found, {partition, known->second.end}});
    }
  }
  return {};
}

events::LogStatus DeadLetterHandling::retry(DeadLetterReading& reading, const std::vector<Found>& batch) {
  std::vector<Sending> sendings;
  auto status = choose(batch, sendings);
  if (!status.ok() || sendings.empty()) return status;
  status = mark_first(MarkKind::retry_begun, reading, sendings);
  if (status.ok()) status = look_for_sent(sendings);
  if (status.ok()) status = send(sendings);
  if (status.ok()) status = mark(MarkKind::retried, sendings);
  return status;
}

/// Steps 1 and 2.
events::LogStatus DeadLetterHandling::mark_first(MarkKind kind, DeadLetterReading& reading,
                                                 std::vector<Sending>& sendings) {
  if (sendings.empty()) return {};
  events::Offset last = 0;
  if (auto status = mark(kind, sendings, &last); !status.ok()) return status;
  if (auto status = reading.read_marks_through(last, run_); !status.ok()) return status;
  std::erase_if(sendings, [&](const Sending& s) {
    const bool anothers = reading.marked_by_another(s.found->record.at.offset);
    if (anothers) leave_out("another run of this program has taken it");
    return anothers;
  });
  return {};
}

/// Step 3. A tick behind all that may have been sent says how far to look; it decides nothing that others do not.
events::LogStatus DeadLetterHandling::look_for_sent(std::vector<Sending>& sendings) {
  std::map<events::Partition, events::Offset> from;
  std::map<std::string, Sending*, std::less<>> wanted;
  for (auto& s : sendings) {
    if (s.found->fate.kind != Fate::Kind::retry_begun) continue;
    wanted.emplace(retry_name(s.found->record.at), &s);
    const auto [lowest, is_new] = from.try_emplace(s.from.partition, s.from.offset);
    if (!is_new) lowest->second = std::min(lowest->second, s.from.offset);
  }
  for (const auto& [partition, offset] : from) {
    const auto tick = tick_record(partition, {}, clock_.now(), secret_);
    const auto appended = log_.append({&tick.record, 1});
    if (!appended.status.ok()) return appended.status;
    auto status = each_record_through(log_, events::Stream::commands, partition, offset, appended.at[0].offset,
                                      [&](const events::Record& record) {
                                        const auto found = wanted.find(header(record, retry_header));
                                        if (found == wanted.end()) return;
                                        found->second->to = record.at;
                                        wanted.erase(found);
                                        ++counts_.found;
                                      });
    if (!status.ok()) return status;
  }
  return {};
}

/// Step 4: the record's own bytes and headers, and two headers more.
events::LogStatus DeadLetterHandling::send(std::vector<Sending>& sendings) {
  std::deque<std::string> names;
  std::deque<std::vector<events::Header>> headers;
  std::vector<events::NewRecord> records;
  std::vector<Sending*> sent;
  for (auto& s : sendings) {
    if (s.to.offset != events::no_offset) continue;
    auto& own = headers.emplace_back();
    for (const auto& h : s.found->letter.headers) {
      if (h.name != retry_header && h.name != redriven_header) own.push_back(h);
    }
    own.push_back({redriven_header, names.emplace_back(std::to_string(times_redriven(s.found->letter) + 1))});
    own.push_back({retry_header, names.emplace_back(retry_name(s.found->record.at))});
    records.push_back({events::Stream::commands, s.from.partition, s.found->record.key, s.found->record.value, own});
    sent.push_back(&s);
  }
  if (records.empty()) return {};
  const auto appended = log_.append(records);
  if (!appended.status.ok()) return appended.status;
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i]->to = appended.at[i];
  counts_.sent += static_cast<std::int64_t>(sent.size());
  return {};
}

/// Steps 1 and 5.
events::LogStatus DeadLetterHandling::mark(MarkKind kind, const std::vector<Sending>& sendings, events::Offset* last) {
  std::vector<OwnedRecord> marks;
  std::vector<events::NewRecord> records;
  marks.reserve(sendings.size());
  records.reserve(sendings.size());
  const auto now = clock_.now();
  for (const auto& s : sendings) {
    const auto& letter = s.found->record;
    marks.push_back(
        mark_record({kind, letter.at.offset, kind == MarkKind::retried ? s.to : s.from, run_, handler_}, letter, now));
    records.push_back(marks.back().record);
  }
  if (records.empty()) return {};
  const auto appended = log_.append(records);
  if (appended.status.ok() && last != nullptr) *last = appended.at.back().offset;
  return appended.status;
}

events::LogStatus DeadLetterHandling::drop(DeadLetterReading& reading, const std::vector<Found>& batch) {
  std::vector<Sending> dropped;
  dropped.reserve(batch.size());
  for (const auto& found : batch) {
    if (found.fate.kind == Fate::Kind::retry_begun) {
      leave_out("a retry of it was begun and has not ended: end it with deadletters retry");
    } else {
      dropped.push_back({&found, {}});
    }
  }
  auto status = mark_first(MarkKind::dropped, reading, dropped);
  if (status.ok()) counts_.dropped += static_cast<std::int64_t>(dropped.size());
  return status;
}

}  // namespace mayfly::tools
