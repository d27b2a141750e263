// What a re-enactment came to: figures of each run, and whether what was promised held. A function of what was
// recorded.
#pragma once

#include "tools/reenact/recording.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

/// Of one run. What nobody answered because the process was gone is counted by what the same buyers did in the run
/// without the bug.
struct Outcome {
  Role role = Role::mended;
  std::int64_t offered = 0;
  std::int64_t admitted = 0;
  std::int64_t refused = 0;
  std::int64_t unanswered = 0;  // carts that were neither
  std::int64_t checkouts = 0;
  std::int64_t orders = 0;
  std::int64_t slow = 0;
  std::int64_t failed = 0;
  std::int64_t checkouts_in_outage = 0;  // while the bug was in service
  std::int64_t failed_in_outage = 0;     // of these
  std::int64_t slow_in_outage = 0;       // of these
  std::int64_t peak_bytes = 0;
  std::int64_t p50_ms = 0;  // of the engine's answers while the bug was in service
  std::int64_t p99_ms = 0;
  std::optional<events::Millis> first_sign;  // the first refusal, failure or slow answer, or the process's end
  std::optional<events::Millis> recovered;   // after the mended release: memory is what it is without the bug
  std::vector<std::string> leaks;            // what leaked, by the alerts since the bug is in service; each once
  std::optional<SeenAlert> first_alert;      // since the bug is in service
  std::optional<events::Millis> died;
  std::string ending;
  std::string last_words;
};

struct Goal {
  std::string promised;
  std::string measured;
  bool reached = false;
};

struct Verdict {
  std::array<Outcome, roles.size()> runs;
  std::vector<Goal> goals;
  std::optional<events::Millis> stopped;  // before the end, then: nothing is judged, and there are no goals
  [[nodiscard]] bool all_reached() const;
};

/// `whole`: the runs came to their end, or to one of their own. Each said something.
[[nodiscard]] Verdict judge(const Plan&, const Recordings&, bool whole = true);
/// The smallest value that so many percent of them do not exceed; 0 of none.
[[nodiscard]] std::int64_t percentile(std::vector<std::int64_t> values, int percent);
/// One JSON object.
[[nodiscard]] std::string to_json(const Plan&, const Verdict&);

}  // namespace mayfly::tools
