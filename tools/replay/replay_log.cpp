#include "tools/replay/replay_log.h"

#include "events/rules/identity.h"
#include "events/state/snapshot.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/first_difference.h"
#include "tools/replay/replay_recorded.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace mayfly::tools {

using events::Partition;
using events::Record;
using events::Stream;

namespace {

std::string where(const char* what, Partition p, events::Offset offset, const std::optional<events::Bytes>& key) {
  std::string text = std::string(what) + " " + std::to_string(p) + ":" + std::to_string(offset);
  if (key)
    text += " of " + (key->starts_with('\x01') ? "engine record " + std::string(key->substr(1)) : std::string(*key));
  return text;
}

}  // namespace

ReplayLog::ReplayLog(events::LogClient& commands, events::LogClient& results, std::vector<events::Offset> ends,
                     std::vector<events::Offset> position_at)
    : commands_(commands),
      results_(results),
      ends_(std::move(ends)),
      position_at_(std::move(position_at)),
      from_(ends_.size(), 0),
      begins_(ends_.size(), 0),
      cursors_(ends_.size()),
      state_(ends_.size()) {
  for (Partition p = 0; p < commands_.partitions(); ++p) taken_.push_back(p);
}

namespace {

/// The first event that a command from `next` on caused: events lie in the order of what caused them.
events::LogStatus first_event(events::LogClient& log, Partition p, events::Offset next, events::Offset& found) {
  const auto ends = log.ends(Stream::events, p);
  if (!ends.status.ok()) return ends.status;
  auto end = ends.end;
  for (found = ends.first; found < end;) {
    const auto middle = found + (end - found) / 2;
    const auto fetched = log.read(Stream::events, p, middle, {1, 1, events::Millis{0}});
    if (!fetched.status.ok()) return fetched.status;
    if (fetched.batch.records.empty() || cause_offset(fetched.batch.records.front()) >= next) {
      end = middle;
    } else {
      found = fetched.batch.records.front().at.offset + 1;
    }
  }
  return {};
}

}  // namespace

events::LogStatus ReplayLog::begin_with(const Checkpoint& checkpoint) {
  for (std::size_t p = 0; p < from_.size(); ++p) {
    const auto& part = checkpoint.parts[p];
    from_[p] = begins_[p] = part.next;
    state_[p] = part.records;
    if (auto status = first_event(results_, static_cast<Partition>(p), part.next, cursors_[p].next); !status.ok())
      return status;
  }
  return {};
}

void ReplayLog::extend(std::vector<events::Offset> ends, std::vector<events::Offset> position_at) {
  ends_ = std::move(ends);
  position_at_ = std::move(position_at);
}

events::Polled ReplayLog::poll(const events::PollLimits& limits) {
  events::Polled polled;
  if (polled_) polled_(given_, share());
  polled.taken = std::exchange(taken_, {});
  if (!polled.taken.empty()) return polled;
  auto storage = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  const auto share = std::max<std::size_t>(1, from_.size());
  const events::PollLimits part{std::max<std::size_t>(1, limits.records / share),
                                std::max<std::size_t>(1, limits.bytes / share), events::Millis{0}};
  for (std::size_t p = 0; p < from_.size() && polled.status.ok(); ++p) {
    auto& from = from_[p];
    if (from >= ends_[p]) continue;
    auto fetched = commands_.read(Stream::commands, static_cast<Partition>(p), from, part);
    polled.status = std::move(fetched.status);
    from = std::min(fetched.next, ends_[p]);  // what lies behind may be asked for later
    for (const auto& record : fetched.batch.records) {
      if (record.at.offset < ends_[p]) polled.batch.records.push_back(record);
    }
    storage->push_back(std::move(fetched.batch.storage));
  }
  given_ += static_cast<std::int64_t>(polled.batch.records.size());
  polled.batch.storage = std::move(storage);
  return polled;
}

double ReplayLog::share() const {
  events::Offset given = 0;
  events::Offset all = 0;
  for (std::size_t p = 0; p < from_.size(); ++p) {
    given += from_[p] - begins_[p];
    all += std::max(from_[p], ends_[p]) - begins_[p];
  }
  return all == 0 ? 1 : static_cast<double>(given) / static_cast<double>(all);
}

events::Restored ReplayLog::restore(Partition p, const std::function<void(events::Bytes, events::Bytes)>& state) {
  const auto at = static_cast<std::size_t>(p);
  for (const auto& [key, value] : state_[at]) state(key, value);
  return {from_[at], std::max(from_[at], ends_[at]), {}, from_[at]};
}

/// What was decided after the replay's end is not decided again. Events lie in the order of what caused them.
bool ReplayLog::expected(const Record& event, Partition p) const {
  return cause_offset(event) < ends_[static_cast<std::size_t>(p)];  // of none of ours: it is compared
}

