// What dead letters would come to if they were sent again now: their partitions' commands are decided again, and then
// they are, in their order, in memory only.
#pragma once

#include "tools/deadletters/dead_letter_reading.h"
#include "tools/replay/replay_recorded.h"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace mayfly::tools {

struct DryOutcome {
  bool left_out = false;            // a retry would not send it: `outcome` says why
  std::string outcome;              // accepted, rejected CODE, dead letter REASON, repeated or no event
  std::string rule;                 // that decides it: number and name in docs/decisions.md; empty: none
  std::vector<std::string> events;  // types
};

class DryRun {
 public:
  /// All outlive it. `now`: when they would be sent. `read` is told of each command that is decided again.
  DryRun(events::LogClient& log, const Recorded& recorded, events::Timestamp now, bool forced,
         std::function<void()> read);
  /// `f` gets each that is selected, by the partition that it would be sent to.
  [[nodiscard]] events::LogStatus run(std::deque<DeadLetterReading>&, const Selection&,
                                      const std::function<void(const Found&, const DryOutcome&)>& f);

 private:
  [[nodiscard]] events::LogStatus run(events::Partition to, const std::vector<DeadLetterReading*>&, const Selection&,
                                      const std::function<void(const Found&, const DryOutcome&)>& f);

  events::LogClient& log_;
  const Recorded& recorded_;
  events::Timestamp now_;
  bool forced_;
  std::function<void()> read_;
};

}  // namespace mayfly::tools
