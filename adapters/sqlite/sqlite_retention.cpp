#include "adapters/sqlite/sqlite_retention.h"

#include "adapters/sqlite/headers_blob.h"
#include "events/state/retention.h"
#include "events/state/snapshot.h"
#include "events/text/event_id.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <vector>

namespace mayfly::adapters {

using events::Offset;
using events::Partition;
using events::Stream;
using events::Timestamp;
using sqlite::Access;
using sqlite::Statement;

namespace {

constexpr auto interval = std::chrono::minutes(1);
constexpr int records_at_once = 500;

/// Offset of the command that caused an event, by its ce_id; nothing if it is none of an engine's.
std::optional<Offset> cause_in(std::string_view headers_blob) {
  std::vector<events::Header> headers;
  if (!read_headers(headers_blob, headers)) return std::nullopt;
  for (const auto& [name, id] : headers) {
    if (name == "ce_id") return events::cause_offset(id);
  }
  return std::nullopt;
}

}  // namespace

SqliteRetention::SqliteRetention(const std::string& file, std::int64_t epoch, const SqliteOptions& options)
    : db_(file, Access::write), partitions_(sqlite::prepare(db_, 0)), epoch_(epoch), options_(options) {}

bool SqliteRetention::owned() {
  db_.check_in_place();
  Statement epoch(db_, "SELECT value FROM meta WHERE key = 'epoch'");
  return epoch.step() && epoch.integer(0) == epoch_;
}

bool SqliteRetention::over_bytes() {
  if (options_.retention_bytes == 0) return false;
  Statement used(db_,
                 "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, "
                 "pragma_page_size");
  return used.step() && used.integer(0) > options_.retention_bytes;
}

bool SqliteRetention::anything_old(Timestamp cutoff) {
  for (const auto stream : {Stream::commands, Stream::deadletters, Stream::alerts}) {
    Statement front(db_, ("SELECT append_time_ms FROM " + sqlite::table_name(stream) +
                          " WHERE partition = ? ORDER BY offset LIMIT 1")
                             .c_str());
    for (Partition p = 0; p < partitions_; ++p) {
      if (front.bind(1, p).step() && Timestamp{front.integer(0)} < cutoff) return true;
      front.reset();
    }
  }
  return false;
}

Offset SqliteRetention::needed(Partition partition) {
  Statement next(db_, "SELECT next FROM positions WHERE partition = ?");
  Statement record(db_, "SELECT value FROM state WHERE partition = ? AND key = ?");
  if (!next.bind(1, partition).step() || !record.bind(1, partition).bind(2, events::position_key).step()) return 0;
  const auto position = events::decode_position(record.blob(0).value_or(""));
  const auto* read = std::get_if<events::PositionRecord>(&position);
  if (read == nullptr) return 0;
  auto lowest = std::min(next.integer(0), read->next);
  Statement each(db_, "SELECT key, value FROM state WHERE partition = ? AND value IS NOT NULL");
  each.bind(1, partition);
  while (lowest > 0 && each.step()) {
    const auto of_this = events::oldest_needed(each.blob(0).value_or(""), *each.blob(1), read->ticked);
    lowest = std::min(lowest, of_this.value_or(lowest));
  }
  return lowest;
}

SqliteRetention::Front SqliteRetention::front(Stream stream, Partition partition, Offset needed, Timestamp cutoff,
                                              bool of_any_age) {
  Statement rows(db_, ("SELECT offset, append_time_ms FROM " + sqlite::table_name(stream) +
                       " WHERE partition = ? ORDER BY offset LIMIT ?")
                          .c_str());
  rows.bind(1, partition).bind(2, records_at_once);
  Front front;
  while (rows.step() && rows.integer(0) < needed && (of_any_age || Timestamp{rows.integer(1)} < cutoff)) {
    front = {rows.integer(0) + 1, front.records + 1};
  }
  return front;
}

std::int64_t SqliteRetention::remove(Stream stream, Partition partition, const Front& front) {
  Statement away(db_, ("DELETE FROM " + sqlite::table_name(stream) + " WHERE partition = ? AND offset < ?").c_str());
  away.bind(1, partition).bind(2, front.upto).execute();
  return front.records;
}

/// Events lie in the order of the commands that caused them.
std::int64_t SqliteRetention::remove_events(Partition partition, Offset first_command) {
  Statement rows(db_, "SELECT offset, headers FROM events WHERE partition = ? ORDER BY offset");
  rows.bind(1, partition);
  Front front;
  while (rows.step() && cause_in(rows.blob(1).value_or("")).value_or(0) < first_command) {
    front = {rows.integer(0) + 1, front.records + 1};
  }
  rows.reset();
  return front.records == 0 ? 0 : remove(Stream::events, partition, front);
}

std::int64_t SqliteRetention::sweep(Timestamp now, const std::stop_token& stop) {
  const auto cutoff = options_.retention.count > 0 ? now - options_.retention : Timestamp{0};
  if (!over_bytes() && !anything_old(cutoff)) return 0;
  std::int64_t removed = 0;
  const auto step = [&](Stream stream, Partition p, Offset needed) {
    sqlite::Transaction transaction(db_);
    if (stop.stop_requested() || !owned()) return false;
    const auto front_now = front(stream, p, needed, cutoff, stream == Stream::commands && over_bytes());
    if (front_now.records == 0) return false;
    removed += remove(stream, p, front_now);
    if (stream == Stream::commands) removed += remove_events(p, front_now.upto);
    transaction.commit();
    db_.checkpoint_if_due();
    return true;
  };
  for (const auto stream : {Stream::deadletters, Stream::alerts}) {
    for (Partition p = 0; p < partitions_; ++p) {
      while (step(stream, p, std::numeric_limits<Offset>::max())) {
      }
    }
  }
  std::vector<Offset> keep;
  keep.reserve(static_cast<std::size_t>(partitions_));
  for (Partition p = 0; p < partitions_; ++p) keep.push_back(needed(p));
  // In turn, so that no partition loses all before another loses any.
  for (bool moved = true; moved;) {
    moved = false;
    for (Partition p = 0; p < partitions_; ++p)
      moved = step(Stream::commands, p, keep[static_cast<std::size_t>(p)]) || moved;
  }
  return removed;
}

SqliteKeeper::SqliteKeeper(const std::string& file, std::int64_t epoch, const SqliteOptions& options,
                           const events::Clock& clock)
    : retention_(file, epoch, options), clock_(clock), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void SqliteKeeper::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    try {
      removed_ += retention_.sweep(clock_.now(), stop);
    } catch (const sqlite::Error&) {  // the engine's own commits say what is wrong; it is tried again
    }
    std::condition_variable_any().wait_for(lock, stop, interval, [] { return false; });
  }
}

}  // namespace mayfly::adapters
