// Looks at the engine's memory between batches and keeps the report for whoever asks. Used by the engine's thread; the
// report is read from any.
#pragma once

#include "actors/memory_report.h"
#include "events/record.h"

#include <array>
#include <mutex>

namespace mayfly::actors {

class MemoryWatch {
 public:
  /// `meter` may be null; ledger and meter outlive the watch.
  MemoryWatch(Ledger&, events::MemoryMeter* meter, events::Millis interval);

  /// The records of a batch that take the place of those of two turns ago.
  void count_records(std::size_t turn, const events::RecordBatch&);
  [[nodiscard]] bool is_due(events::Timestamp now) const;
  /// Completes what the engine has counted.
  void look(MemoryReport);

  [[nodiscard]] MemoryReport report() const;

 private:
  Ledger& ledger_;
  events::MemoryMeter* meter_;
  events::Millis interval_;
  std::array<Amounts, 2> records_of_turn_{};
  mutable std::mutex mutex_;
  MemoryReport report_;
};

}  // namespace mayfly::actors
