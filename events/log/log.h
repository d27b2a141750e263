// The interface to a partitioned log of commands in, events and state out, that every log implements: memory,
// SQLite, Kafka. The contract is docs/log.md; tests/unit/adapters/log_contract_test.cpp runs it against each.
//
// Two sides: Log is the engine's, one owner at a time per partition, transactions; LogClient is everybody else's.
#pragma once

#include "events/log/log_figures.h"
#include "events/log/record.h"
#include "events/log/types.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mayfly::events {

enum class LogError : std::uint8_t {
  none,
  unavailable,  // cannot be reached now (broker down, file busy); try again later
  fenced,       // another engine owns it now
  owned,        // another engine owns it and lives; `message` says who
  full,         // no space
  corrupt,      // what is stored cannot be read or contradicts itself
  invalid,      // the request or the setup is wrong; `message` says what to do
};
std::string_view name(LogError);

struct LogStatus {
  LogError error = LogError::none;
  std::string message;  // a sentence for a person: what, where, what to do
  [[nodiscard]] bool ok() const { return error == LogError::none; }
};

/// What a commit came to. Anything but `committed` gives up every partition: positions go back to what is
/// committed, and the partitions that are still ours come again as `taken` from poll.
enum class CommitOutcome : std::uint8_t {
  committed,
  aborted,     // definitely not written
  indefinite,  // written or not: only reading the committed position tells
  fenced,      // not written, another owns the partitions
  failed,      // not written and will not be (disk full, fatal error)
};
std::string_view name(CommitOutcome);

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::committed;
  std::string message;
  LogError error = LogError::none;  // failed: which kind
  /// aborted: the commit's record, by its index, that is larger than the log takes for now. Others may be too.
  std::optional<std::size_t> too_large{};
  [[nodiscard]] bool ok() const { return outcome == CommitOutcome::committed; }
};

/// One transaction: all of it or nothing. Records of one (stream, partition) keep their order.
struct Commit {
  std::span<const NewRecord> records;  // events, state (value none: tombstone), deadletters, alerts, commands
  std::span<const Position> next;      // per partition read: the next offset to read
};

struct PollLimits {
  std::size_t records = 0;
  std::size_t bytes = 0;  // of keys, values and headers; at least one record is given all the same
  Millis wait{};          // for the first record; 0: do not wait
};

/// Records that are there and cannot be given, from `from` on up to before `to`; those behind them follow.
struct Skipped {
  Position from;
  Offset to = 0;
  std::string why;  // a sentence
};

struct Polled {
  std::vector<Partition> taken;  // newly ours: restore, then start, each
  std::vector<Partition> lost;   // no longer ours: drop their actors; nothing of them may be committed
  bool settled = true;           // which partitions are ours is known, be it none; false: they are being given out
  RecordBatch batch;             // of started partitions only
  LogStatus status;
  std::vector<Skipped> skipped{};  // of started partitions; each told once a reading
};

/// What restore found of a partition.
struct Restored {
  Offset next = 0;  // committed position: the next offset to read; 0 where the log has none
  Offset end = 0;   // offset after the last command now there
  LogStatus status{};
  Offset first = 0;           // of the commands now there; `end` if there are none
  bool has_committed = true;  // false: nothing was ever committed of this partition, or the log has forgotten it
};

class Log {
 public:
  virtual ~Log() = default;
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Partition count of commands, events and state; fixed for the log's life.
  [[nodiscard]] virtual std::int32_t partitions() const = 0;

  /// Next records of the started partitions in offset order, after those given before, and changes of ownership.
  /// One thread at a time; may run while another thread is in commit.
  virtual Polled poll(const PollLimits&) = 0;

  /// Reads the committed position of a taken partition, waiting for a pending transaction, then its state records
  /// to their end read afterwards: the newest per key, tombstones left out, in any key order. Views end with the call.
  virtual Restored restore(Partition, const std::function<void(Bytes key, Bytes value)>& state) = 0;

  /// From here on poll gives this partition's records from that offset on: the committed position, where there is one.
  virtual void start(Partition, Offset from) = 0;

  /// Blocks until the outcome is known or given up on. At most one at a time, in the order of the batches.
  virtual CommitResult commit(const Commit&) = 0;

  /// Appends outside any transaction (clock ticks, alerts that no command raised), without waiting for a broker: it may
  /// tell of an earlier append's failure. Any thread.
  virtual LogStatus append(const NewRecord&) = 0;

  /// Memory that it holds, by its own account; 0: not known. Poll's thread; must not block.
  virtual std::int64_t memory_bytes() { return 0; }

  /// Poll's thread, about once a second; must not block.
  virtual LogFigures figures() { return {}; }

  /// Sentences for a person: who holds up the partition of the commands from there on, or how that is found out, and
  /// how it is ended. Poll's thread; must not block.
  [[nodiscard]] virtual std::string pending_advice(Position) const { return {}; }
};

/// Where a stream's partition begins and ends: first <= offsets < end. `end` is what read_committed may see.
struct StreamEnds {
  Offset first = 0;
  Offset end = 0;
  LogStatus status{};  // not ok: the two are not known
};

struct Appended {
  std::vector<Position> at;  // of each record, in order; empty if the status is not ok
  LogStatus status;
};

struct Fetched {
  RecordBatch batch;
  Offset next = 0;  // where to read on
  LogStatus status;
};

/// Where a group of readers goes on: the next offset to read, of each partition that it has a position of.
struct GroupPositions {
  std::vector<Position> next;
  LogStatus status;
};

/// Producers and readers, in this or any other process, any number, beside a running engine. One thread each.
class LogClient {
 public:
  virtual ~LogClient() = default;
  LogClient() = default;
  LogClient(const LogClient&) = delete;
  LogClient& operator=(const LogClient&) = delete;

  [[nodiscard]] virtual std::int32_t partitions() const = 0;
  /// Durable when it returns. Each record goes to the partition it names. If the status is not ok an embedded log has
  /// written none, a broker perhaps some, in order: append the same again, the engine knows a repeat by its id.
  virtual Appended append(std::span<const NewRecord>) = 0;
  /// Committed records of one partition from an offset on, waiting up to `wait` for the first.
  virtual Fetched read(Stream, Partition, Offset from, const PollLimits&) = 0;
  virtual StreamEnds ends(Stream, Partition) = 0;
  /// Nothing is read for a while: lets go of what is kept open for reading on. The next read opens it again.
  virtual void rest() {}

  /// What was last kept of that group's positions in a stream. A group's name: 1 to 64 of A-Z a-z 0-9 . _ -
  virtual GroupPositions group_positions([[maybe_unused]] std::string_view group, Stream) {
    return {{}, {LogError::invalid, "This log keeps no positions of groups."}};
  }
  /// Durable when it returns. A group has one reader at a time: of two, the later call holds.
  virtual LogStatus keep_group_positions([[maybe_unused]] std::string_view group, Stream,
                                         [[maybe_unused]] std::span<const Position> next) {
    return {LogError::invalid, "This log keeps no positions of groups."};
  }
};

/// The wall clock, for what does not decide: when to write a tick, append times of embedded logs.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
};

}  // namespace mayfly::events
