// What the topics take of one record, and how a restore reads.
#pragma once

#include "adapters/kafka_topics.h"
#include "adapters/record_limits.h"
#include "events/log.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mayfly::adapters::kafka {

inline constexpr events::PollLimits restored_at_once{5'000, 4 * 1024 * 1024, {}};

/// A sentence if the record is too large or names no partition of the log; empty if it can be taken.
[[nodiscard]] inline std::string refusal(const events::NewRecord& record, const Topics& topics) {
  constexpr std::size_t overhead_bytes = 100;  // of a batch that holds one record
  constexpr std::size_t header_overhead_bytes = 10;
  if (auto why = adapters::refusal(record, topics.partitions); !why.empty()) return why;
  std::size_t bytes =
      overhead_bytes + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const auto& h : record.headers) bytes += header_overhead_bytes + h.name.size() + h.value.size();
  const auto most = topics.largest_record_bytes[static_cast<std::size_t>(record.stream)];
  if (bytes <= most) return {};
  return "a record of " + std::to_string(bytes) + " bytes is over the topic's max.message.bytes of " +
         std::to_string(most);
}

/// State records as they come, of each key the newest.
class NewestByKey {
 public:
  void take(const events::Record& record) {
    const std::string key(record.key.value_or(events::Bytes{}));
    if (record.value) {
      values_[key] = *record.value;
    } else {
      values_.erase(key);
    }
  }
  void give(const std::function<void(events::Bytes, events::Bytes)>& state) const {
    for (const auto& [key, value] : values_) state(key, value);
  }

 private:
  std::unordered_map<std::string, std::string> values_;
};

}  // namespace mayfly::adapters::kafka
