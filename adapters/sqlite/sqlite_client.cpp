#include "adapters/sqlite/sqlite_client.h"

#include "adapters/record_limits.h"
#include "adapters/sqlite/sqlite_file.h"
#include "adapters/sqlite/sqlite_groups.h"

namespace mayfly::adapters {

using events::LogError;

std::unique_ptr<SqliteClient> SqliteClient::open(const std::string& file, std::int32_t partitions_if_new,
                                                 const events::Clock& clock, events::LogStatus& status) {
  const auto access = partitions_if_new > 0 ? sqlite::Access::make : sqlite::Access::write;
  return open(file, access, partitions_if_new, clock, status);
}

std::unique_ptr<SqliteClient> SqliteClient::open_to_read(const std::string& file, const events::Clock& clock,
                                                         events::LogStatus& status) {
  return open(file, sqlite::Access::read, 0, clock, status);
}

std::unique_ptr<SqliteClient> SqliteClient::open(const std::string& file, sqlite::Access access,
                                                 std::int32_t partitions_if_new, const events::Clock& clock,
                                                 events::LogStatus& status) {
  if (access != sqlite::Access::make && !identity_of(file)) {
    status = {LogError::invalid, file + ": there is no such log. Start one with: mayfly serve --log sqlite:" + file};
    return nullptr;
  }
  try {
    return std::unique_ptr<SqliteClient>(new SqliteClient(file, access, partitions_if_new, clock));
  } catch (const sqlite::Error& error) {
    status = error.status();
    return nullptr;
  }
}

SqliteClient::SqliteClient(const std::string& file, sqlite::Access access, std::int32_t partitions_if_new,
                           const events::Clock& clock)
    : db_(file, access), partitions_(sqlite::prepare(db_, partitions_if_new)), reader_(db_), clock_(clock) {
  if (!db_.may_write()) return;
  sqlite::check_may_be_served(db_);  // an engine decides what is appended
  appender_.emplace(db_);
}

events::Appended SqliteClient::append(std::span<const events::NewRecord> records) {
  for (const auto& record : records) {
    if (auto why = refusal(record, partitions_); !why.empty()) return {{}, {LogError::invalid, why}};
  }
  if (!appender_) return {{}, {LogError::invalid, db_.file() + " was opened only to be read"}};
  events::Appended appended;
  try {
    sqlite::Transaction transaction(db_);
    db_.check_in_place();
    appender_->begin(clock_.now());
    for (const auto& record : records) appended.at.push_back(appender_->append(record));
    appender_->end();
    transaction.commit();
    db_.checkpoint_if_due();
  } catch (const sqlite::Error& error) {
    return {{}, error.status()};
  }
  return appended;
}

events::Fetched SqliteClient::read(events::Stream stream, events::Partition partition, events::Offset from,
                                   const events::PollLimits& limits) {
  events::Fetched fetched;
  fetched.next = from;
  const auto until = clock_.now() + limits.wait;
  try {
    for (;;) {
      db_.check_in_place();
      reader_.read(stream, partition, from, limits.records, limits.bytes, fetched.batch);
      const auto now = clock_.now();
      if (!fetched.batch.records.empty() || now >= until) break;
      if (!writes_) writes_.emplace(sqlite::wal_of(db_.file()));
      writes_->wait(until - now);
    }
  } catch (const sqlite::Error& error) {
    fetched.status = error.status();
  }
  if (!fetched.batch.records.empty()) fetched.next = fetched.batch.records.back().at.offset + 1;
  return fetched;
}

events::StreamEnds SqliteClient::ends(events::Stream stream, events::Partition partition) {
  try {
    return reader_.ends(stream, partition);
  } catch (const sqlite::Error& error) {
    return {0, 0, error.status()};
  }
}

events::GroupPositions SqliteClient::group_positions(std::string_view group, events::Stream stream) {
  try {
    return {sqlite::group_positions(db_, group, stream), {}};
  } catch (const sqlite::Error& error) {
    return {{}, error.status()};
  }
}

events::LogStatus SqliteClient::keep_group_positions(std::string_view group, events::Stream stream,
                                                     std::span<const events::Position> next) {
  if (!db_.may_write()) return {LogError::invalid, db_.file() + " was opened only to be read"};
  try {
    sqlite::Transaction transaction(db_);
    db_.check_in_place();
    sqlite::keep_group_positions(db_, group, stream, next);
    transaction.commit();
    db_.checkpoint_if_due();
  } catch (const sqlite::Error& error) {
    return error.status();
  }
  return {};
}

}  // namespace mayfly::adapters
