// What this build decides, beside what another did: the one that wrote the log, or a program that decides it again.
// Goes on after a difference and keeps the first of each cart.
#pragma once

#include "events/log/log.h"
#include "tools/replay/replay_recorded.h"
#include "tools/replay/replay_state.h"
#include "tools/replay/replay_sums.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace mayfly::tools {

/// An event that the other side said, and the command that caused it.
struct OtherEvent {
  events::Position cause;
  std::string cart;  // empty: of no cart
  std::string type;
  std::string data;
};

/// The other side's events of one partition, in the order of what caused them.
class OtherSide {
 public:
  virtual ~OtherSide() = default;
  OtherSide() = default;
  OtherSide(const OtherSide&) = delete;
  OtherSide& operator=(const OtherSide&) = delete;
  /// The next event of the partition; null: there is none, or it cannot be read (`wrong`). Valid until the next call.
  virtual const OtherEvent* next(events::Partition) = 0;
  [[nodiscard]] virtual std::string wrong() const = 0;
};

/// What the log holds. Reads by a client of its own.
class RecordedSide final : public OtherSide {
 public:
  explicit RecordedSide(events::LogClient& log) : log_(log), cursors_(static_cast<std::size_t>(log.partitions())) {}
  const OtherEvent* next(events::Partition) override;
  [[nodiscard]] std::string wrong() const override { return wrong_; }

 private:
  struct Cursor {
    events::Offset next = 0;
    events::RecordBatch batch;
    std::size_t at = 0;
  };
  events::LogClient& log_;
  std::vector<Cursor> cursors_;
  OtherEvent event_;
  std::string wrong_;
};

/// What `replay decisions` of a program prints, line by line from `read_line`, which gives false at the end.
class ProgramSide final : public OtherSide {
 public:
  explicit ProgramSide(std::function<bool(std::string&)> read_line) : read_line_(std::move(read_line)) {}
  const OtherEvent* next(events::Partition) override;
  [[nodiscard]] std::string wrong() const override { return wrong_; }

 private:
  std::function<bool(std::string&)> read_line_;
  OtherEvent event_;
  bool kept_ = false;  // it belongs to a later partition
  std::string wrong_;
};

/// The line that `replay decisions` prints of an event.
[[nodiscard]] std::string decision_line(const OtherEvent&);

struct FirstDifference {
  events::Position at;
  std::string command;
  OrderedJson before;              // the cart's state; null: none
  std::vector<std::string> other;  // "order.placed {...}", in order
  std::vector<std::string> again;
};

struct Comparison {
  std::map<std::string, FirstDifference> carts;
  ReplaySums other;  // what either side came to
  ReplaySums again;
  std::int64_t commands = 0;
  std::int64_t events = 0;
};

/// Decides every partition again beside `other`. `corrupt` with the other side's own words if it cannot be read.
[[nodiscard]] events::LogStatus compare_with(events::LogClient&, const Recorded&, OtherSide& other, Comparison&);
/// Calls `said` for each event that this build says.
[[nodiscard]] events::LogStatus each_decision(events::LogClient&, const Recorded&,
                                              const std::function<void(const OtherEvent&)>& said);

}  // namespace mayfly::tools
