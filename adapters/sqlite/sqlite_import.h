// A new SQLite log of records that have their offsets and append times already. It has no committed positions: it is
// for looking at, not for an engine to serve.
#pragma once

#include "adapters/sqlite/sqlite_tables.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mayfly::adapters {

class SqliteImport {
 public:
  /// Makes the file, which must not be there. Null with `status` set if it cannot.
  static std::unique_ptr<SqliteImport> open(const std::string& file, std::int32_t partitions,
                                            events::LogStatus& status);
  /// Removes the file unless it is finished.
  ~SqliteImport();
  SqliteImport(const SqliteImport&) = delete;
  SqliteImport& operator=(const SqliteImport&) = delete;
  /// Of one stream and partition in the order of their offsets.
  [[nodiscard]] events::LogStatus add(events::Stream, const events::Record&);
  /// All that was added is in the file now.
  [[nodiscard]] events::LogStatus finish();

 private:
  SqliteImport(const std::string& file, std::int32_t partitions);

  sqlite::Connection db_;
  std::int32_t partitions_;
  std::optional<sqlite::Transaction> transaction_;  // until it is finished
  std::vector<sqlite::Statement> insert_;           // per stream
  std::map<std::pair<events::Stream, events::Partition>, std::pair<events::Offset, std::int64_t>> ends_;
};

}  // namespace mayfly::adapters
