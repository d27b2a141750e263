#include "logs/memory_log.h"

#include "adapters/record_limits.h"
#include "events/text/precondition.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace mayfly::adapters {

using events::CommitOutcome;
using events::LogError;
using events::Offset;
using events::Partition;
using events::Record;
using events::Stream;

namespace {

std::chrono::milliseconds to_wait(events::Millis m) { return std::chrono::milliseconds(m.count); }

StoredRecord store(const events::Position at, events::Timestamp time, events::TimestampType type,
                   std::optional<events::Bytes> key, std::optional<events::Bytes> value,
                   std::span<const events::Header> headers) {
  std::size_t size = (key ? key->size() : 0) + (value ? value->size() : 0);
  for (const auto& h : headers) size += h.name.size() + h.value.size();
  StoredRecord stored;
  stored.bytes = std::make_unique<char[]>(size + 1);
  stored.headers = std::make_unique<events::Header[]>(headers.size());
  char* end = stored.bytes.get();
  const auto keep = [&end](events::Bytes bytes) {
    if (!bytes.empty()) std::memcpy(end, bytes.data(), bytes.size());
    const events::Bytes kept{end, bytes.size()};
    end += bytes.size();
    return kept;
  };
  auto& r = stored.record;
  r.at = at;
  r.append_time = time;
  r.timestamp_type = type;
  if (key) r.key = keep(*key);
  if (value) r.value = keep(*value);
  for (std::size_t i = 0; i < headers.size(); ++i) stored.headers[i] = {keep(headers[i].name), keep(headers[i].value)};
  r.headers = {stored.headers.get(), headers.size()};
  return stored;
}

}  // namespace

// --- the store -----------------------------------------------------------------------------------------------------

MemoryStore::Lane& MemoryStore::lane(Stream stream, Partition partition) const { return lanes_[{stream, partition}]; }

events::Position MemoryStore::append_locked(const events::NewRecord& record) {
  auto& to = lane(record.stream, record.partition);
  to.last = std::max(to.last, clock_.now());
  const events::Position at{record.partition, to.end++};
  to.records.push_back(
      store(at, to.last, events::TimestampType::log_append_time, record.key, record.value, record.headers));
  return at;
}

events::Position MemoryStore::append(const events::NewRecord& record) {
  std::scoped_lock lock(mutex_);
  const auto at = append_locked(record);
  appended_.notify_all();
  return at;
}

void MemoryStore::append_at(Stream stream, const Record& record) {
  std::scoped_lock lock(mutex_);
  auto& to = lane(stream, record.at.partition);
  events::precondition(record.at.offset >= to.end, "MemoryStore::append_at: the offset is beyond the partition's end");
  to.end = record.at.offset + 1;
  to.last = record.append_time;
  to.records.push_back(
      store(record.at, record.append_time, record.timestamp_type, record.key, record.value, record.headers));
  appended_.notify_all();
}

std::vector<Record> MemoryStore::records(Stream stream, Partition partition) const {
  std::scoped_lock lock(mutex_);
  std::vector<Record> all;
  for (const auto& stored : lane(stream, partition).records) all.push_back(stored.record);
  return all;
}

std::map<std::string, std::optional<std::string>> MemoryStore::state(Partition partition) const {
  std::scoped_lock lock(mutex_);
  std::map<std::string, std::optional<std::string>> newest;
  for (const auto& stored : lane(Stream::state, partition).records) {
    auto& value = newest[std::string(stored.record.key.value_or(events::Bytes{}))];
    value.reset();
    if (stored.record.value) value.emplace(*stored.record.value);
  }
  return newest;
}

Offset MemoryStore::committed(Partition partition) const {
  std::scoped_lock lock(mutex_);
  return committed_[static_cast<std::size_t>(partition)];
}

events::StreamEnds MemoryStore::ends(Stream stream, Partition partition) const {
  std::scoped_lock lock(mutex_);
  const auto& l = lane(stream, partition);
  return {l.records.empty() ? l.end : l.records.front().record.at.offset, l.end};
}

void MemoryStore::read_locked(const Lane& from_lane, Offset from, std::size_t& records, std::size_t& bytes,
                              std::vector<Record>& out) const {
  auto it = std::lower_bound(from_lane.records.begin(), from_lane.records.end(), from,
                             [](const StoredRecord& r, Offset offset) { return r.record.at.offset < offset; });
  for (; it != from_lane.records.end() && records > 0; ++it) {
    const auto size = size_of(it->record);
    if (size > bytes && !out.empty()) break;
    out.push_back(it->record);
    --records;
    bytes -= std::min(bytes, size);
  }
}

// --- an engine's side ----------------------------------------------------------------------------------------------

MemoryLog::MemoryLog(MemoryStore& store) : store_(store) {
  std::scoped_lock lock(store_.mutex_);
  epoch_ = ++store_.owner_;
  for (Partition p = 0; p < store_.partitions(); ++p) taken_.push_back(p);
}

