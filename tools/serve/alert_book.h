// The newest alerts of a log as an operator reads them: which are open, which have ended, which are said once. Bounded.
// Knows no log: it is given records.
#pragma once

#include "events/log/record.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

struct Alert {
  std::string name;  // "leak_ended", ...: docs/asyncapi.yaml has all
  std::string what;  // that it is about, where a name can be said of several things: a purpose, a figure, a cart
  std::string cart;  // empty: of none
  std::string message;
  events::Partition partition = 0;
  events::Timestamp at{};
};
/// None where the record is no alert.
[[nodiscard]] std::optional<Alert> read_alert(const events::Record&);

enum class AlertState : std::uint8_t {
  open,
  ended,
  once,        // it tells of something that happened: nothing ends it
  superseded,  // no end was said, and the engine started again since: if it lasts it is said anew
};
[[nodiscard]] std::string_view name(AlertState);

struct AlertRow {
  Alert alert;
  AlertState state = AlertState::once;
  events::Timestamp ended{};  // with `ended`
};

class AlertBook {
 public:
  static constexpr std::size_t most_rows = 100;  // the oldest that is not open goes first

  /// `begun`: of the engine that shows them.
  explicit AlertBook(events::Timestamp begun) : begun_(begun) {}
  /// In the order of time.
  void add(Alert);
  /// Open ones first, each newest first.
  [[nodiscard]] std::vector<AlertRow> rows() const;

 private:
  void make_room();
  events::Timestamp begun_;
  std::deque<AlertRow> rows_;  // oldest first
};

/// The runbook of an alert in docs/runbooks/, without ".md"; empty for one that has none.
[[nodiscard]] std::string_view runbook_of(std::string_view alert);

}  // namespace mayfly::tools
