#include "tools/records/each_record.h"

#include "events/rules/identity.h"
#include "tools/console/output.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace mayfly::tools {

namespace {

constexpr events::Millis pending_wait{10'000};

}  // namespace

events::LogStatus each_record(events::LogClient& log, events::Stream stream, events::Partition partition,
                              const std::function<bool(const events::Record&)>& f) {
  return each_record_from(log, stream, partition, 0, f);
}

events::LogStatus each_record_from(events::LogClient& log, events::Stream stream, events::Partition partition,
                                   events::Offset begin, const std::function<bool(const events::Record&)>& f) {
  const auto ends = log.ends(stream, partition);
  if (!ends.status.ok()) return ends.status;
  const bool to_the_end = stream == events::Stream::state;
  for (auto from = std::max(begin, ends.first); from < ends.end || to_the_end;) {
    auto fetched = log.read(stream, partition, from, read_at_once);
    if (!fetched.status.ok() || fetched.batch.records.empty()) return fetched.status;
    from = fetched.next;
    for (const auto& record : fetched.batch.records) {
      if ((record.at.offset >= ends.end && !to_the_end) || !f(record)) return {};
    }
  }
  return {};
}

events::LogStatus each_record_of(events::LogClient& log, events::Stream stream, const std::string& cart,
                                 const std::function<void(const events::Record&)>& f) {
  return each_record(log, stream, events::partition_of(cart, log.partitions()), [&](const events::Record& record) {
    if (record.key == cart) f(record);
    return true;
  });
}

void say_where_history_begins(events::LogClient& log, events::Partition partition) {
  const auto first = log.ends(events::Stream::events, partition).first;
  if (first == 0) return;
  complain("partition %d: events before offset %lld are no longer in the log; what they said is not shown\n", partition,
           static_cast<long long>(first));
}

events::LogStatus each_record_through(events::LogClient& log, events::Stream stream, events::Partition partition,
                                      events::Offset from, events::Offset through,
                                      const std::function<void(const events::Record&)>& f) {
  auto limits = read_at_once;
  limits.wait = pending_wait;
  while (from <= through) {
    const auto fetched = log.read(stream, partition, from, limits);
    if (!fetched.status.ok()) return fetched.status;
    if (fetched.batch.records.empty()) {
      return {events::LogError::unavailable, "Partition " + std::to_string(partition) + " of " +
                                                 std::string(events::name(stream)) + " cannot be read up to offset " +
                                                 std::to_string(through) +
                                                 ": a transaction before it is pending. Try again later."};
    }
    from = fetched.next;
    for (const auto& record : fetched.batch.records) {
      if (record.at.offset <= through) f(record);
    }
  }
  return {};
}

}  // namespace mayfly::tools
