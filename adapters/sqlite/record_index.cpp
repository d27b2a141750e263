#include "adapters/sqlite/record_index.h"

#include "adapters/sqlite/sqlite_file.h"
#include "events/rules/identity.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace mayfly::adapters {

using events::LogError;
using events::LogStatus;
using events::Offset;
using events::Position;

namespace {

constexpr std::int64_t application_id = 0x4d61'7969;  // "Mayi", for file(1)
constexpr std::int64_t layout = 1;                    // in user_version
constexpr std::size_t checksum_bytes = 4;

constexpr const char* tables =
    "CREATE TABLE ends (partition INTEGER, stream INTEGER, next INTEGER, last INTEGER, last_hash INTEGER,"
    " PRIMARY KEY (partition, stream)) WITHOUT ROWID;"
    "CREATE TABLE batches (count INTEGER); INSERT INTO batches VALUES (0);"
    "CREATE TABLE positions (partition INTEGER PRIMARY KEY, record BLOB);"
    "CREATE TABLE carts (cart INTEGER, batch INTEGER, records BLOB, PRIMARY KEY (cart, batch)) WITHOUT ROWID;"
    "CREATE TABLE ids (id INTEGER, partition INTEGER, offset INTEGER, PRIMARY KEY (id, partition, offset))"
    " WITHOUT ROWID;"
    "CREATE TABLE ticks (partition INTEGER, offset INTEGER, through INTEGER, time_ms INTEGER, for_all INTEGER,"
    " PRIMARY KEY (partition, offset)) WITHOUT ROWID;"
    "CREATE INDEX ticks_by_time ON ticks (partition, time_ms);"
    "CREATE INDEX ticks_for_all ON ticks (partition, offset) WHERE for_all = 1;";

std::int64_t signed_of(std::uint64_t hash) { return static_cast<std::int64_t>(hash); }
std::uint64_t unsigned_of(std::int64_t hash) { return static_cast<std::uint64_t>(hash); }

std::int64_t asked(const sqlite::Connection& db, const char* sql) {
  sqlite::Statement ask(db, sql);
  return ask.step() ? ask.integer(0) : 0;
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

/// False where the bytes end before it does.
bool take_varint(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// Of the bytes and whose they are, so that a row that came to another cart is noticed too.
std::string checksum(std::uint64_t cart, std::string_view bytes) {
  events::HashKey key{};
  for (std::size_t i = 0; i < sizeof cart; ++i) key[i] = static_cast<unsigned char>(cart >> 8 * i);
  auto hash = events::KeyedHash(key)(bytes);
  std::string out;
  for (std::size_t i = 0; i < checksum_bytes; ++i, hash >>= 8) out += static_cast<char>(hash & 0xff);
  return out;
}

/// Of each stream how many and how far each lies behind the one before.
std::string packed(std::span<const IndexBatch::OfCart> records) {
  std::string out;
  for (int s = 0; s < events::stream_count; ++s) {
    const auto mine = [s](const IndexBatch::OfCart& r) { return r.stream == static_cast<events::Stream>(s); };
    append_varint(out, static_cast<std::uint64_t>(std::ranges::count_if(records, mine)));
    Offset before = 0;
    for (const auto& r : records) {
      if (!mine(r)) continue;
      append_varint(out, static_cast<std::uint64_t>(r.offset - before));
      before = r.offset;
    }
  }
  return out + checksum(records.front().cart, out);
}

/// Adds to `into`; false if the bytes are not as `packed` made them.
bool unpacked(std::uint64_t cart, std::string_view bytes, RecordIndex::Offsets& into) {
  if (bytes.size() < checksum_bytes) return false;
  const auto sum = bytes.substr(bytes.size() - checksum_bytes);
  bytes.remove_suffix(checksum_bytes);
  if (sum != checksum(cart, bytes)) return false;
  for (auto& offsets : into) {
    std::uint64_t count = 0;
    if (!take_varint(bytes, count) || count > bytes.size()) return false;
    std::uint64_t offset = 0;
    for (std::uint64_t behind = 0; count > 0; --count) {
      if (!take_varint(bytes, behind)) return false;
      offset += behind;
      offsets.push_back(static_cast<Offset>(offset));
    }
  }
  return bytes.empty();
}

}  // namespace

std::unique_ptr<RecordIndex> RecordIndex::open(const std::string& file, LogStatus& status) {
  try {
    if (!identity_of(file)) sqlite::Connection(file, sqlite::Access::make).run("PRAGMA user_version=0");
    auto index = std::unique_ptr<RecordIndex>(new RecordIndex(file));
    index->prepare();
    return index;
  } catch (const sqlite::Error& error) {
    status = error.status();
    if (status.error == LogError::corrupt)
      status = {LogError::invalid, std::string(error.what()) + ". It is no index, or a damaged one."};
    return nullptr;
  }
}

RecordIndex::RecordIndex(const std::string& file) : db_(file, sqlite::Access::write) {}

void RecordIndex::prepare() {
  // It can be made anew: it need not outlive a machine that stops, only a process.
  db_.run("PRAGMA synchronous=OFF; PRAGMA cache_size=-65536");
  if (asked(db_, "SELECT count(*) FROM sqlite_schema") == 0) {
    sqlite::Transaction making(db_);
    if (asked(db_, "SELECT count(*) FROM sqlite_schema") == 0) {
      db_.run(tables);
      db_.run(("PRAGMA application_id=" + std::to_string(application_id)).c_str());
      db_.run(("PRAGMA user_version=" + std::to_string(layout)).c_str());
    }
    making.commit();
  }
  if (asked(db_, "PRAGMA application_id") != application_id || asked(db_, "PRAGMA user_version") != layout)
    throw sqlite::Error({LogError::invalid, db_.file() + " is no index, or one of another version of Mayfly."});
  read_ends();
  find_cart_.emplace(db_, "SELECT records FROM carts WHERE cart = ? ORDER BY batch");
  find_id_.emplace(db_, "SELECT partition, offset FROM ids WHERE id = ? ORDER BY partition, offset");
  tick_through_.emplace(db_,
                        "SELECT offset FROM ticks WHERE partition = ?1 AND offset > ?2 AND through >= ?3"
                        " ORDER BY offset LIMIT 1");
  tick_at_.emplace(db_,
                   "SELECT offset FROM ticks WHERE partition = ?1 AND time_ms >= ?3 AND offset > ?2"
                   " ORDER BY time_ms, offset LIMIT 1");
  tick_for_all_.emplace(db_,
                        "SELECT offset FROM ticks WHERE partition = ?1 AND offset > ?2 AND for_all = 1"
                        " ORDER BY offset LIMIT 1");
  tick_before_.emplace(db_,
                       "SELECT offset FROM ticks WHERE partition = ?1 AND offset < ?2 ORDER BY offset DESC LIMIT 1");
}

void RecordIndex::read_ends() {
  ends_.clear();
  positions_.clear();
  sqlite::Statement read(db_, "SELECT partition, stream, next, last, last_hash FROM ends");
  while (read.step()) {
    const auto p = static_cast<std::size_t>(read.integer(0));
    const auto s = static_cast<std::size_t>(read.integer(1));
    constexpr std::size_t most_partitions = 100'000;
    if (p >= most_partitions || s >= events::stream_count)
      throw sqlite::Error({LogError::invalid, db_.file() + " is a damaged index."});
    if (ends_.size() <= p) ends_.resize(p + 1);
    ends_[p][s] = {read.integer(2), read.integer(3), unsigned_of(read.integer(4))};
  }
  positions_.resize(ends_.size());
  sqlite::Statement position(db_, "SELECT partition, record FROM positions");
  while (position.step()) {
    const auto p = static_cast<std::size_t>(position.integer(0));
    if (p < positions_.size()) positions_[p] = position.blob(1).value_or(std::string_view{});
  }
  batches_ = asked(db_, "SELECT count FROM batches");
}

template <class F>
LogStatus RecordIndex::guarded(F f) {
  try {
    f();
    return {};
  } catch (const sqlite::Error& error) {
    auto status = error.status();
    if (status.error == LogError::corrupt) status.message = std::string(error.what()) + ". The index is damaged.";
    return status;
  }
}

LogStatus RecordIndex::add(IndexBatch& batch, const Ends& ends, const std::vector<std::string>& positions) {
  return guarded([&] {
    sqlite::Transaction transaction(db_);
    const auto known = ends_;
    read_ends();
    const bool same = std::ranges::equal(known, ends_, [](const auto& a, const auto& b) {
      return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.next == y.next; });
    });
    if (!same)
      throw sqlite::Error({LogError::unavailable, db_.file() + ": another process adds to this index. Try again."});
    ++batches_;
    db_.run("UPDATE batches SET count = count + 1");
    add_carts(batch);
    sqlite::Statement id(db_, "INSERT OR IGNORE INTO ids VALUES (?, ?, ?)");
    std::ranges::sort(batch.of_ids);
    for (std::size_t i = 0; i < batch.of_ids.size(); ++i) {
      const auto& of = batch.of_ids[i];
      if (i > 0 && batch.of_ids[i - 1].id == of.id && batch.of_ids[i - 1].cart == of.cart) continue;
      id.bind(1, signed_of(of.id)).bind(2, of.command.partition).bind(3, of.command.offset).execute();
    }
    sqlite::Statement tick(db_, "INSERT OR IGNORE INTO ticks VALUES (?, ?, ?, ?, ?)");
    for (const auto& t : batch.ticks) {
      tick.bind(1, t.at.partition).bind(2, t.at.offset).bind(3, t.through).bind(4, t.time.ms);
      tick.bind(5, std::int64_t{t.for_all ? 1 : 0}).execute();
    }
    sqlite::Statement end(db_, "REPLACE INTO ends VALUES (?, ?, ?, ?, ?)");
    sqlite::Statement position(db_, "REPLACE INTO positions VALUES (?, ?)");
    for (std::size_t p = 0; p < ends.size(); ++p) {
      for (std::size_t s = 0; s < events::stream_count; ++s) {
        const auto& e = ends[p][s];
        end.bind(1, static_cast<std::int64_t>(p)).bind(2, static_cast<std::int64_t>(s));
        end.bind(3, e.next).bind(4, e.last).bind(5, signed_of(e.last_hash)).execute();
      }
      position.bind(1, static_cast<std::int64_t>(p)).bind(2, positions[p]).execute();
    }
    transaction.commit();
    ends_ = ends;
    positions_ = positions;
    batch = {};
  });
}

