// A checkpoint: all that the partitions of a log kept at one moment, in a file of its own, so that a replay can begin
// there (docs/replay.md, Checkpoints). Blocks of lines as in a bundle.
#pragma once

#include "events/log/log.h"
#include "tools/replay/replay_moment.h"
#include "tools/replay/replay_partition.h"
#include "tools/replay/replay_recorded.h"

#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace mayfly::tools {

struct Checkpoint {
  struct Part {
    events::Offset next = 0;                     // the first command that is not in it
    events::Timestamp time{};                    // of the last command that is
    std::map<std::string, std::string> records;  // of the state stream by key; none: nothing was decided
  };
  std::vector<Part> parts;  // per partition
  std::string engine = "mayfly";
};

/// False if not all could be written. The same checkpoint is the same bytes.
[[nodiscard]] bool write_checkpoint(const Checkpoint&, std::ostream&);
/// A sentence if it is not whole, damaged, or of another version.
[[nodiscard]] std::string read_checkpoint(std::istream&, Checkpoint&);

/// `invalid` if the checkpoint is no past of this log: other partitions or engine, or further than the log.
[[nodiscard]] events::LogStatus check_checkpoint(events::LogClient&, const Checkpoint&);

/// `invalid` if a moment is before the one that the replay begins at.
[[nodiscard]] events::LogStatus begins_before(const Recorded&, const Moment&);

/// Brings a partition that has taken nothing to where the replay begins; `first`: the command to take first.
[[nodiscard]] events::LogStatus begin_replay(const Recorded&, events::Partition, ReplayedPartition&,
                                             events::Offset& first);

/// As carts_of_id, and carts that are open in the checkpoint though no command of theirs is there any more.
[[nodiscard]] events::LogStatus carts_of_id_from(
    events::LogClient&, const Recorded&, const std::string& id, std::vector<std::string>& carts,
    const std::function<void()>& read = [] {});

/// What the partition keeps now. `from`: what it began with, if not with nothing.
[[nodiscard]] Checkpoint::Part part_of(ReplayedPartition&, const Checkpoint::Part* from, events::Timestamp time);

}  // namespace mayfly::tools
