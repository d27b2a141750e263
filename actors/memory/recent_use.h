// How much of something that batches use again is worth keeping for the next ones.
#pragma once

#include <algorithm>
#include <cstddef>

namespace mayfly::actors {

/// Of recent batches the most that one used; older ones count ever less.
class RecentUse {
 public:
  /// A batch used so much. Returns what to keep: twice what recent ones used.
  std::size_t note(std::size_t used) {
    constexpr std::size_t aging_part = 8;  // what it was counts an eighth less with each batch
    most_ = std::max(used, most_ - (most_ + aging_part - 1) / aging_part);
    return 2 * most_;
  }

 private:
  std::size_t most_ = 0;
};

}  // namespace mayfly::actors