events::Polled MemoryLog::poll(const events::PollLimits& limits) {
  events::Polled polled;
  std::unique_lock lock(store_.mutex_);
  if (epoch_ != store_.owner_) {
    if (!std::exchange(fence_told_, true)) {
      for (const auto& [p, offset] : positions_) polled.lost.push_back(p);
    }
    positions_.clear();
    polled.status = {LogError::fenced, "another engine has opened this log"};
    return polled;
  }
  polled.taken = std::exchange(taken_, {});
  const auto gather = [&] {
    // Each partition its share, so that none waits for another's backlog.
    const std::size_t count = std::max<std::size_t>(positions_.size(), 1);
    for (auto& [p, next] : positions_) {
      std::size_t records = std::max<std::size_t>(limits.records / count, 1);
      std::size_t bytes = limits.bytes / count;
      store_.read_locked(store_.lane(Stream::commands, p), next, records, bytes, polled.batch.records);
      if (!polled.batch.records.empty() && polled.batch.records.back().at.partition == p) {
        next = polled.batch.records.back().at.offset + 1;
      }
    }
    return !polled.batch.records.empty();
  };
  if (!gather() && polled.taken.empty() && limits.wait.count > 0) {
    store_.appended_.wait_for(lock, to_wait(limits.wait), gather);
  }
  return polled;
}

events::Restored MemoryLog::restore(Partition partition,
                                    const std::function<void(events::Bytes, events::Bytes)>& state) {
  events::Restored restored;
  {
    std::scoped_lock lock(store_.mutex_);
    restored.next = store_.committed_[static_cast<std::size_t>(partition)];
    const auto& commands = store_.lane(Stream::commands, partition);
    restored.end = commands.end;
    restored.first = commands.records.empty() ? commands.end : commands.records.front().record.at.offset;
  }
  for (const auto& [key, value] : store_.state(partition)) {
    if (value) state(key, *value);
  }
  return restored;
}

void MemoryLog::start(Partition partition, Offset from) {
  std::scoped_lock lock(store_.mutex_);
  positions_[partition] = from;
}

events::CommitResult MemoryLog::commit(const events::Commit& commit) {
  std::scoped_lock lock(store_.mutex_);
  if (epoch_ != store_.owner_) return {CommitOutcome::fenced, "another engine has opened this log"};
  for (const auto& record : commit.records) {
    if (auto why = refusal(record, store_.partitions()); !why.empty()) return {CommitOutcome::failed, why};
  }
  for (const auto& record : commit.records) store_.append_locked(record);
  for (const auto& next : commit.next) store_.committed_[static_cast<std::size_t>(next.partition)] = next.offset;
  store_.appended_.notify_all();
  return {};
}

events::LogStatus MemoryLog::append(const events::NewRecord& record) {
  if (auto why = refusal(record, store_.partitions()); !why.empty()) return {LogError::invalid, why};
  store_.append(record);
  return {};
}

// --- everybody else's side -----------------------------------------------------------------------------------------

events::Appended MemoryClient::append(std::span<const events::NewRecord> records) {
  for (const auto& record : records) {
    if (auto why = refusal(record, store_.partitions()); !why.empty()) return {{}, {LogError::invalid, why}};
  }
  events::Appended appended;
  for (const auto& record : records) appended.at.push_back(store_.append(record));
  return appended;
}

events::Fetched MemoryClient::read(Stream stream, Partition partition, Offset from, const events::PollLimits& limits) {
  events::Fetched fetched;
  std::unique_lock lock(store_.mutex_);
  const auto gather = [&] {
    std::size_t records = limits.records;
    std::size_t bytes = limits.bytes;
    store_.read_locked(store_.lane(stream, partition), from, records, bytes, fetched.batch.records);
    return !fetched.batch.records.empty();
  };
  if (!gather() && limits.wait.count > 0) store_.appended_.wait_for(lock, to_wait(limits.wait), gather);
  fetched.next = fetched.batch.records.empty() ? from : fetched.batch.records.back().at.offset + 1;
  return fetched;
}

events::GroupPositions MemoryClient::group_positions(std::string_view group, Stream stream) {
  events::GroupPositions positions;
  std::scoped_lock lock(store_.mutex_);
  for (const auto& [partition, next] : store_.groups_[{std::string(group), stream}]) {
    positions.next.push_back({partition, next});
  }
  return positions;
}

events::LogStatus MemoryClient::keep_group_positions(std::string_view group, Stream stream,
                                                     std::span<const events::Position> next) {
  std::scoped_lock lock(store_.mutex_);
  for (const auto& p : next) store_.groups_[{std::string(group), stream}][p.partition] = p.offset;
  return {};
}

}  // namespace mayfly::adapters
