// The embedded log: one SQLite file (WAL, synchronous=FULL), one transaction per batch, one engine at a time.
#pragma once

#include "adapters/host/file_lock.h"
#include "adapters/host/write_watch.h"
#include "adapters/sqlite/sqlite_options.h"
#include "adapters/sqlite/sqlite_retention.h"
#include "adapters/sqlite/sqlite_tables.h"
#include "events/log/log.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace mayfly::adapters {

class SqliteLog final : public events::Log {
 public:
  /// Opens or makes the file and becomes its owner; an ok status with a message is a warning. Null with `status` set if
  /// it cannot: `owned` says who holds it.
  static std::unique_ptr<SqliteLog> open(const std::string& file, std::int32_t partitions_if_new,
                                         std::string_view engine, const events::Clock&, events::LogStatus& status,
                                         const SqliteOptions& = {});
  ~SqliteLog() override;
  SqliteLog(const SqliteLog&) = delete;
  SqliteLog& operator=(const SqliteLog&) = delete;

  [[nodiscard]] std::int32_t partitions() const override { return partitions_; }
  events::Polled poll(const events::PollLimits&) override;
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&) override;
  void start(events::Partition, events::Offset from) override;
  events::CommitResult commit(const events::Commit&) override;
  events::LogStatus append(const events::NewRecord&) override;
  events::LogFigures figures() override;
  std::int64_t memory_bytes() override;

 private:
  SqliteLog(const std::string& file, std::int32_t partitions_if_new, const events::Clock&, FileLock,
            const SqliteOptions&);
  void take_ownership();
  bool gather(const events::PollLimits&, events::RecordBatch&);
  void give_up_all();

  /// A connection and its statements: one for each thread's work.
  struct Reading {
    sqlite::Connection db;
    std::int32_t partitions;
    sqlite::Reader reader;
    std::optional<WriteWatch> writes;  // once poll has waited: a new log's write-ahead log comes with its first write
    Reading(const std::string& file, std::int32_t partitions_if_new);
  };
  struct Writing {
    sqlite::Connection db;
    std::int32_t partitions;
    sqlite::Appender appender;
    sqlite::Statement epoch;
    sqlite::Statement position;
    explicit Writing(const std::string& file);
  };
  void write(const events::Commit&);
  void check_epoch(Writing&) const;  // within a transaction: throws if another owner has raised it

  void cut_back_wal();
  [[nodiscard]] std::vector<events::LogFigure> sizes();

  FileLock lock_;
  SqliteOptions options_;
  const events::Clock& clock_;
  Reading reading_;  // poll's and restore's thread
  std::int32_t partitions_;
  Writing committing_;  // commit's thread
  std::mutex append_mutex_;
  Writing appending_;
  bool owner_ = false;
  std::int64_t epoch_ = 0;
  std::int64_t state_records_ = 0;   // ever written; commit's thread
  std::atomic<bool> fenced_{false};  // another owner has raised the epoch
  std::mutex mutex_;                 // guards what follows
  std::vector<events::Partition> taken_;
  std::map<events::Partition, events::Offset> positions_;  // next to read, of started partitions
  std::unique_ptr<SqliteKeeper> keeper_;                   // none: nothing is forgotten
};

}  // namespace mayfly::adapters
