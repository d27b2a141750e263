// The runs of a re-enactment as child processes, side by side, each under the limit.
#pragma once

#include "tools/console/temporary_folder.h"
#include "tools/reenact/recording.h"

#include <functional>

namespace mayfly::tools {

/// Plays all three, each in a folder of its own under `folder`, where its log and what it wrote to standard error lie.
/// `seen` is called about once a second and says whether to go on. They end with this process, however it ends. False:
/// stopped before the end, by a signal or because `seen` said so. No thread may run before.
bool play_all(const Plan&, const TemporaryFolder& folder, Recordings&, const std::function<bool()>& seen);

}  // namespace mayfly::tools