const Record* ReplayLog::next_event(Partition p) {
  auto& c = cursors_[static_cast<std::size_t>(p)];
  for (;;) {
    if (c.at < c.batch.records.size()) {
      return expected(c.batch.records[c.at], p) ? &c.batch.records[c.at++] : nullptr;
    }
    auto fetched = results_.read(Stream::events, p, c.next, read_at_once);
    if (!fetched.status.ok()) status_ = std::move(fetched.status);
    if (fetched.batch.records.empty()) return nullptr;
    c.next = fetched.next;
    c.batch = std::move(fetched.batch);
    c.at = 0;
  }
}

events::CommitResult ReplayLog::commit(const events::Commit& commit) {
  for (const auto& again : commit.records) {
    const auto p = again.partition;
    if (again.stream == Stream::state) {
      auto& newest = state_[static_cast<std::size_t>(p)];
      const std::string key(again.key.value_or(events::Bytes{}));
      if (again.value) {
        newest[key] = *again.value;
      } else {
        newest.erase(key);
      }
    }
    if (again.stream != Stream::events || !compares_)
      continue;  // commands that the engine wrote are input; dead letters, alerts follow
    const auto* recorded = next_event(p);
    if (!status_.ok()) return {events::CommitOutcome::failed, status_.message};
    if (recorded == nullptr) {
      return {events::CommitOutcome::failed, where("event", p, cursors_[static_cast<std::size_t>(p)].next, again.key) +
                                                 ": nothing recorded, again " + summary(again.headers, again.value)};
    }
    ++compared_;
    const auto difference =
        first_difference({recorded->key, recorded->value, recorded->headers}, {again.key, again.value, again.headers});
    if (!difference.empty())
      return {events::CommitOutcome::failed, where("event", p, recorded->at.offset, recorded->key) + ": " + difference};
  }
  return {};
}

std::string ReplayLog::compare_rest() {
  states_ = 0;
  moved_on_ = 0;
  for (Partition p = 0; p < partitions(); ++p) {
    if (const auto* left = next_event(p)) {
      return where("event", p, left->at.offset, left->key) + ": recorded " + summary(left->headers, left->value) +
             ", nothing again";
    }
    if (!status_.ok()) return status_.message;
    if (auto difference = compare_state(p); !difference.empty()) return difference;
  }
  return {};
}

std::string ReplayLog::compare_state(Partition p) {
  // Of the recorded ones a hash is enough, until one differs: a stream that is not compacted holds every version.
  struct Newest {
    events::CartHash value;
    events::Offset offset;
    bool ended;  // a tombstone
  };
  const auto position_at = position_at_[static_cast<std::size_t>(p)];
  auto newest_position = events::no_offset;
  std::map<std::string, Newest> recorded;
  status_ = each_record(results_, Stream::state, p, [&](const Record& record) {
    const std::string key(record.key.value_or(events::Bytes{}));
    if (key == events::position_key) newest_position = record.at.offset;
    if (record.value) {
      recorded.insert_or_assign(key, Newest{events::hash_of(*record.value), record.at.offset, false});
    } else if (record.at.offset > position_at) {
      recorded.insert_or_assign(key, Newest{{}, record.at.offset, true});
    } else {
      recorded.erase(key);
    }
    return true;
  });
  if (!status_.ok()) return status_.message;
  // A commit writes the position last: what lies behind the one that ends the replay is of commits that came later.
  const bool position_moved = newest_position != position_at;
  const auto moved = [&](const Newest& found) { return position_moved && found.offset > position_at; };
  for (const auto& [key, value] : state_[static_cast<std::size_t>(p)]) {
    const auto found = recorded.find(key);
    if (found == recorded.end()) {
      return where("state", p, 0, key) + ": nothing recorded, again " + std::to_string(value.size()) + " bytes";
    }
    const auto newest = found->second;
    recorded.erase(found);
    if (!newest.ended && newest.value == events::hash_of(value)) {
      ++states_;
    } else if (moved(newest)) {
      ++moved_on_;
    } else {
      return difference_of_state(p, newest.offset, key, value);
    }
  }
  for (const auto& [key, newest] : recorded) {
    if (moved(newest))
      ++moved_on_;
    else if (!newest.ended)
      return where("state", p, newest.offset, key) + ": recorded, nothing again";
  }
  return {};
}

/// What is recorded at that offset of the state, against what was decided again.
std::string ReplayLog::difference_of_state(Partition p, events::Offset offset, const std::string& key,
                                           const std::string& again) {
  std::string difference;
  status_ = each_record(results_, Stream::state, p, [&](const Record& record) {
    if (record.at.offset != offset) return true;
    difference = record.value ? first_difference_of_state(key, *record.value, again) : "recorded a tombstone";
    return false;
  });
  return where("state", p, offset, key) + ": " + difference;
}

}  // namespace mayfly::tools
