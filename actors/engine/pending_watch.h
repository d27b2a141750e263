// Finds transactions that hold up a partition of the commands for too long. No clock, no I/O.
#pragma once

#include "events/log/log_figures.h"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace mayfly::actors {

class PendingWatch {
 public:
  explicit PendingWatch(events::Millis limit) : limit_(limit) {}

  /// Something to say: a partition is held up, or no longer.
  struct Finding {
    bool hanging = false;
    events::Position at;       // the first record that cannot be read
    std::int64_t records = 0;  // that wait behind it
    events::Millis lasted{};
  };
  /// What is not said yet, by what the log says now of the partitions that are ours. Any other one is forgotten.
  [[nodiscard]] std::vector<Finding> look(std::span<const events::PartitionFigures>, events::Timestamp now);
  /// A finding has been said: it is not found again.
  void said(const Finding&);
  /// Partitions that were said to be held up and are.
  [[nodiscard]] std::size_t hanging() const;

 private:
  struct Held {
    events::Offset at = 0;
    events::Timestamp since{};
    bool said = false;
  };
  events::Millis limit_;
  std::map<events::Partition, Held> held_;
};

}  // namespace mayfly::actors