void RecordIndex::add_carts(IndexBatch& batch) {
  sqlite::Statement insert(db_, "INSERT INTO carts VALUES (?, ?, ?)");
  auto& all = batch.of_carts;
  std::ranges::sort(all);
  for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    while (end < all.size() && all[end].cart == all[begin].cart) ++end;
    const auto records = packed(std::span(all).subspan(begin, end - begin));
    insert.bind(1, signed_of(all[begin].cart)).bind(2, batches_).bind(3, records).execute();
  }
}

LogStatus RecordIndex::find_cart(std::uint64_t cart, Offsets& found) {
  bool whole = true;
  auto status = guarded([&] {
    for (find_cart_->reset(), find_cart_->bind(1, signed_of(cart)); find_cart_->step();) {
      whole = whole && unpacked(cart, find_cart_->blob(0).value_or(std::string_view{}), found);
    }
    find_cart_->reset();
  });
  if (!status.ok() || whole) return status;
  return {LogError::corrupt, db_.file() + ": what it says of a cart is damaged."};
}

LogStatus RecordIndex::find_id(std::uint64_t id, std::vector<Position>& found) {
  return guarded([&] {
    for (find_id_->reset(), find_id_->bind(1, signed_of(id)); find_id_->step();)
      found.push_back({static_cast<events::Partition>(find_id_->integer(0)), find_id_->integer(1)});
    find_id_->reset();
  });
}

LogStatus RecordIndex::first_of(sqlite::Statement& statement, Offset& found) {
  return guarded([&] {
    found = statement.step() ? statement.integer(0) : events::no_offset;
    statement.reset();
  });
}

LogStatus RecordIndex::tick_through(Position after, Offset through, Offset& found) {
  return first_of(tick_through_->bind(1, after.partition).bind(2, after.offset).bind(3, through), found);
}
LogStatus RecordIndex::tick_at(Position after, events::Timestamp time, Offset& found) {
  return first_of(tick_at_->bind(1, after.partition).bind(2, after.offset).bind(3, time.ms), found);
}
LogStatus RecordIndex::tick_for_all(Position after, Offset& found) {
  return first_of(tick_for_all_->bind(1, after.partition).bind(2, after.offset), found);
}
LogStatus RecordIndex::tick_before(Position before, Offset& found) {
  return first_of(tick_before_->bind(1, before.partition).bind(2, before.offset), found);
}

std::int64_t RecordIndex::bytes() const { return sqlite::bytes_of(db_.file()); }

}  // namespace mayfly::adapters
