#include "adapters/sqlite/sqlite_log.h"

#include "adapters/record_limits.h"
#include "adapters/sqlite/sqlite_file.h"
#include "events/text/time_text.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mayfly::adapters {

using events::CommitOutcome;
using events::LogError;
using events::LogStatus;
using events::Partition;
using events::Stream;

namespace {

/// How long an end waits for another process's transaction; without it the log only stays marked as served.
constexpr int ending_wait_ms = 1'000;

struct Fenced {};

std::string holder_text(std::string_view engine, events::Timestamp now) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto since = events::to_text(now);
  return "engine '" + std::string(engine) + "', pid " + std::to_string(::getpid()) + " on " + host.data() + ", since " +
         std::string(since.data(), since.size());
}

events::CommitResult result_of(const sqlite::Error& error) {
  const auto status = error.status();
  const bool again = status.error == LogError::unavailable;
  return {again ? CommitOutcome::aborted : CommitOutcome::failed, status.message, status.error};
}

}  // namespace

SqliteLog::Reading::Reading(const std::string& file, std::int32_t partitions_if_new)
    : db(file, sqlite::Access::make), partitions(sqlite::prepare(db, partitions_if_new)), reader(db) {}

SqliteLog::Writing::Writing(const std::string& file)
    : db(file, sqlite::Access::write),
      partitions(sqlite::prepare(db, 0)),
      appender(db),
      epoch(db, "SELECT value FROM meta WHERE key = 'epoch'"),
      position(db, "INSERT OR REPLACE INTO positions VALUES (?, ?)") {}

std::unique_ptr<SqliteLog> SqliteLog::open(const std::string& file, std::int32_t partitions_if_new,
                                           std::string_view engine, const events::Clock& clock, LogStatus& status,
                                           const SqliteOptions& options) {
  try {
    // Before a lock file is left beside what is no log.
    sqlite::check_openable(file, sqlite::Access::make);
    sqlite::check_not_gone(file);
    sqlite::check_not_a_part(file);
  } catch (const sqlite::Error& error) {
    status = error.status();
    return nullptr;
  }
  auto lock = FileLock::take(sqlite::lock_of(file), holder_text(engine, clock.now()), status);
  if (!lock) {
    if (status.error == LogError::owned) {
      status.message = file + " is served by " + (status.message.empty() ? "another engine" : status.message) +
                       ". Stop that one first, or give another file.";
    }
    return nullptr;
  }
  try {
    std::unique_ptr<SqliteLog> log(new SqliteLog(file, partitions_if_new, clock, std::move(*lock), options));
    log->take_ownership();
    status = {LogError::none, sqlite::warning(sqlite3_libversion_number())};
    return log;
  } catch (const sqlite::Error& error) {
    status = error.status();
    return nullptr;
  }
}

SqliteLog::SqliteLog(const std::string& file, std::int32_t partitions_if_new, const events::Clock& clock, FileLock lock,
                     const SqliteOptions& options)
    : lock_(std::move(lock)),
      options_(options),
      clock_(clock),
      reading_(file, partitions_if_new),
      partitions_(reading_.partitions),
      committing_(file),
      appending_(file) {}

/// Raises the epoch: commits of an earlier owner find another one and write nothing. Marks the file as served before
/// anything else is written (sqlite_file.h).
void SqliteLog::take_ownership() {
  sqlite::check_may_be_served(committing_.db);
  sqlite::Transaction transaction(committing_.db);
  committing_.db.run(
      "UPDATE meta SET value = value + 1 WHERE key = 'epoch';"
      "INSERT OR REPLACE INTO meta VALUES ('served', 1)");
  committing_.epoch.step();
  epoch_ = committing_.epoch.integer(0);
  committing_.epoch.reset();
  transaction.commit();
  owner_ = true;
  committing_.db.checkpoint();
  state_records_ = sqlite::state_records(committing_.db);
  lock_.note(state_records_);
  if (options_.retention.count > 0 || options_.retention_bytes > 0) {
    keeper_ = std::make_unique<SqliteKeeper>(committing_.db.file(), epoch_, options_, clock_);
  }
  for (Partition p = 0; p < partitions_; ++p) taken_.push_back(p);
}

