// A running engine as operators see it, at one moment; and its two forms: Prometheus text and JSON. No cart id in
// either.
#pragma once

#include "actors/engine/engine.h"
#include "tools/traces/trace_exporter.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

/// What does not change while it runs.
struct Running {
  std::string engine;  // its name
  std::string log;     // as given, e.g. "sqlite:shop.db"
  events::Timestamp begun{};
};

struct Observed {
  Running running;
  bool ready = false;
  bool alive = true;
  events::Timestamp now{};
  std::int64_t resident_bytes = 0;
  double cpu_s = 0;
  actors::Census census;
  std::vector<actors::PartitionView> partitions;
  events::LogFigures figures;
  actors::MemoryReport memory;
  std::optional<TraceCounts> traces{};  // none: none are made
  bool log_silent = false;              // a write to the log does not return
};

[[nodiscard]] Observed observe(const actors::Engine&, const Running&, const events::Clock&, bool alive);

/// Prometheus's text format, version 0.0.4 (docs/metrics.md has every name).
[[nodiscard]] std::string metrics_text(const Observed&);

/// The tree as one JSON object: process, engine, partitions, counts, newest restarts.
[[nodiscard]] std::string tree_json(const Observed&);

[[nodiscard]] const char* name(actors::PartitionPhase);

}  // namespace mayfly::tools
