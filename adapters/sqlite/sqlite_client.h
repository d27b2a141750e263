// Producers and readers of the embedded log, in any process, beside a running engine.
#pragma once

#include "adapters/host/write_watch.h"
#include "adapters/sqlite/sqlite_tables.h"
#include "events/log/log.h"

#include <memory>
#include <optional>
#include <string>

namespace mayfly::adapters {

class SqliteClient final : public events::LogClient {
 public:
  /// Opens the file, or makes it with that many partitions; 0: it must be there. Null with `status` set if it cannot.
  static std::unique_ptr<SqliteClient> open(const std::string& file, std::int32_t partitions_if_new,
                                            const events::Clock&, events::LogStatus& status);
  /// Only to read: nothing is written, made or locked. `append` is refused.
  static std::unique_ptr<SqliteClient> open_to_read(const std::string& file, const events::Clock&,
                                                    events::LogStatus& status);

  [[nodiscard]] std::int32_t partitions() const override { return partitions_; }
  events::Appended append(std::span<const events::NewRecord>) override;
  events::Fetched read(events::Stream, events::Partition, events::Offset, const events::PollLimits&) override;
  events::StreamEnds ends(events::Stream, events::Partition) override;
  events::GroupPositions group_positions(std::string_view group, events::Stream) override;
  events::LogStatus keep_group_positions(std::string_view group, events::Stream,
                                         std::span<const events::Position>) override;

 private:
  SqliteClient(const std::string& file, sqlite::Access, std::int32_t partitions_if_new, const events::Clock&);
  static std::unique_ptr<SqliteClient> open(const std::string& file, sqlite::Access, std::int32_t partitions_if_new,
                                            const events::Clock&, events::LogStatus& status);
  sqlite::Connection db_;
  std::int32_t partitions_;
  sqlite::Reader reader_;
  std::optional<WriteWatch> writes_;          // once a read has waited
  std::optional<sqlite::Appender> appender_;  // none: only to read
  const events::Clock& clock_;
};

}  // namespace mayfly::adapters
