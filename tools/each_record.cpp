#include "tools/each_record.h"

namespace mayfly::tools {

namespace {

constexpr events::PollLimits read_at_once{5'000, 8 * 1024 * 1024, events::Millis{0}};

}  // namespace

events::LogStatus each_record(events::LogClient& log, events::Stream stream, events::Partition partition,
                              const std::function<bool(const events::Record&)>& f) {
  const auto ends = log.ends(stream, partition);
  for (auto from = ends.first; from < ends.end;) {
    auto fetched = log.read(stream, partition, from, read_at_once);
    if (!fetched.status.ok() || fetched.batch.records.empty()) return fetched.status;
    from = fetched.next;
    for (const auto& record : fetched.batch.records) {
      if (record.at.offset >= ends.end || !f(record)) return {};
    }
  }
  return {};
}

}  // namespace mayfly::tools
