// What a log says of itself: for operators, who read it in /metrics and /tree, and for the engine, which acts on some
// of it. Plain values.
#pragma once

#include "events/log/types.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mayfly::events {

/// A partition of the commands that is ours. What is absent is not known, or the log does not measure it.
struct PartitionFigures {
  Partition partition = 0;
  std::int64_t lag_records = 0;  // not read yet
  std::optional<Offset> first_offset{};
  std::optional<std::int64_t> pending_records{};  // stored behind a transaction that has not ended
  std::optional<Offset> stable_offset{};          // where what is committed ends
};

/// How long the transactions took that were committed.
struct TransactionTimes {
  static constexpr std::array<std::int64_t, 7> bounds_ms = {10, 25, 50, 100, 250, 1000, 5000};
  std::array<std::int64_t, bounds_ms.size()> within{};  // those that took no longer than each bound
  std::int64_t sum_us = 0;
  std::int64_t longest_us = 0;
};

/// Of a log that lies with a broker; all count from when it was opened.
struct BrokerFigures {
  std::int64_t committed = 0;
  std::int64_t aborted = 0;
  std::int64_t indefinite = 0;
  std::int64_t fenced = 0;
  std::int64_t failed = 0;
  TransactionTimes times{};
  std::int64_t rebalances = 0;
  std::int64_t ticks_failed = 0;
};

/// What one kind of log alone has to say, by name.
struct LogFigure {
  std::string_view name;  // e.g. "wal_bytes": a literal
  std::int64_t value = 0;
  bool counts = false;        // only rises, from 0 at the log's begin
  std::int64_t limit = 0;     // over it an alert is raised, with `advice`; 0: none
  std::string_view advice{};  // a sentence: what to do about it; a literal
};

struct LogFigures {
  std::optional<BrokerFigures> broker{};
  std::vector<PartitionFigures> partitions{};  // by number
  std::vector<LogFigure> others{};
};

}  // namespace mayfly::events
