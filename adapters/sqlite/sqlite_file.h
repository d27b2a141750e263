// What a SQLite file is, looked at before it is opened: whole or not, and whether this user may open it at all.
#pragma once

#include "adapters/sqlite/sqlite.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace mayfly::adapters::sqlite {

[[nodiscard]] std::string wal_of(const std::string& file);
[[nodiscard]] std::string shm_of(const std::string& file);
[[nodiscard]] std::string lock_of(const std::string& file);

/// A sentence about a version of SQLite that can lose data, as sqlite3_libversion_number() tells it; else empty.
[[nodiscard]] std::string warning(int version);

/// The file's first bytes, and whether they say that it has a write-ahead log.
using FileHeader = std::array<char, 100>;
[[nodiscard]] bool says_wal(const FileHeader&);
/// 0 if it is not there.
[[nodiscard]] std::int64_t bytes_of(const std::string& file);

/// Throws Error where opening would be wrong: no file, a link, or a reader that would make files which lock the engine
/// out.
void check_openable(const std::string& file, Access);

/// Throws Error if a log was served under that name and is not there any more: a new one would give its offsets, ids
/// and idempotency keys again.
void check_not_gone(const std::string& file);

/// Throws Error if the file was copied, or its write-ahead log lost, while it was being served. Call before anything
/// has opened it. What it goes by: an engine marks the file as served, and the mark is in the file itself, not in its
/// write-ahead log, which stays for as long as the mark does.
void check_not_a_part(const std::string& file);

/// How many state records the engine noted last in the lock file (docs/log.md), after it had committed them.
[[nodiscard]] std::optional<std::int64_t> noted_state_records(const std::string& file);

/// The same of an open one that is marked as served. `noted` must have been read before `state_records`: engines commit
/// meanwhile.
void check_not_older(const std::string& file, std::int64_t noted, std::int64_t state_records);

}  // namespace mayfly::adapters::sqlite
