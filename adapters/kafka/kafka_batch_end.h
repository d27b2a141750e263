// Where a batch ends that a client cannot unpack: it does not say so, but whoever begins to read within it meets it
// again.
#pragma once

#include "events/log/types.h"

#include <optional>

namespace mayfly::adapters::kafka {

/// Doubles the distance until a reading begins behind the batch, then halves what is left between.
class BatchEnd {
 public:
  explicit BatchEnd(events::Offset first) : first_(first), inside_(first), at_(first + 1) {}

  [[nodiscard]] events::Offset first() const { return first_; }
  /// Where a reading is to begin next.
  [[nodiscard]] events::Offset at() const { return at_; }
  /// The reading met the batch again.
  void met_it() {
    inside_ = at_;
    choose();
  }
  /// It met something else, or nothing.
  void met_it_not() {
    behind_ = at_;
    choose();
  }
  /// The offset after its last record, once that is known.
  [[nodiscard]] std::optional<events::Offset> end() const {
    return behind_ && *behind_ == inside_ + 1 ? behind_ : std::nullopt;
  }

 private:
  void choose() {
    if (end()) return;
    at_ = behind_ ? inside_ + (*behind_ - inside_) / 2 : first_ + 2 * (inside_ - first_ + 1) - 1;
  }

  events::Offset first_;
  events::Offset inside_;
  std::optional<events::Offset> behind_;
  events::Offset at_;
};

}  // namespace mayfly::adapters::kafka
