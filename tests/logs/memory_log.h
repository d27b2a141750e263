// The log in memory: for tests, replays and benchmarks. One store, any number of engines' and clients' sides of it.
#pragma once

#include "events/log/log.h"

#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::adapters {

/// What is stored of a record: one block of bytes that key, value and headers view.
struct StoredRecord {
  events::Record record;
  std::unique_ptr<char[]> bytes;
  std::unique_ptr<events::Header[]> headers;
};

/// The content of a log. Thread-safe. Append times never decrease in a partition.
class MemoryStore {
 public:
  MemoryStore(std::int32_t partitions, const events::Clock& clock)
      : clock_(clock), partitions_(partitions), committed_(static_cast<std::size_t>(partitions)) {}

  [[nodiscard]] std::int32_t partitions() const { return partitions_; }
  /// Appends at the end, now. Returns where.
  events::Position append(const events::NewRecord&);
  /// Appends with a position and time of an earlier log. Precondition: beyond the partition's end.
  void append_at(events::Stream, const events::Record&);
  /// Views of all records of a stream's partition, valid while the store lives.
  [[nodiscard]] std::vector<events::Record> records(events::Stream, events::Partition) const;
  /// The newest value per key of the state stream; none: a tombstone.
  [[nodiscard]] std::map<std::string, std::optional<std::string>> state(events::Partition) const;
  [[nodiscard]] events::Offset committed(events::Partition) const;
  [[nodiscard]] events::StreamEnds ends(events::Stream, events::Partition) const;

 private:
  friend class MemoryLog;
  friend class MemoryClient;
  struct Lane {
    std::deque<StoredRecord> records;
    events::Offset end = 0;
    events::Timestamp last{};
  };
  Lane& lane(events::Stream, events::Partition) const;
  events::Position append_locked(const events::NewRecord&);
  /// Records of a lane from an offset on, within the limits left, which are reduced.
  void read_locked(const Lane&, events::Offset from, std::size_t& records, std::size_t& bytes,
                   std::vector<events::Record>& out) const;

  const events::Clock& clock_;
  std::int32_t partitions_;
  mutable std::mutex mutex_;
  std::condition_variable appended_;
  mutable std::map<std::pair<events::Stream, events::Partition>, Lane> lanes_;
  std::vector<events::Offset> committed_;
  std::map<std::pair<std::string, events::Stream>, std::map<events::Partition, events::Offset>> groups_;  // of readers
  std::uint64_t owner_ = 0;  // epoch of the engine that owns it
};

/// An engine's side. Opening a second one fences the first. The store outlives it.
class MemoryLog final : public events::Log {
 public:
  explicit MemoryLog(MemoryStore&);
  [[nodiscard]] std::int32_t partitions() const override { return store_.partitions(); }
  events::Polled poll(const events::PollLimits&) override;
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&) override;
  void start(events::Partition, events::Offset from) override;
  events::CommitResult commit(const events::Commit&) override;
  events::LogStatus append(const events::NewRecord&) override;

 private:
  MemoryStore& store_;
  std::uint64_t epoch_;
  std::vector<events::Partition> taken_;                   // to be told by the next poll
  std::map<events::Partition, events::Offset> positions_;  // of started partitions
  bool fence_told_ = false;
};

class MemoryClient final : public events::LogClient {
 public:
  explicit MemoryClient(MemoryStore& store) : store_(store) {}
  [[nodiscard]] std::int32_t partitions() const override { return store_.partitions(); }
  events::Appended append(std::span<const events::NewRecord>) override;
  events::Fetched read(events::Stream, events::Partition, events::Offset, const events::PollLimits&) override;
  events::StreamEnds ends(events::Stream s, events::Partition p) override { return store_.ends(s, p); }
  events::GroupPositions group_positions(std::string_view group, events::Stream) override;
  events::LogStatus keep_group_positions(std::string_view group, events::Stream,
                                         std::span<const events::Position>) override;

 private:
  MemoryStore& store_;
};

}  // namespace mayfly::adapters
