// Traces of an engine that serves, where the environment asks for them (docs/tracing.md); without, nothing is made.
#pragma once

#include "adapters/kafka/kafka_options.h"
#include "tools/traces/commit_tracer.h"
#include "tools/traces/trace_exporter.h"

#include <memory>
#include <string>

namespace mayfly::tools {

class Tracing {
 public:
  /// Null where the environment asks for none, or for what cannot be; then a warning in the log says why.
  static std::unique_ptr<Tracing> from_environment(const std::string& log, const std::string& engine,
                                                   const adapters::KafkaOptions&);

  [[nodiscard]] actors::CommitObserver& observer() { return tracer_; }
  [[nodiscard]] TraceCounts counts() const { return exporter_.counts(); }

 private:
  Tracing(const TraceSettings&, TracedEngine, adapters::TlsContext trust);

  adapters::HttpCaller caller_;
  TraceExporter exporter_;
  CommitTracer tracer_;
};

}  // namespace mayfly::tools
