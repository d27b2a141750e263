// The tables of the embedded log (docs/log.md): made and checked, appended to inside a transaction, read.
#pragma once

#include "adapters/sqlite/sqlite.h"
#include "events/log/log.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::adapters::sqlite {

inline constexpr std::int64_t schema_version = 1;

inline constexpr std::int32_t application_id = 0x4d61'7966;  // "Mayf", for file(1)

[[nodiscard]] std::string table_name(events::Stream);

/// Makes the tables in an empty file, else checks that it is a whole log of a known version. Returns the partition
/// count. Throws Error.
std::int32_t prepare(Connection&, std::int32_t partitions_if_new);

/// Throws Error if the log was imported: it has no position that an engine could go on from.
void check_may_be_served(const Connection&);

/// How many records of state were ever written: only an engine writes them, some with each commit.
[[nodiscard]] std::int64_t state_records(const Connection&);

/// Appends records in a transaction of the caller's, which it must belong to. Offsets and append times rise.
class Appender {
 public:
  explicit Appender(const Connection&);
  /// Call first in each transaction.
  void begin(events::Timestamp now);
  events::Position append(const events::NewRecord&);
  /// Writes the new ends. Call last.
  void end();

 private:
  struct End {
    events::Offset next = 0;
    events::Timestamp last{};
    bool changed = false;
  };
  End& end_of(events::Stream, events::Partition);
  std::vector<Statement> insert_;  // per stream
  Statement read_end_;
  Statement write_end_;
  std::map<std::pair<events::Stream, events::Partition>, End> ends_;
  events::Timestamp now_{};
  std::string headers_;
};

/// Reads a stream's partition; state gives the newest record per key, tombstones too, in offset order: what is written
/// anew while it is read comes behind what was there.
class Reader {
 public:
  explicit Reader(const Connection&);
  /// Appends up to the limits to `batch`, whose storage it shares; stops after what exceeds `bytes`, at least one.
  void read(events::Stream, events::Partition, events::Offset from, std::size_t records, std::size_t bytes,
            events::RecordBatch& batch);
  [[nodiscard]] events::StreamEnds ends(events::Stream, events::Partition);
  /// A number that changes when another connection has written.
  [[nodiscard]] std::int64_t data_version();
  /// Of pages that hold nothing and are used before the file grows.
  [[nodiscard]] std::int64_t free_bytes();

 private:
  void read_state(events::Partition, events::Offset from, std::size_t records, std::size_t bytes,
                  events::RecordBatch& batch);
  std::vector<Statement> select_;  // per stream; of state by offset and key
  std::vector<Statement> first_;
  Statement state_order_;
  Statement snapshot_;
  /// Keys of a partition's state in the order of offsets, as they were when it was begun to be read, until all of them
  /// were: the table is ordered by key, and to find each batch in it by offset would read all of it each time.
  struct StateOrder {
    events::Partition partition = -1;
    events::Offset next = 0;  // where a reader of it goes on
    std::size_t at = 0;       // in `keys`
    std::vector<std::pair<events::Offset, std::string>> keys;
  };
  StateOrder order_;
  Statement end_;
  Statement data_version_;
  Statement free_bytes_;
};

}  // namespace mayfly::adapters::sqlite
