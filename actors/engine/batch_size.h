// How many records the next batch may take: fewer after one that failed, so that none is tried again unchanged for
// ever.
#pragma once

#include <algorithm>
#include <cstddef>

namespace mayfly::actors {

class BatchSize {
 public:
  /// `died_with`: records that were under decision or being committed when the process last died; 0: it did not.
  BatchSize(std::size_t most, std::size_t died_with) : most_(std::max<std::size_t>(most, 1)), now_(most_) {
    if (died_with > 0) failed(died_with);
  }
  [[nodiscard]] std::size_t now() const { return now_; }
  /// A batch of so many was not committed: half of it next, down to one.
  void failed(std::size_t records) { now_ = std::max<std::size_t>(std::min(now_, records) / 2, 1); }
  /// One was: twice as many again.
  void committed() { now_ = std::min(most_, now_ * 2); }

 private:
  std::size_t most_;
  std::size_t now_;
};

}  // namespace mayfly::actors
