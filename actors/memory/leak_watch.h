// Finds leaks in a series of memory reports and gives each a name (docs/memory.md, Leaks). A function of the reports
// alone: time is theirs; it reads nothing and knows no actor.
//
// Two rules. What must be nothing is exact: any byte of it is a leak. What goes up and down with the load is a leak
// when it keeps rising (Trend) while the load does not reach what it never was before.
#pragma once

#include "actors/memory/leak.h"
#include "actors/memory/memory_report.h"
#include "actors/memory/trend.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace mayfly::actors {

/// Whether an engine does more than ever before: then memory grows for a good reason.
class LoadHighs {
 public:
  /// A tenth beyond the highest so far: less than that moves no buffer that matters.
  static constexpr double beyond = 1.1;
  /// Commands a second on the mean of so long, as batches come in bursts.
  static constexpr double smoothing_s = 1;
  /// Carts, and commands a second, that are too few to matter.
  static constexpr double least = 100;

  bool is_new(const MemoryReport&);

 private:
  std::optional<events::Timestamp> at_;
  std::int64_t commands_ = 0;
  double per_s_ = 0;
  double most_per_s_ = 0;
  double most_open_ = 0;
  double most_awake_ = 0;
};

class LeakWatch {
 public:
  /// An exact leak must show in so many looks in a row, so that its rate is known when it is told.
  static constexpr int looks_for_exact = 3;
  /// Actors that are not gone yet must show in more: one worker that does not run for a moment is no leak. Unless they
  /// take `many_actors_per_mille` of the limit and become more: whole actors leak fast.
  static constexpr int looks_for_actors = 10;
  static constexpr std::int64_t many_actors_per_mille = 5;
  /// Unaccounted memory must rise by so much of the limit: an eighth of the 2% that a leak may have when it is named,
  /// and more than the libraries' own buffers change by at a steady load.
  static constexpr std::int64_t unaccounted_per_mille = 5;
  /// The same for messages, which nothing but the load changes.
  static constexpr std::int64_t counted_per_mille = 1;
  /// After a partition was taken or lost, libraries and batches find their size: trends pause, and go on from there.
  static constexpr events::Millis warm_up{30'000};
  /// The same after the load was higher than ever before, but trends begin anew: what rose, rose with the load.
  static constexpr events::Millis settle{10'000};
  /// A leak has ended when it has not grown for so long, or for twice the time in which it was found.
  static constexpr events::Millis quiet{300'000};
  /// Where the system does not say how much there is.
  static constexpr std::int64_t limit_if_unknown = 512LL * 1024 * 1024;

  LeakWatch();

  /// What began or ended with this report.
  std::vector<Leak> look(const MemoryReport&);
  /// Those that have begun and not ended, as of the last look.
  [[nodiscard]] std::vector<Leak> open() const;

 private:
  struct Look {
    events::Timestamp at{};
    std::int64_t bytes = 0;
  };
  /// One thing that may leak.
  struct Signal {
    LeakKind kind;
    std::string_view purpose;
    std::string_view owner;
    std::int64_t (*bytes)(const MemoryReport&, std::size_t row);
    std::size_t row = 0;               // of the ledger, where it is one
    std::int64_t least_per_mille = 0;  // of the limit; 0: exact
    bool of_actors = false;
    Trend trend{};             // where it is not exact
    bool paused = false;       // the trend, while memory may change for a good reason
    std::int64_t excused = 0;  // what changed while it was paused
    std::int64_t last_bytes = 0;
    Look base{};                // the last look without it
    int showing = 0;            // looks in a row
    std::int64_t forgiven = 0;  // of leaks that have ended
    Look highest{};             // while it is open
    events::Millis quiet_for{};
    std::optional<Leak> open{};
  };
  void follow_clock(events::Timestamp now);
  [[nodiscard]] bool settled(const MemoryReport&);
  static bool begins(Signal&, const MemoryReport&, const Look&, bool settled);
  static int looks_needed(const Signal&, const MemoryReport&, const Look&);
  static bool goes_on(Signal&, const Look&);
  static void measure(Signal&, const MemoryReport&, const Look&);

  std::vector<Signal> signals_;
  LoadHighs load_;
  std::int64_t supervisors_ = 0;
  events::Timestamp settled_at_{};
  events::Timestamp at_{};  // of the last look
  bool begun_ = false;
};

}  // namespace mayfly::actors
