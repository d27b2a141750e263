// The money at risk in a log: reads its events once, keeps open positions only (funds_book.h), and says it as NDJSON.
#pragma once

#include "events/log/log.h"
#include "tools/funds/funds_book.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// None where the record says nothing about money.
[[nodiscard]] std::optional<FundsEvent> funds_event(const events::Record&);

/// Adds every open position to `risks`, oldest first; of one cart, or of all where it is empty. To `cut`: the first
/// event of each partition that has let go of older ones, whose money is not known.
events::LogStatus read_risks(events::LogClient&, const std::string& cart, std::vector<Risk>& risks,
                             std::vector<events::Position>& cut);

struct RiskTotal {
  std::int64_t rows = 0;
  events::Minor amount_minor = 0;  // int64's largest where the sum is beyond it
  events::Timestamp oldest{};      // `since` of the oldest row
};
/// By currency and state.
[[nodiscard]] std::map<std::pair<std::string, RiskState>, RiskTotal> totals_of(const std::vector<Risk>&);

/// Whole seconds since `since`, at least 0.
[[nodiscard]] std::int64_t age_s(const Risk&, events::Timestamp now);
/// Prometheus's text format: rows, amount and the oldest row's age, by currency and state, and when it was read; for
/// node_exporter's textfile collector.
[[nodiscard]] std::string risks_as_metrics(const std::vector<Risk>&, events::Timestamp now);
/// A line per row, a line per total, a line per cut; each ends in a line feed.
[[nodiscard]] std::string risks_as_ndjson(const std::vector<Risk>&, const std::vector<events::Position>& cut,
                                          events::Timestamp now);

}  // namespace mayfly::tools
