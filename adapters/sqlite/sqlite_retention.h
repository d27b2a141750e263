// Lets the embedded log forget what is old and nobody needs: docs/log.md, Retention.
#pragma once

#include "adapters/sqlite/sqlite_options.h"
#include "adapters/sqlite/sqlite_tables.h"

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>
#include <thread>

namespace mayfly::adapters {

class SqliteRetention {
 public:
  /// Of the log's owner, whose epoch it is: nothing is removed once another has raised it.
  SqliteRetention(const std::string& file, std::int64_t epoch, const SqliteOptions&);

  /// Removes what may go at that time, a few hundred records a transaction. Returns how many. Throws sqlite::Error.
  std::int64_t sweep(events::Timestamp now, const std::stop_token& = {});

 private:
  struct Front {
    events::Offset upto = 0;  // the first that stays
    std::int64_t records = 0;
  };
  [[nodiscard]] bool owned();
  [[nodiscard]] bool over_bytes();
  [[nodiscard]] bool anything_old(events::Timestamp cutoff);
  /// The lowest command offset that state, epitaphs and a restart need.
  [[nodiscard]] events::Offset needed(events::Partition);
  [[nodiscard]] Front front(events::Stream, events::Partition, events::Offset needed, events::Timestamp cutoff,
                            bool of_any_age);
  std::int64_t remove(events::Stream, events::Partition, const Front&);
  std::int64_t remove_events(events::Partition, events::Offset first_command);

  sqlite::Connection db_;
  std::int32_t partitions_;
  std::int64_t epoch_;
  SqliteOptions options_;
};

/// Sweeps once a minute in a thread of its own, for as long as it lives. The clock outlives it.
class SqliteKeeper {
 public:
  SqliteKeeper(const std::string& file, std::int64_t epoch, const SqliteOptions&, const events::Clock&);
  /// Since it was made.
  [[nodiscard]] std::int64_t removed() const { return removed_; }

 private:
  void run(const std::stop_token&);
  SqliteRetention retention_;
  const events::Clock& clock_;
  std::atomic<std::int64_t> removed_{0};
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace mayfly::adapters
