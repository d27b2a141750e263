#include "tools/replay/replay_moment.h"

#include "tools/console/numbers.h"
#include "tools/console/time_words.h"

#include <limits>

namespace mayfly::tools {

bool Moment::includes(const events::Record& record) const {
  if (at && at->partition == record.at.partition) return record.at.offset <= at->offset;
  return record.append_time <= time;
}

events::LogStatus moment_from_words(const std::string& words, events::LogClient& log, events::Timestamp now,
                                    Moment& moment) {
  using Ms = std::numeric_limits<std::int64_t>;
  moment = {};
  if (words == "begin" || words == "end") {
    moment.time.ms = words == "begin" ? Ms::min() : Ms::max();
    return {};
  }
  const auto at = position_from_text(words);
  if (!at) {
    const auto time = time_from_words(words, now);
    if (!time) return {events::LogError::invalid, words + " is no moment. Give " + moment_words + "."};
    moment.time = *time;
    return {};
  }
  events::LogStatus missing{events::LogError::invalid, "There is no command at " + words + "."};
  if (at->partition >= log.partitions()) return missing;
  const auto fetched = log.read(events::Stream::commands, at->partition, at->offset, {1, 1, events::Millis{0}});
  if (!fetched.status.ok()) return fetched.status;
  if (fetched.batch.records.empty() || fetched.batch.records.front().at != *at) return missing;
  moment.at = at;
  moment.time = fetched.batch.records.front().append_time;
  return {};
}

}  // namespace mayfly::tools
