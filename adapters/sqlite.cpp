#include "adapters/sqlite.h"

#include <chrono>
#include <thread>

namespace mayfly::adapters::sqlite {

namespace {

[[noreturn]] void fail(sqlite3* db, const std::string& file) {
  throw Error(sqlite3_extended_errcode(db), file + ": " + sqlite3_errmsg(db));
}

/// Two processes that make the file at the same time: SQLite's own waiting does not cover the change to WAL.
void become_wal(const Connection& connection) {
  constexpr int tries = busy_timeout_ms / 10;
  for (int i = 1;; ++i) {
    try {
      return connection.run("PRAGMA journal_mode=WAL");
    } catch (const Error& error) {
      if ((error.code & 0xff) != SQLITE_BUSY || i == tries) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(busy_timeout_ms / tries));
    }
  }
}

}  // namespace

events::LogStatus Error::status() const {
  const std::string what_happened = what();
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {events::LogError::unavailable,
              what_happened + ". Another process is writing for long: wait for it or end it."};
    case SQLITE_FULL:
      return {events::LogError::full, what_happened + ". Make room on the disk, then start again; nothing is lost."};
    case SQLITE_IOERR:
      return {events::LogError::full, what_happened + ". Look at the disk (space, health), then start again."};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {events::LogError::corrupt,
              what_happened + ". This is no whole SQLite database; restore it from a backup."};
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH: return {events::LogError::corrupt, what_happened + ". This file is not a log of Mayfly's."};
    case SQLITE_EMPTY: return {events::LogError::invalid, what_happened};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {events::LogError::invalid, what_happened + ". Check that the folder exists and may be written to."};
    default: return {events::LogError::unavailable, what_happened};
  }
}

Connection::Connection(const std::string& file, bool create) : file_(file) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(file.c_str(), &db, flags, nullptr);
  db_.reset(db);
  if (result != SQLITE_OK) fail(db, file);
  sqlite3_busy_timeout(db, busy_timeout_ms);
  sqlite3_extended_result_codes(db, 1);
  become_wal(*this);
  run("PRAGMA synchronous=FULL");
  run("PRAGMA cache_size=-16384");  // 16 MiB
  run("PRAGMA wal_autocheckpoint=4000");
}

void Connection::run(const char* sql) const {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(db_.get(), file_);
}

Statement::Statement(const Connection& connection, const char* sql) : connection_(&connection) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    fail(connection.get(), connection.file());
  }
  statement_.reset(statement);
}

Statement& Statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), at, value);
  return *this;
}

Statement& Statement::bind(int at, std::optional<std::string_view> bytes) {
  if (!bytes) {
    sqlite3_bind_null(statement_.get(), at);
  } else if (bytes->empty()) {
    sqlite3_bind_zeroblob(statement_.get(), at, 0);
  } else {
    sqlite3_bind_blob64(statement_.get(), at, bytes->data(), bytes->size(), nullptr);
  }
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  sqlite3_reset(statement_.get());
  fail(connection_->get(), connection_->file());
}

void Statement::execute() {
  step();
  reset();
}

std::optional<std::string_view> Statement::blob(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return std::string_view{bytes == nullptr ? "" : bytes, size};
}

}  // namespace mayfly::adapters::sqlite
