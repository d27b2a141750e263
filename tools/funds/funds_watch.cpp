#include "tools/funds/funds_watch.h"

#include "tools/funds/funds_reader.h"
#include "tools/records/each_record.h"

#include <algorithm>

namespace mayfly::tools {

events::LogStatus FundsWatch::read_on(events::LogClient& log) {
  readings_.resize(static_cast<std::size_t>(log.partitions()));
  for (events::Partition p = 0; p < log.partitions(); ++p) {
    const auto ends = log.ends(events::Stream::events, p);
    if (!ends.status.ok()) return ends.status;
    auto& reading = readings_[static_cast<std::size_t>(p)];
    cut_ = cut_ || ends.first > 0;
    if (reading.first < 0) reading.first = reading.next = ends.first;
    reading.next = std::max(reading.next, ends.first);
    reading.end = ends.end;
  }
  for (events::Partition p = 0; p < log.partitions(); ++p) {
    auto& reading = readings_[static_cast<std::size_t>(p)];
    while (reading.next < reading.end && !too_many()) {
      const auto fetched = log.read(events::Stream::events, p, reading.next, read_at_once);
      if (!fetched.status.ok()) return fetched.status;
      for (const auto& record : fetched.batch.records) {
        if (const auto event = funds_event(record)) book_.apply(*event);
      }
      reading.next = fetched.next;  // beyond it may lie marks of transactions alone
      if (fetched.batch.records.empty()) break;
    }
  }
  return {};
}

std::vector<Risk> FundsWatch::risks(events::Timestamp now) const {
  auto rows = book_.risks();
  std::erase_if(rows, [](const Risk& r) { return r.state == RiskState::unmatched; });
  leave_to_a_person(rows, now);
  return rows;
}

int FundsWatch::read_percent() const {
  events::Offset all = 0;
  events::Offset read = 0;
  for (const auto& reading : readings_) {
    all += reading.end - std::max<events::Offset>(reading.first, 0);
    read += std::min(reading.next, reading.end) - std::max<events::Offset>(reading.first, 0);
  }
  return readings_.empty() ? 0 : all <= 0 ? 100 : static_cast<int>(100 * read / all);
}

}  // namespace mayfly::tools
