// SQLite's connection and prepared statement with an owner each. Errors are exceptions inside the adapter: its public
// functions turn them into a LogStatus.
#pragma once

#include "adapters/host/private_file.h"
#include "events/log/log.h"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mayfly::adapters::sqlite {

/// How long a statement waits for another process's transaction before it gives up.
inline constexpr int busy_timeout_ms = 10'000;
/// How long a checkpoint waits for the right to write, and then for readers; nothing is committed meanwhile. Less where
/// a reader is known to stay.
inline constexpr int checkpoint_wait_ms = 250;
inline constexpr int checkpoint_beside_reader_wait_ms = 25;
/// The write-ahead log is copied into the file when a commit leaves it with so many pages (again after so many more, if
/// readers did not let all of it be copied), and cut back to that size when it is begun anew.
inline constexpr int wal_checkpoint_pages = 4'000;
inline constexpr int wal_rest_bytes = 16 << 20;

/// What a connection is for. Only `make` makes a file, of mode 0600; `read` changes nothing and needs no right to.
enum class Access : std::uint8_t { read, write, make };

struct Error : std::runtime_error {
  Error(int result_code, const std::string& message) : std::runtime_error(message), code(result_code) {}
  /// Of what was found before SQLite was asked.
  explicit Error(const events::LogStatus& found) : std::runtime_error(found.message), error(found.error) {}
  int code = SQLITE_ERROR;  // SQLite's extended result code
  /// What the user is told.
  [[nodiscard]] events::LogStatus status() const;

 private:
  events::LogError error = events::LogError::none;
};

/// Not moved: SQLite knows its address.
class Connection {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  /// A symbolic link is not followed. A file that was copied from under its engine without the rest is refused.
  Connection(const std::string& file, Access);
  [[nodiscard]] sqlite3* get() const { return db_.get(); }
  void run(const char* sql) const;
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] bool may_write() const { return access_ != Access::read; }
  /// Call once there are tables. From here on the file and its write-ahead log stay where they are together.
  void keep_wal();
  /// Copies the write-ahead log into the file and empties it, as far as readers let it.
  void checkpoint(int wait_ms = checkpoint_wait_ms) const;
  /// After a commit: the same where it has grown enough, without emptying it. It takes the right to write first, if it
  /// gets it in time: versions of SQLite before 3.51.3 can lose what is committed while another connection's checkpoint
  /// begins (the WAL-reset bug).
  void checkpoint_if_due();
  /// Throws if the file or its write-ahead log is not any more what was opened: what is written would be lost.
  void check_in_place() const;

 private:
  /// A write-ahead log beside a file that has none would be read as if it were its own.
  void check_wal_is_its_own() const;
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::string file_;
  Access access_;
  std::unique_ptr<sqlite3, Close> db_;
  std::optional<FileIdentity> identity_;
  std::optional<FileIdentity> wal_identity_;
  int wal_pages_ = 0;  // at its last commit
  int checkpoint_at_ = wal_checkpoint_pages;
};

/// A prepared statement that is used again and again. Columns' views end with the next step or reset.
class Statement {
 public:
  Statement(const Connection&, const char* sql);
  Statement& bind(int at, std::int64_t);
  /// Blob; none binds NULL. The bytes must live until the statement is reset.
  Statement& bind(int at, std::optional<std::string_view>);
  /// As text: what SQLite takes for a name.
  Statement& bind_text(int at, std::string_view);
  /// True while there is a row.
  bool step();
  /// One step without a row, then reset.
  void execute();
  void reset() { sqlite3_reset(statement_.get()); }
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  [[nodiscard]] std::optional<std::string_view> blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  const Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// BEGIN IMMEDIATE now; rolled back at the end of its life unless committed.
class Transaction {
 public:
  explicit Transaction(const Connection& connection) : connection_(connection) { connection_.run("BEGIN IMMEDIATE"); }
  ~Transaction() {
    if (open_) sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    connection_.run("COMMIT");
    open_ = false;
  }

 private:
  const Connection& connection_;
  bool open_ = true;
};

}  // namespace mayfly::adapters::sqlite
