// What the page is drawn from: the engine now as one JSON object, and one sample of it for the history.
#pragma once

#include "tools/serve/history.h"
#include "tools/serve/observed.h"

#include <string>

namespace mayfly::tools {

/// The duration below which that share of what was counted since `before` lies, as Prometheus's histogram_quantile
/// has it: evenly spread within a bucket, the last bound for what is beyond it. Negative: nothing was counted.
[[nodiscard]] double quantile_s(const actors::Durations& now, const actors::Durations& before, double share);

/// `before`: the commands' ages at the sample before.
[[nodiscard]] HistorySample sample_of(const Observed&, const actors::Durations& before);

/// tree and memory as /tree and /memory have them, command_age as a histogram, and `log`, a JSON object of what only
/// the log knows (docs/operations.md, Watching).
[[nodiscard]] std::string now_json(const Observed&, const std::string& log);

}  // namespace mayfly::tools
