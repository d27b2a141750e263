// What the topics take of one record, and how a restore reads.
#pragma once

#include "adapters/kafka/kafka_topics.h"
#include "adapters/record_limits.h"
#include "events/log/log.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mayfly::adapters::kafka {

inline constexpr events::PollLimits restored_at_once{5'000, 4 * 1024 * 1024, {}};
/// For a transaction that a partition's last restore has waited for in vain: the others are not served meanwhile.
inline constexpr events::Millis held_up_wait{2'000};

/// A sentence if the record is too large or names no partition of the log; empty if it can be taken.
[[nodiscard]] inline std::string refusal(const events::NewRecord& record, const Topics& topics) {
  if (auto why = adapters::refusal(record, topics.partitions); !why.empty()) return why;
  const auto bytes = bytes_to_write(record);
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
