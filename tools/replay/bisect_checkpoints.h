// Where a search for the first command begins: the newest of several checkpoints in which the condition does not hold.
#pragma once

#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_state.h"

#include <functional>
#include <string>
#include <vector>

namespace mayfly::tools {

using StateHolds = std::function<bool(OrderedJson&&)>;

/// How much is open in a partition, as conditions see it.
[[nodiscard]] OrderedJson open_in(const ReplayedPartition&);

/// Halves the checkpoints, which may come in any order and of which one is kept at a time, with `holds` asked of the
/// open carts in them, or of `cart`, open or ended. `opened` then begins with the one found, which is returned in
/// `file`; where it holds in all of them, at the start, and `file` is empty. Returns exit_ok, or as open_recorded does.
[[nodiscard]] int begin_before(const std::vector<std::string>& files, const std::string& cart, const StateHolds& holds,
                               RecordedLog& opened, std::string& file);

}  // namespace mayfly::tools
