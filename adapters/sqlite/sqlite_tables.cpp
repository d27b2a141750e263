#include "adapters/sqlite/sqlite_tables.h"

#include "adapters/record_limits.h"
#include "adapters/sqlite/headers_blob.h"
#include "adapters/sqlite/sqlite_file.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <memory_resource>
#include <span>

namespace mayfly::adapters::sqlite {

namespace {

using events::Stream;

constexpr std::array<const char*, events::stream_count> table = {"commands", "events", "state", "deadletters",
                                                                 "alerts"};

/// What a batch views. Given back all at once.
struct Storage {
  std::pmr::monotonic_buffer_resource memory{64 * 1024};
  std::vector<events::Header> headers;  // of the record that is being read
};

std::string_view keep(Storage& storage, std::string_view bytes) {
  if (bytes.empty()) return "";
  auto* kept = static_cast<char*>(storage.memory.allocate(bytes.size(), 1));
  std::memcpy(kept, bytes.data(), bytes.size());
  return {kept, bytes.size()};
}

std::span<const events::Header> keep(Storage& storage, const std::vector<events::Header>& headers) {
  const auto bytes = headers.size() * sizeof(events::Header);
  auto* kept = static_cast<events::Header*>(storage.memory.allocate(bytes, alignof(events::Header)));
  return {kept, std::uninitialized_copy(headers.begin(), headers.end(), kept)};
}

std::int64_t meta(const Connection& db, const char* sql) {
  Statement s(db, sql);
  return s.step() ? s.integer(0) : -1;
}

}  // namespace

std::string table_name(Stream stream) { return table[static_cast<std::size_t>(stream)]; }

namespace {

bool has_tables(const Connection& db) {
  return meta(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") != 0;
}

/// All of them in the file itself before there is a write-ahead log, so that no copy of it looks like an empty file.
void make_tables(const Connection& db, std::int32_t partitions) {
  Transaction transaction(db);
  if (has_tables(db)) return;  // another process was first
  if (meta(db, "SELECT count(*) FROM sqlite_schema") != 0) {
    throw Error(SQLITE_MISMATCH, db.file() + ": this database belongs to another program; give another file");
  }
  if (partitions < 1) {
    throw Error(SQLITE_EMPTY,
                db.file() + ": there is no log in it yet. Start one with: mayfly serve --log sqlite:" + db.file());
  }
  std::string sql =
      "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
      "CREATE TABLE ends (stream INTEGER, partition INTEGER, next INTEGER, last_append_time_ms INTEGER,"
      " PRIMARY KEY (stream, partition)) WITHOUT ROWID;"
      "CREATE TABLE positions (partition INTEGER PRIMARY KEY, next INTEGER);"
      "CREATE TABLE state (partition INTEGER, key BLOB, value BLOB, headers BLOB, offset INTEGER,"
      " append_time_ms INTEGER, PRIMARY KEY (partition, key)) WITHOUT ROWID;";
  for (const auto* name : {"commands", "events", "deadletters", "alerts"}) {
    sql += "CREATE TABLE " + std::string(name) +
           " (partition INTEGER, offset INTEGER, key BLOB, headers BLOB, value BLOB, append_time_ms INTEGER,"
           " PRIMARY KEY (partition, offset)) WITHOUT ROWID;";
  }
  sql += "INSERT INTO meta VALUES ('schema', " + std::to_string(schema_version) + "), ('partitions', " +
         std::to_string(partitions) + "), ('epoch', 0), ('served', 0);" +
         "PRAGMA application_id = " + std::to_string(application_id);
  db.run(sql.c_str());
  transaction.commit();
}

}  // namespace

std::int32_t prepare(Connection& db, std::int32_t partitions_if_new) {
  if (!has_tables(db)) {
    if (db.may_write()) {
      make_tables(db, partitions_if_new);
    } else if (meta(db, "SELECT count(*) FROM sqlite_schema") != 0) {
      throw Error(SQLITE_MISMATCH, db.file() + ": this database belongs to another program; give another file");
    } else {
      throw Error(SQLITE_EMPTY,
                  db.file() + ": there is no log in it yet. Start one with: mayfly serve --log sqlite:" + db.file());
    }
  }
  const auto version = meta(db, "SELECT value FROM meta WHERE key = 'schema'");
  if (version != schema_version) {
    throw Error(SQLITE_NOTADB, db.file() + ": its tables are of version " + std::to_string(version) +
                                   ", this program knows version " + std::to_string(schema_version) +
                                   "; run the Mayfly that wrote it");
  }
  const auto partitions = meta(db, "SELECT value FROM meta WHERE key = 'partitions'");
  if (partitions < 1) {
    throw Error(SQLITE_NOTADB,
                db.file() + ": it has " + std::to_string(partitions) +
                    " partitions, a log has at least one; restore it from a backup or give another file");
  }
  // In this order: what an engine commits in between is then in the file and not yet in the note, never the reverse.
  const auto noted = noted_state_records(db.file());
  const bool served = meta(db, "SELECT value FROM meta WHERE key = 'served'") == 1;
  if (served && noted) check_not_older(db.file(), *noted, state_records(db));
  db.keep_wal();
  return static_cast<std::int32_t>(partitions);
}

void check_may_be_served(const Connection& db) {
  if (meta(db, "SELECT count(*) FROM meta WHERE key = 'imported'") == 0) return;
  throw Error({events::LogError::corrupt,
               db.file() +
                   " was imported, to be looked at: it does not say how far an engine was, and its state is not whole "
                   "(docs/replay.md). Serve the log that it was exported from."});
}

std::int64_t state_records(const Connection& db) {
  Statement sum(db, "SELECT coalesce(sum(next), 0) FROM ends WHERE stream = ?");
  sum.bind(1, static_cast<std::int64_t>(Stream::state)).step();
  return sum.integer(0);
}

// --- appending -----------------------------------------------------------------------------------------------------

Appender::Appender(const Connection& db)
    : read_end_(db, "SELECT next, last_append_time_ms FROM ends WHERE stream = ? AND partition = ?"),
      write_end_(db, "INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?)") {
  for (const auto* name : table) {
    const std::string verb = name == std::string_view("state") ? "INSERT OR REPLACE INTO " : "INSERT INTO ";
    const std::string sql =
        verb + name + " (partition, offset, key, headers, value, append_time_ms) VALUES (?, ?, ?, ?, ?, ?)";
    insert_.emplace_back(db, sql.c_str());
  }
}

void Appender::begin(events::Timestamp now) {
  now_ = now;
  ends_.clear();
}

Appender::End& Appender::end_of(Stream stream, events::Partition partition) {
  const auto [found, is_new] = ends_.try_emplace({stream, partition});
  if (is_new) {
    read_end_.bind(1, static_cast<std::int64_t>(stream)).bind(2, partition);
    if (read_end_.step()) found->second = {read_end_.integer(0), {read_end_.integer(1)}, false};
    read_end_.reset();
  }
  return found->second;
}

events::Position Appender::append(const events::NewRecord& record) {
  auto& end = end_of(record.stream, record.partition);
  end.last = std::max(end.last, now_);
  end.changed = true;
  headers_.clear();
  append_headers(headers_, record.headers);
  insert_[static_cast<std::size_t>(record.stream)]
      .bind(1, record.partition)
      .bind(2, end.next)
      .bind(3, record.key)
      .bind(4, headers_)
      .bind(5, record.value)
      .bind(6, end.last.ms)
      .execute();
  return {record.partition, end.next++};
}

void Appender::end() {
  for (const auto& [where, end] : ends_) {
    if (!end.changed) continue;
    write_end_.bind(1, static_cast<std::int64_t>(where.first))
        .bind(2, where.second)
        .bind(3, end.next)
        .bind(4, end.last.ms)
        .execute();
  }
}

// --- reading -------------------------------------------------------------------------------------------------------

Reader::Reader(const Connection& db)
    : state_order_(db, "SELECT offset, key FROM state WHERE partition = ? AND offset >= ? ORDER BY offset"),
      snapshot_(db, "SELECT count(*) FROM sqlite_schema"),
      end_(db, "SELECT next FROM ends WHERE stream = ? AND partition = ?"),
      data_version_(db, "PRAGMA data_version"),
      free_bytes_(db, "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size") {
  for (const auto* name : table) {
    const std::string from = std::string(" FROM ") + name + " WHERE partition = ?";
    const bool by_key = name == table[static_cast<std::size_t>(Stream::state)];
    select_.emplace_back(db, ("SELECT offset, key, headers, value, append_time_ms" + from +
                              (by_key ? " AND key = ? AND offset = ?" : " AND offset >= ? ORDER BY offset LIMIT ?"))
                                 .c_str());
    first_.emplace_back(db, ("SELECT min(offset)" + from).c_str());
  }
}

namespace {

/// The batch's storage, which it shares.
Storage& storage_of(events::RecordBatch& batch) {
  auto storage = std::static_pointer_cast<Storage>(std::const_pointer_cast<void>(batch.storage));
  if (!storage) storage = std::make_shared<Storage>();
  batch.storage = storage;
  return *storage;
}

/// Adds the record that the statement stands on. Returns what it counts.
std::size_t take(const Statement& select, Stream stream, events::Partition partition, events::RecordBatch& batch) {
  auto& storage = storage_of(batch);
  events::Record record;
  record.at = {partition, select.integer(0)};
  if (const auto key = select.blob(1)) record.key = keep(storage, *key);
  storage.headers.clear();
  if (!read_headers(keep(storage, select.blob(2).value_or(std::string_view{})), storage.headers)) {
    throw Error(SQLITE_CORRUPT, "the headers of a record in " + std::string(table[static_cast<std::size_t>(stream)]) +
                                    " at offset " + std::to_string(record.at.offset) + " are not whole");
  }
  record.headers = keep(storage, storage.headers);
  if (const auto value = select.blob(3)) record.value = keep(storage, *value);
  record.append_time = {select.integer(4)};
  batch.records.push_back(record);
  return size_of(record) + 1;
}

/// While it lives all statements see the same.
class Snapshot {
 public:
  explicit Snapshot(Statement& any) : any_(any) { any_.step(); }
  ~Snapshot() { any_.reset(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Statement& any_;
};

}  // namespace

void Reader::read(Stream stream, events::Partition partition, events::Offset from, std::size_t records,
                  std::size_t bytes, events::RecordBatch& batch) {
  storage_of(batch);
  if (stream == Stream::state) return read_state(partition, from, records, bytes, batch);
  auto& select = select_[static_cast<std::size_t>(stream)];
  select.bind(1, partition).bind(2, from).bind(3, static_cast<std::int64_t>(records));
  for (std::size_t taken = 0; taken < bytes && select.step();) taken += take(select, stream, partition, batch);
  select.reset();
}

void Reader::read_state(events::Partition partition, events::Offset from, std::size_t records, std::size_t bytes,
                        events::RecordBatch& batch) {
  const Snapshot snapshot(snapshot_);
  auto& select = select_[static_cast<std::size_t>(Stream::state)];
  std::size_t given = 0;
  std::size_t taken = 0;
  bool fresh = order_.partition != partition || order_.next != from;
  for (;;) {
    if (fresh) {
      order_ = {partition, from, 0, {}};
      for (state_order_.bind(1, partition).bind(2, from); state_order_.step();)
        order_.keys.emplace_back(state_order_.integer(0), state_order_.blob(1).value_or(std::string_view{}));
      state_order_.reset();
    }
    for (; order_.at < order_.keys.size() && given < records && taken < bytes; ++order_.at) {
      const auto& [offset, key] = order_.keys[order_.at];
      select.bind(1, partition).bind(2, key).bind(3, offset);
      if (select.step()) {
        taken += take(select, Stream::state, partition, batch);
        order_.next = offset + 1;
        ++given;
      }
      select.reset();
    }
    if (order_.at < order_.keys.size()) return;
    order_ = {};
    // Nothing of the rest of an older order is where it was: what was written anew lies behind.
    if (given > 0 || fresh) return;
    fresh = true;
  }
}

events::StreamEnds Reader::ends(Stream stream, events::Partition partition) {
  events::StreamEnds ends;
  end_.bind(1, static_cast<std::int64_t>(stream)).bind(2, partition);
  if (end_.step()) ends.end = end_.integer(0);
  end_.reset();
  auto& first = first_[static_cast<std::size_t>(stream)];
  first.bind(1, partition);
  ends.first = first.step() && first.blob(0) ? first.integer(0) : ends.end;
  first.reset();
  return ends;
}

std::int64_t Reader::free_bytes() {
  free_bytes_.step();
  const auto bytes = free_bytes_.integer(0);
  free_bytes_.reset();
  return bytes;
}

std::int64_t Reader::data_version() {
  data_version_.step();
  const auto version = data_version_.integer(0);
  data_version_.reset();
  return version;
}

}  // namespace mayfly::adapters::sqlite
