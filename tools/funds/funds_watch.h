// The money at risk in a log that grows: reads on from where it was, a part at a time, and keeps open positions only.
#pragma once

#include "events/log/log.h"
#include "tools/funds/funds_book.h"

#include <cstddef>
#include <vector>

namespace mayfly::tools {

class FundsWatch {
 public:
  static constexpr std::size_t most_sessions = 20'000;  // some 10 MB; with more it stops: `mayfly funds` has no bound

  /// Reads until the end that the log has now. A status that is not ok is told once more by the next call, which goes
  /// on from where this one stopped.
  [[nodiscard]] events::LogStatus read_on(events::LogClient&);

  /// As `mayfly funds` has them, without amounts that no cart is known of.
  [[nodiscard]] std::vector<Risk> risks(events::Timestamp now) const;
  /// 0..100 of the events there were at the last read; 100: all of them.
  [[nodiscard]] int read_percent() const;
  /// The log has let go of older events, whose money is not known.
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] bool too_many() const { return book_.size() > most_sessions; }

 private:
  struct Reading {
    events::Offset first = -1;  // where reading began; -1: not yet
    events::Offset next = 0;
    events::Offset end = 0;
  };
  FundsBook book_;
  std::vector<Reading> readings_;
  bool cut_ = false;
};

}  // namespace mayfly::tools