/// What was served to its end is all in the file, and says so.
SqliteLog::~SqliteLog() {
  keeper_.reset();
  if (!owner_ || fenced_) return;
  try {
    sqlite3_busy_timeout(committing_.db.get(), ending_wait_ms);
    committing_.db.check_in_place();
    sqlite::Transaction transaction(committing_.db);
    check_epoch(committing_);
    committing_.db.run("UPDATE meta SET value = 0 WHERE key = 'served'");
    transaction.commit();
    committing_.db.checkpoint();
  } catch (const sqlite::Error&) {  // it stays marked: the next engine finds all in the write-ahead log
  } catch (const Fenced&) {
  }
}

void SqliteLog::give_up_all() {
  std::scoped_lock lock(mutex_);
  positions_.clear();
  taken_.clear();
  for (Partition p = 0; p < partitions_; ++p) taken_.push_back(p);
}

// --- reading -------------------------------------------------------------------------------------------------------

events::Polled SqliteLog::poll(const events::PollLimits& limits) {
  events::Polled polled;
  if (fenced_) {
    polled.status = {LogError::owned, "another engine has taken over " + reading_.db.file() +
                                          ". Only one may serve it; this one gives up."};
    return polled;
  }
  const auto until = clock_.now() + limits.wait;
  try {
    reading_.db.check_in_place();
    for (auto version = reading_.reader.data_version();;) {
      {
        std::scoped_lock lock(mutex_);
        polled.taken = std::exchange(taken_, {});
      }
      if (gather(limits, polled.batch) || !polled.taken.empty()) break;
      const auto seen = version;
      for (auto now = clock_.now(); (version = reading_.reader.data_version()) == seen && now < until;) {
        if (!reading_.writes) reading_.writes.emplace(sqlite::wal_of(reading_.db.file()));
        reading_.writes->wait(until - now);
        now = clock_.now();
      }
      if (version == seen) break;
    }
  } catch (const sqlite::Error& error) {
    polled.status = error.status();
  }
  return polled;
}

/// Each started partition its share of the limits, so that none waits for another's backlog.
bool SqliteLog::gather(const events::PollLimits& limits, events::RecordBatch& batch) {
  std::map<Partition, events::Offset> positions;
  {
    std::scoped_lock lock(mutex_);
    positions = positions_;
  }
  const std::size_t count = std::max<std::size_t>(positions.size(), 1);
  for (auto& [p, next] : positions) {
    reading_.reader.read(Stream::commands, p, next, std::max<std::size_t>(limits.records / count, 1),
                         std::max<std::size_t>(limits.bytes / count, 1), batch);
    if (batch.records.empty() || batch.records.back().at.partition != p) continue;
    std::scoped_lock lock(mutex_);
    const auto started = positions_.find(p);
    if (started != positions_.end()) started->second = batch.records.back().at.offset + 1;
  }
  return !batch.records.empty();
}

