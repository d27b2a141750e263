// A reader of a log that may be told to wait or to stop before each read, so that reading never takes more of the
// machine, or longer, than it should. Appends nothing.
#pragma once

#include "events/log/log.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace mayfly::tools {

class PacedClient final : public events::LogClient {
 public:
  static constexpr std::size_t most_records = 1'000;  // at once
  static constexpr std::size_t most_bytes = 1024 * 1024;

  /// `before_read` may wait; what it returns, if not empty, is the sentence why nothing more is read. `of` outlives it.
  PacedClient(events::LogClient& of, std::function<std::string()> before_read)
      : of_(of), before_read_(std::move(before_read)) {}

  [[nodiscard]] std::int32_t partitions() const override { return of_.partitions(); }
  events::Appended append(std::span<const events::NewRecord>) override {
    return {{}, {events::LogError::invalid, "This reads only."}};
  }
  events::Fetched read(events::Stream stream, events::Partition partition, events::Offset from,
                       const events::PollLimits& limits) override {
    if (auto why = before_read_(); !why.empty()) {
      return {{}, from, {events::LogError::unavailable, std::move(why)}};
    }
    return of_.read(stream, partition, from,
                    {std::min(limits.records, most_records), std::min(limits.bytes, most_bytes), limits.wait});
  }
  events::StreamEnds ends(events::Stream stream, events::Partition partition) override {
    return of_.ends(stream, partition);
  }

 private:
  events::LogClient& of_;
  std::function<std::string()> before_read_;
};

}  // namespace mayfly::tools
