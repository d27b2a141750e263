#include "actors/memory_watch.h"

#include "actors/environment.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

MemoryWatch::MemoryWatch(Ledger& ledger, events::MemoryMeter* meter, events::Millis interval)
    : ledger_(ledger), meter_(meter), interval_(interval) {}

void MemoryWatch::count_records(std::size_t turn, const events::RecordBatch& batch) {
  std::size_t bytes = batch.records.capacity() * sizeof(events::Record);
  for (const auto& record : batch.records) {
    bytes += record.key.value_or("").size() + record.value.value_or("").size();
    for (const auto& header : record.headers) bytes += sizeof header + header.name.size() + header.value.size();
  }
  const Amounts now{static_cast<std::int64_t>(bytes), std::ssize(batch.records), static_cast<std::int64_t>(bytes), 0,
                    0};
  const auto before = std::exchange(records_of_turn_[turn], now);
  ledger_.post(Purpose::log_records, {now.taken_bytes - before.taken_bytes, now.taken_blocks - before.taken_blocks,
                                      now.held_bytes - before.held_bytes, 0, 0});
}

bool MemoryWatch::is_due(events::Timestamp now) const { return now >= report_.at + interval_; }

void MemoryWatch::look(MemoryReport r) {
  for (std::size_t i = 0; i < purpose_count; ++i) {
    r.purposes[i] = ledger_.of(static_cast<Purpose>(i));
    r.peak_bytes[i] = std::max(report_.peak_bytes[i], r.purposes[i].taken_bytes);
  }
  r.messages = ledger_.messages();
  r.message_bytes = r.messages * message_bytes;
  if (meter_ != nullptr) r.process = meter_->read();
  const std::scoped_lock lock(mutex_);
  report_ = r;
}

MemoryReport MemoryWatch::report() const {
  const std::scoped_lock lock(mutex_);
  return report_;
}

}  // namespace mayfly::actors
