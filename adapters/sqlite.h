// SQLite's connection and prepared statement with an owner each. Errors are exceptions inside the adapter: its public
// functions turn them into a LogStatus.
#pragma once

#include "events/log.h"

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

struct Error : std::runtime_error {
  Error(int result_code, const std::string& message) : std::runtime_error(message), code(result_code) {}
  int code;  // SQLite's extended result code
  /// What the user is told.
  [[nodiscard]] events::LogStatus status() const;
};

class Connection {
 public:
  /// Opens the file, making it if allowed.
  Connection(const std::string& file, bool create);
  [[nodiscard]] sqlite3* get() const { return db_.get(); }
  void run(const char* sql) const;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::string file_;
  std::unique_ptr<sqlite3, Close> db_;
};

/// A prepared statement that is used again and again. Columns' views end with the next step or reset.
class Statement {
 public:
  Statement(const Connection&, const char* sql);
  Statement& bind(int at, std::int64_t);
  /// Blob; none binds NULL. The bytes must live until the statement is reset.
  Statement& bind(int at, std::optional<std::string_view>);
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
