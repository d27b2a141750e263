#include "engine/sim/stormy_log.h"

#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"

#include <utility>
#include <vector>

namespace mayfly::sim {

using events::CommitOutcome;
using events::Stream;

events::Polled StormyLog::poll(const events::PollLimits& limits) {
  if (stop_ != nullptr && --polls_left_ <= 0) stop_->request_stop();
  if (std::exchange(take_again_, false)) {
    events::Polled polled;
    for (events::Partition p = 0; p < log_.partitions(); ++p) polled.taken.push_back(p);
    return polled;
  }
  auto polled = log_.poll({1 + chance_.below(weather_.most_records), limits.bytes, events::Millis{0}});
  auto& records = polled.batch.records;
  gave_records_ = gave_records_ || !records.empty();
  if (weather_.bug == Bug::record_delivered_twice && !records.empty() && chance_.permille(20)) {
    records.push_back(records.back());
  }
  return polled;
}

events::Restored StormyLog::restore(events::Partition partition,
                                    const std::function<void(events::Bytes, events::Bytes)>& state) {
  const bool first = weather_.bug == Bug::none;
  return log_.restore(partition, [&](events::Bytes key, events::Bytes value) {
    if (first || key == events::position_key) return state(key, value);
    if (events::Epitaphs::is_page_key(key)) {
      if (weather_.bug != Bug::epitaphs_not_restored) state(key, value);
      return;
    }
    const auto split = events::split_snapshot(value);
    const auto& parts = std::get<events::SnapshotParts>(split);
    std::string changed(value);
    if (weather_.bug == Bug::quarantine_forgotten) {
      changed.clear();
      append_snapshot(changed, parts.wait, parts.cart, parts.session);
    }
    if (weather_.bug == Bug::sequence_restarted) {
      auto cart = std::get<events::Cart>(events::decode_cart(key, parts.cart, std::pmr::get_default_resource()));
      cart.sequence = 0;
      std::string bytes;
      events::append_cart(bytes, cart);
      changed.clear();
      append_snapshot(changed, parts.wait, bytes, parts.session, parts.trouble);
    }
    if (const auto found = uncommitted_.find(std::string(key)); found != uncommitted_.end()) changed = found->second;
    state(key, changed);
  });
}

events::CommitResult StormyLog::commit(const events::Commit& commit) {
  if (dead_) {
    if (chance_.permille(500)) write(commit);
    return {CommitOutcome::indefinite, "dead"};
  }
  if (!chance_.permille(weather_.commit_fault_permille)) return write(commit);
  const auto kind = chance_.below(3);
  if (kind == 1) {
    if (auto result = write(commit); !result.ok()) return result;
  } else if (weather_.bug == Bug::woken_from_uncommitted) {
    for (const auto& record : commit.records) {
      if (record.stream == Stream::state && record.value && !record.key->starts_with('\x01'))
        uncommitted_[std::string(*record.key)] = *record.value;
    }
  }
  take_again_ = true;
  return {kind == 0 ? CommitOutcome::aborted : CommitOutcome::indefinite, "weather"};
}

events::CommitResult StormyLog::write(const events::Commit& commit) {
  if (!leave_out_commands_ && weather_.bug == Bug::none) return log_.commit(commit);
  std::vector<events::NewRecord> records;
  std::vector<events::Position> next(commit.next.begin(), commit.next.end());
  const bool without_position = weather_.bug == Bug::position_not_committed && chance_.permille(50);
  for (const auto& record : commit.records) {
    if (record.stream == Stream::commands && leave_out_commands_) continue;
    if (weather_.bug == Bug::tombstone_not_written && record.stream == Stream::state && !record.value) continue;
    if (without_position && record.stream == Stream::state && record.key == events::position_key) continue;
    records.push_back(record);
  }
  if (without_position) next.clear();
  return log_.commit({records, next});
}

}  // namespace mayfly::sim
