#include "adapters/sqlite/sqlite.h"

#include "adapters/sqlite/sqlite_file.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
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

/// The folder without symbolic links, so that SQLite, which would refuse them there too, looks at the file's name
/// alone.
std::string resolved(const std::string& file) {
  std::error_code error;
  const auto folder = std::filesystem::canonical(folder_of(file), error);
  if (error) return file;
  return (folder / std::filesystem::path(file).filename()).string();
}

}  // namespace

events::LogStatus Error::status() const {
  const std::string what_happened = what();
  if (error != events::LogError::none) return {error, what_happened};
  if (code == SQLITE_READONLY_DBMOVED) return {events::LogError::corrupt, what_happened};
  if (code == SQLITE_CANTOPEN_SYMLINK) {
    return {events::LogError::invalid, what_happened + ". A symbolic link is not followed: give the file itself."};
  }
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

Connection::Connection(const std::string& file, Access access) : file_(file), access_(access) {
  check_openable(file, access);
  check_not_a_part(file);
  if (access == Access::make) {
    events::LogStatus status;
    if (!make_private(file, status) && !status.ok()) throw Error(status);
  }
  sqlite3* db = nullptr;
  const int flags =
      (may_write() ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  const int result = sqlite3_open_v2(resolved(file).c_str(), &db, flags, nullptr);
  db_.reset(db);
  if (result != SQLITE_OK) fail(db, file);
  check_wal_is_its_own();
  sqlite3_busy_timeout(db, busy_timeout_ms);
  sqlite3_extended_result_codes(db, 1);
  run("PRAGMA cache_size=-16384");  // 16 MiB
  if (!may_write()) return;
  run("PRAGMA synchronous=FULL");
  const auto note_pages = [](void* pages, sqlite3*, const char*, int now) {
    *static_cast<int*>(pages) = now;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db, note_pages, &wal_pages_);  // in place of SQLite's own checkpoints
  run(("PRAGMA journal_size_limit=" + std::to_string(wal_rest_bytes)).c_str());
}

void Connection::check_wal_is_its_own() const {
  if (bytes_of(wal_of(file_)) == 0) return;
  sqlite3_file* opened =
      nullptr;  // SQLite's own: a file that this process opened and closed would take its locks along
  sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_FILE_POINTER, &opened);
  FileHeader header{};
  if (opened == nullptr || opened->pMethods == nullptr ||
      opened->pMethods->xRead(opened, header.data(), static_cast<int>(header.size()), 0) != SQLITE_OK ||
      says_wal(header)) {
    return;
  }
  throw Error({events::LogError::corrupt, file_ + ": " + wal_of(file_) +
                                              " is not this file's. Where a backup was restored, remove what the log "
                                              "before it has left: " +
                                              wal_of(file_) + " and " + shm_of(file_) + " (docs/backup.md)."});
}

void Connection::keep_wal() {
  if (may_write()) {
    become_wal(*this);
    int yes = 1;
    sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &yes);
  }
  identity_ = identity_of(file_);
  wal_identity_ = identity_of(wal_of(file_));
}

void Connection::checkpoint(int wait_ms) const {
  sqlite3_busy_timeout(db_.get(), wait_ms);
  sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(db_.get(), busy_timeout_ms);
}

void Connection::checkpoint_if_due() {
  if (wal_pages_ < checkpoint_at_) return;
  int all = 0;
  int copied = 0;
  const bool reader_stays = checkpoint_at_ > wal_checkpoint_pages;
  sqlite3_busy_timeout(db_.get(), reader_stays ? checkpoint_beside_reader_wait_ms : checkpoint_wait_ms);
  sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_FULL, &all, &copied);
  sqlite3_busy_timeout(db_.get(), busy_timeout_ms);
  checkpoint_at_ = wal_checkpoint_pages + (copied < all ? wal_pages_ : 0);
}

void Connection::check_in_place() const {
  const bool wal_is_there = !wal_identity_ || identity_of(wal_of(file_)) == wal_identity_;
  if (!identity_ || (identity_of(file_) == identity_ && wal_is_there)) return;
  throw Error(SQLITE_READONLY_DBMOVED,
              file_ + ": the file, or the " + wal_of(file_) +
                  " that belongs to it, was removed, moved or replaced while it was in use. What is there now is not "
                  "what was served; put the right file back, or restore a backup (docs/backup.md), then start again.");
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

Statement& Statement::bind_text(int at, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), at, text.data(), text.size(), nullptr, SQLITE_UTF8);
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
