// A log's figures by the names under which /metrics and /tree have them.
#pragma once

#include "events/log/log_figures.h"

#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

struct NamedFigure {
  std::string name;                              // e.g. "lag_records"
  std::optional<events::Partition> partition{};  // none: of the log as a whole
  double value = 0;
  bool counts = false;  // only rises
};

/// All that is known, in the order that both pages keep: the broker's, each partition's, then the others.
[[nodiscard]] std::vector<NamedFigure> named(const events::LogFigures&);

}  // namespace mayfly::tools
