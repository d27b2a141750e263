// Makes spans of what the engine commits and hands them to the exporter. On the engine's thread: it copies what a span
// needs, of commands that are sampled only and no more than there is room for.
#pragma once

#include "actors/engine/commit_observer.h"
#include "actors/partition/batch.h"
#include "tools/traces/sampling.h"
#include "tools/traces/trace_exporter.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace mayfly::tools {

class CommitTracer final : public actors::CommitObserver {
 public:
  /// The exporter outlives it. `seed`: of the ids.
  CommitTracer(Sampler sampler, std::uint64_t seed, TraceExporter& to) : sampling_(sampler, seed), to_(to) {}

  void settled(std::span<const actors::Batch* const>, const events::CommitResult&,
               std::chrono::steady_clock::duration took) noexcept override;

 private:
  struct Clocks;
  void trace(std::span<const actors::Batch* const>, const events::CommitResult&, const Clocks&);
  [[nodiscard]] CommandSpan command(const actors::Task&, const Sampling::Place&, const Clocks&, UnixNanos begun);

  Sampling sampling_;
  TraceExporter& to_;
};

}  // namespace mayfly::tools
