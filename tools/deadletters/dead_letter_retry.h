// Sends dead letters again, each once, whatever ends the program in between; and marks them as dropped.
//
// Of each batch: (1) marks say that a retry has begun and from where on among the commands it would lie, (2) the marks
// are read back: what another run marked before is left to it, (3) of retries that were begun before, what was sent is
// looked for, (4) the others are sent, (5) marks say where they lie. Each step is durable before the next. A drop has
// the first two.
#pragma once

#include "events/log/log.h"
#include "tools/deadletters/dead_letter_reading.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// A retry that was begun so short ago may still be running: it is left alone.
inline constexpr events::Millis retry_over_after{60'000};

/// What was sent again so often and came back each time is not sent once more, unless it is forced.
inline constexpr std::int64_t most_redriven = 3;

struct HandlingCounts {
  std::int64_t sent = 0;
  std::int64_t found = 0;  // an interrupted run had sent it: only the mark was missing
  std::int64_t dropped = 0;
  std::map<std::string, std::int64_t, std::less<>> left_out;  // by why
  [[nodiscard]] std::int64_t all_left_out() const;
};

/// Where it is sent: to its cart's partition, or where it was if it names no cart.
[[nodiscard]] events::Partition retry_partition(const Found&, std::int32_t partitions);
/// Why it is left out; empty: it is sent. Beside what no run sends: what came back too often.
[[nodiscard]] std::string_view why_left_out(const DeadLetter&, bool forced);

class DeadLetterHandling {
 public:
  /// All outlive it. `secret` proves its ticks; null: nothing does. `handler` stands in every mark.
  DeadLetterHandling(events::LogClient& log, const events::Clock& clock, const events::TickSecret* secret = nullptr,
                     Handler handler = {}, bool forced = false);

  /// Batches of `reading`, in order.
  events::LogStatus retry(DeadLetterReading& reading, const std::vector<Found>&);
  events::LogStatus drop(DeadLetterReading& reading, const std::vector<Found>&);
  [[nodiscard]] const HandlingCounts& counts() const { return counts_; }

 private:
  /// A dead letter that is to be sent.
  struct Sending {
    const Found* found;
    events::Position from;                      // it lies there or later, if it was sent
    events::Position to{0, events::no_offset};  // where it lies
  };
  events::LogStatus choose(const std::vector<Found>&, std::vector<Sending>&);
  events::LogStatus mark_first(MarkKind, DeadLetterReading&, std::vector<Sending>&);
  events::LogStatus look_for_sent(std::vector<Sending>&);
  events::LogStatus send(std::vector<Sending>&);
  events::LogStatus mark(MarkKind, const std::vector<Sending>&, events::Offset* last = nullptr);
  void leave_out(std::string_view why) { ++counts_.left_out[std::string(why)]; }

  events::LogClient& log_;
  const events::Clock& clock_;
  const events::TickSecret* secret_;
  Handler handler_;
  bool forced_;
  std::string run_;
  HandlingCounts counts_;
};

}  // namespace mayfly::tools
