#include "adapters/sqlite/sqlite_import.h"

#include "adapters/host/private_file.h"
#include "adapters/sqlite/headers_blob.h"
#include "adapters/sqlite/sqlite_file.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

namespace mayfly::adapters {

using events::LogError;

std::unique_ptr<SqliteImport> SqliteImport::open(const std::string& file, std::int32_t partitions,
                                                 events::LogStatus& status) {
  if (!make_private(file, status)) {
    if (status.ok()) status = {LogError::invalid, file + ": it is there already. An import makes a new file."};
    return nullptr;
  }
  try {
    return std::unique_ptr<SqliteImport>(new SqliteImport(file, partitions));
  } catch (const sqlite::Error& error) {
    ::unlink(file.c_str());
    status = error.status();
    return nullptr;
  }
}

SqliteImport::~SqliteImport() {
  if (!transaction_) return;
  for (const auto& file : {db_.file(), sqlite::wal_of(db_.file()), sqlite::shm_of(db_.file())}) ::unlink(file.c_str());
}

SqliteImport::SqliteImport(const std::string& file, std::int32_t partitions)
    : db_(file, sqlite::Access::make), partitions_(sqlite::prepare(db_, partitions)) {
  db_.run("INSERT INTO meta VALUES ('imported', 1)");  // before all else: no engine serves what was left half done
  transaction_.emplace(db_);
  for (int s = 0; s < events::stream_count; ++s) {
    const auto sql = "INSERT INTO " + sqlite::table_name(static_cast<events::Stream>(s)) +
                     " (partition, offset, key, headers, value, append_time_ms) VALUES (?, ?, ?, ?, ?, ?)";
    insert_.emplace_back(db_, sql.c_str());
  }
}

events::LogStatus SqliteImport::add(events::Stream stream, const events::Record& record) {
  constexpr auto no_offset_follows = std::numeric_limits<events::Offset>::max();
  if (record.at.partition < 0 || record.at.partition >= partitions_ || record.at.offset < 0 ||
      record.at.offset == no_offset_follows) {
    return {LogError::corrupt, "a record is in a partition or at an offset that no log has"};
  }
  if (stream == events::Stream::state && !record.key) return {LogError::corrupt, "a record of state has no key"};
  auto& [next, last_ms] = ends_[{stream, record.at.partition}];
  if (record.at.offset < next) return {LogError::corrupt, "records are not in the order of their offsets"};
  next = record.at.offset + 1;
  last_ms = std::max(last_ms, record.append_time.ms);
  std::string headers;
  append_headers(headers, record.headers);
  try {
    insert_[static_cast<std::size_t>(stream)]
        .bind(1, record.at.partition)
        .bind(2, record.at.offset)
        .bind(3, record.key)
        .bind(4, headers)
        .bind(5, record.value)
        .bind(6, record.append_time.ms)
        .execute();
  } catch (const sqlite::Error& error) {
    return error.status();
  }
  return {};
}

events::LogStatus SqliteImport::finish() {
  try {
    sqlite::Statement end(db_, "INSERT INTO ends VALUES (?, ?, ?, ?)");
    for (const auto& [where, known] : ends_) {
      end.bind(1, static_cast<std::int64_t>(where.first))
          .bind(2, where.second)
          .bind(3, known.first)
          .bind(4, known.second)
          .execute();
    }
    transaction_->commit();
    transaction_.reset();
  } catch (const sqlite::Error& error) {
    return error.status();
  }
  return {};
}

}  // namespace mayfly::adapters
