#include "adapters/sqlite/sqlite_file.h"

#include "adapters/host/file_error.h"
#include "adapters/host/file_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace mayfly::adapters::sqlite {

namespace {

using events::LogError;

// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr std::size_t read_version_at = 19;
constexpr char wal_version = 2;

bool is_there(const std::string& file) { return identity_of(file).has_value(); }

/// Of a file. Only for files that nothing in this process has open: closing a
/// file drops a process's locks on it.
bool file_says_wal(const std::string& file) {
  FileHeader header{};
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  const auto size = ::pread(descriptor, header.data(), header.size(), 0);
  ::close(descriptor);
  return size == static_cast<ssize_t>(header.size()) && says_wal(header);
}

Error not_whole(const std::string& file, const std::string& why) {
  return Error({LogError::corrupt, file + ": this is not a whole log: " + why +
                                       ". Copy a log that is served with: mayfly backup --log sqlite:FILE TO "
                                       "(docs/backup.md)"});
}

/// The file as it is without a write-ahead log, read without locks. Only where there is none.
std::int64_t ask_alone(const std::string& file, const char* sql) {
  std::string uri = "file:";
  for (const char c : file) {
    if (c == '?' || c == '#' || c == '%') {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', digits[byte >> 4], digits[byte & 15]};
    } else {
      uri += c;
    }
  }
  uri += "?immutable=1";
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::int64_t answer = -1;
  const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(uri.c_str(), &db, flags, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
    answer = sqlite3_column_int64(statement, 0);
  }
  sqlite3_finalize(statement);
  sqlite3_close_v2(db);
  return answer;
}

void check_readable(const std::string& file) {
  const std::string parts[] = {file, wal_of(file), shm_of(file)};
  for (const auto& part : parts) {
    if (::access(part.c_str(), R_OK) == 0 || errno != EACCES) continue;
    std::string said = part + ": user " + std::to_string(::geteuid()) + " may not read it. ";
    said.append("Its owner can let a group read the log: chmod g+r");
    for (const auto& each : parts) said.append(" ").append(each);
    throw Error({LogError::invalid, said});
  }
  if (is_there(wal_of(file)) && is_there(shm_of(file))) return;
  if (!file_says_wal(file) || ::geteuid() == 0 || owner_of(file) == ::geteuid()) return;
  throw Error(
      {LogError::invalid,
       file + ": only its owner can open it now: " + wal_of(file) + " and " + shm_of(file) +
           " would have to be made, and as user " + std::to_string(::geteuid()) +
           "'s they would lock the engine out. Start the engine, or ask the owner for a copy (mayfly backup)."});
}

}  // namespace

std::string warning(int version) {
  // https://www.sqlite.org/wal.html#the_wal_reset_bug: since 3.7.0; mended in 3.51.3, and in these two.
  constexpr int since = 3'007'000, mended = 3'051'003, branch = 1'000;
  const bool mended_earlier =
      (version / branch == 3'044 && version >= 3'044'006) || (version / branch == 3'050 && version >= 3'050'007);
  if (version < since || version >= mended || mended_earlier) return {};
  return std::string("SQLite ") + sqlite3_libversion() +
         " has the WAL-reset bug, unless the distribution mended it: programs that write and checkpoint one file at "
         "the same time can damage it. Mayfly's own checkpoints wait for the right to write; let no other program "
         "write to the "
         "log (docs/log.md, Growth).";
}

bool says_wal(const FileHeader& header) { return header[read_version_at] == wal_version; }

std::int64_t bytes_of(const std::string& file) {
  struct stat is {};
  return ::lstat(file.c_str(), &is) == 0 ? is.st_size : 0;
}

std::string wal_of(const std::string& file) { return file + "-wal"; }
std::string shm_of(const std::string& file) { return file + "-shm"; }
std::string lock_of(const std::string& file) { return file + ".lock"; }

void check_openable(const std::string& file, Access access) {
  struct stat is {};
  const bool there = ::lstat(file.c_str(), &is) == 0;
  if (there && S_ISLNK(is.st_mode)) throw Error(file_error(file, ELOOP));
  if (there && !S_ISREG(is.st_mode)) throw Error({LogError::invalid, file + " is no file. Give one, e.g. shop.db."});
  if (access == Access::read) check_readable(file);
}

void check_not_a_part(const std::string& file) {
  if (!is_there(file) || is_there(wal_of(file)) || !file_says_wal(file)) return;
  if (ask_alone(file, "SELECT count(*) FROM sqlite_schema") == 0) {
    throw not_whole(file, "it holds no tables, they were in " + wal_of(file) + ", which was not copied with it");
  }
  if (ask_alone(file, "SELECT value FROM meta WHERE key = 'served'") != 1) return;
  if (FileLock::noted(lock_of(file))) return;  // it lies where it was served: check_not_older sees what is missing
  throw not_whole(file, "an engine was serving it, and what it wrote last is in a file beside it, " + wal_of(file) +
                            ", which was not copied or moved with it");
}

void check_not_gone(const std::string& file) {
  if (bytes_of(file) > 0 || FileLock::noted(lock_of(file)).value_or(0) == 0) return;
  throw Error({LogError::corrupt,
               file +
                   ": the log that was served here is gone. Put it back, or restore a backup (docs/backup.md). To "
                   "begin a new one remove " +
                   lock_of(file) + " first: it gives the same offsets and ids again."});
}

std::optional<std::int64_t> noted_state_records(const std::string& file) { return FileLock::noted(lock_of(file)); }

void check_not_older(const std::string& file, std::int64_t noted, std::int64_t state_records) {
  if (noted <= state_records) return;
  throw not_whole(file, "it ends at state record " + std::to_string(state_records) + ", and " + std::to_string(noted) +
                            " were written: " + wal_of(file) + " was lost, or an older copy was put in its place");
}

}  // namespace mayfly::adapters::sqlite