events::Restored SqliteLog::restore(Partition partition,
                                    const std::function<void(events::Bytes, events::Bytes)>& state) {
  events::Restored restored;
  try {
    reading_.db.run("BEGIN");  // one snapshot for all
    sqlite::Statement position(reading_.db, "SELECT next FROM positions WHERE partition = ?");
    restored.has_committed = position.bind(1, partition).step();
    if (restored.has_committed) restored.next = position.integer(0);
    position.reset();
    const auto commands = reading_.reader.ends(Stream::commands, partition);
    restored.first = commands.first;
    restored.end = commands.end;
    sqlite::Statement each(reading_.db, "SELECT key, value FROM state WHERE partition = ? AND value IS NOT NULL");
    each.bind(1, partition);
    while (each.step()) state(each.blob(0).value_or(events::Bytes{}), *each.blob(1));
    each.reset();
    reading_.db.run("COMMIT");
  } catch (const sqlite::Error& error) {
    restored.status = error.status();
    sqlite3_exec(reading_.db.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  std::scoped_lock lock(mutex_);
  positions_.erase(partition);
  return restored;
}

void SqliteLog::start(Partition partition, events::Offset from) {
  std::scoped_lock lock(mutex_);
  positions_[partition] = from;
}

// --- writing -------------------------------------------------------------------------------------------------------

events::CommitResult SqliteLog::commit(const events::Commit& commit) {
  for (const auto& record : commit.records) {
    if (auto why = refusal(record, partitions_); !why.empty()) return {CommitOutcome::failed, why};
  }
  try {
    write(commit);
    return {};
  } catch (const Fenced&) {
    fenced_ = true;
    return {CommitOutcome::fenced, "another engine has taken over " + committing_.db.file() + "."};
  } catch (const sqlite::Error& error) {
    give_up_all();
    return result_of(error);
  }
}

void SqliteLog::check_epoch(Writing& writing) const {
  writing.epoch.step();
  const auto epoch = writing.epoch.integer(0);
  writing.epoch.reset();
  if (epoch != epoch_) throw Fenced{};
}

void SqliteLog::write(const events::Commit& commit) {
  sqlite::Transaction transaction(committing_.db);
  committing_.db.check_in_place();
  check_epoch(committing_);
  committing_.appender.begin(clock_.now());
  for (const auto& record : commit.records) committing_.appender.append(record);
  committing_.appender.end();
  for (const auto& next : commit.next) committing_.position.bind(1, next.partition).bind(2, next.offset).execute();
  transaction.commit();
  state_records_ += std::count_if(commit.records.begin(), commit.records.end(),
                                  [](const events::NewRecord& r) { return r.stream == Stream::state; });
  lock_.note(state_records_);
  committing_.db.checkpoint_if_due();
}

std::int64_t SqliteLog::memory_bytes() { return sqlite3_memory_used(); }

events::LogFigures SqliteLog::figures() {
  events::LogFigures figures;
  std::map<Partition, events::Offset> positions;
  {
    std::scoped_lock lock(mutex_);
    positions = positions_;
  }
  try {
    for (const auto& [p, next] : positions) {
      const auto ends = reading_.reader.ends(Stream::commands, p);
      figures.partitions.push_back({.partition = p, .lag_records = ends.end - next, .first_offset = ends.first});
    }
    cut_back_wal();
    figures.others = sizes();
  } catch (const sqlite::Error&) {
    return {};  // poll says what is wrong
  }
  return figures;
}

/// A checkpoint that a reader hindered is tried again at the commits that follow it; where none follow, here.
void SqliteLog::cut_back_wal() {
  const auto limit = options_.alert_wal_bytes;
  if (limit == 0 || sqlite::bytes_of(sqlite::wal_of(reading_.db.file())) <= limit) return;
  std::scoped_lock lock(append_mutex_);
  appending_.db.checkpoint(sqlite::checkpoint_beside_reader_wait_ms);
}

std::vector<events::LogFigure> SqliteLog::sizes() {
  const auto& file = reading_.db.file();
  const auto wal = sqlite::bytes_of(sqlite::wal_of(file));
  std::vector<events::LogFigure> sizes;
  sizes.push_back(
      {.name = "bytes",
       .value = sqlite::bytes_of(file) + wal,
       .limit = options_.alert_bytes,
       .advice = "Let it forget what is old (sqlite.retention_ms), or raise sqlite.alert_bytes: docs/log.md, Growth."});
  sizes.push_back(
      {.name = "wal_bytes",
       .value = wal,
       .limit = options_.alert_wal_bytes,
       .advice =
           "A program that reads for long keeps it from being begun anew: find and end it (docs/log.md, Growth)."});
  if (keeper_) sizes.push_back({.name = "removed_records", .value = keeper_->removed(), .counts = true});
  sizes.push_back({.name = "free_bytes", .value = reading_.reader.free_bytes()});
  if (const auto room = room_beside(file)) sizes.push_back({.name = "disk_free_bytes", .value = *room});
  return sizes;
}

LogStatus SqliteLog::append(const events::NewRecord& record) {
  if (auto why = refusal(record, partitions_); !why.empty()) return {LogError::invalid, why};
  std::scoped_lock lock(append_mutex_);
  try {
    sqlite::Transaction transaction(appending_.db);
    appending_.db.check_in_place();
    check_epoch(appending_);
    appending_.appender.begin(clock_.now());
    appending_.appender.append(record);
    appending_.appender.end();
    transaction.commit();
    return {};
  } catch (const Fenced&) {
    fenced_ = true;
    return {LogError::fenced, "another engine has taken over " + appending_.db.file() + "."};
  } catch (const sqlite::Error& error) {
    return error.status();
  }
}

}  // namespace mayfly::adapters
