// Looks at the engine's memory between batches and keeps the report for whoever asks. Used by the engine's thread; the
// report is read from any.
#pragma once

#include "actors/memory/leak_watch.h"
#include "actors/memory/let_go.h"
#include "actors/memory/memory_budgets.h"
#include "actors/memory/memory_report.h"
#include "events/log/record.h"

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

namespace mayfly::actors {

class MemoryWatch {
 public:
  /// `meter` may be null; ledger and meter outlive the watch.
  MemoryWatch(Ledger&, events::MemoryMeter* meter, const MemoryBudgets&);

  /// The records of a batch that take the place of those of two turns ago.
  void count_records(std::size_t turn, const events::RecordBatch&);
  /// `commands`: decided so far. While none are, and memory is not short, looks are further apart.
  [[nodiscard]] bool is_due(events::Timestamp now, std::int64_t commands) const;
  /// Completes what the engine has counted. Returns the leaks that began or ended with it.
  std::vector<Leak> look(MemoryReport);

  [[nodiscard]] MemoryReport report() const;
  /// How many are open. Of the thread that looks.
  [[nodiscard]] std::size_t leaks() const { return open_.size(); }

 private:
  void add_evidence(Leak&);
  Ledger& ledger_;
  events::MemoryMeter* meter_;
  MemoryBudgets budgets_;
  PressureLadder ladder_;
  LetGo carts_;
  LetGo sessions_;
  std::array<Amounts, 2> records_of_turn_{};
  LeakWatch leaks_;
  std::map<std::string_view, Leak> open_;  // with their evidence, by purpose
  std::int64_t leaks_begun_ = 0;
  mutable std::mutex mutex_;
  MemoryReport report_;
};

}  // namespace mayfly::actors
