// Where a group of readers is, as the log has it: when that is to be written, and when it need not be.
#pragma once

#include "events/log/log.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

class KeptPositions {
 public:
  KeptPositions(events::LogClient& log, std::string group, events::Stream stream)
      : log_(log), group_(std::move(group)), stream_(stream) {}

  /// `known` are the group's positions as the log has them; nobody knows how long.
  void begin(const std::vector<events::Position>& known);
  /// Whether one of them is not what the log has, or an hour has passed: brokers forget what is not written for
  /// offsets.retention.minutes. Ask again and again, also while nothing comes.
  [[nodiscard]] bool are_due(std::span<const events::Position>, events::Timestamp now) const;
  /// Writes them if they are due. Call when all before them is done with.
  events::LogStatus keep(std::span<const events::Position>, events::Timestamp now);

 private:
  struct Kept {
    events::Position at;
    events::Timestamp written;
  };
  [[nodiscard]] bool is_to_be_written(const events::Position&, events::Timestamp now) const;

  events::LogClient& log_;
  std::string group_;
  events::Stream stream_;
  std::vector<Kept> kept_;
};

}  // namespace mayfly::tools
