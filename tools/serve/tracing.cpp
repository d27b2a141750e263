#include "tools/serve/tracing.h"

#include "tools/console/version.h"
#include "tools/serve/log_lines.h"

#include <unistd.h>

#include <cstdlib>
#include <random>
#include <utility>

namespace mayfly::tools {

namespace {

void tell_of_collector(bool taken, const std::string& why) {
  if (taken) return log_line(actors::Notice::Level::info, "traces_taken", "the collector takes spans again");
  log_line(actors::Notice::Level::warning, "traces_not_taken",
           "the collector does not take spans: " + why +
               ". Commands are decided all the same; what cannot be kept is dropped (mayfly_trace_spans_total).");
}

TracedEngine traced(const std::string& log, const std::string& engine, const adapters::KafkaOptions& kafka,
                    std::vector<std::pair<std::string, std::string>> resource) {
  resource.emplace_back("service.version", version);
  resource.emplace_back("mayfly.engine", engine);
  resource.emplace_back("process.pid", std::to_string(::getpid()));
  const bool on_kafka = log.starts_with("kafka:");
  return {log.substr(0, log.find(':')), kafka.topic(events::Stream::commands),
          on_kafka ? adapters::kafka_group_of(engine) : "", std::move(resource)};
}

}  // namespace

Tracing::Tracing(const TraceSettings& settings, TracedEngine engine, adapters::TlsContext trust)
    : caller_(std::move(trust)),
      exporter_(
          settings, std::move(engine), {},
          [this](adapters::HttpCall call, std::function<void(adapters::HttpCalled)> done) {
            caller_.post(std::move(call), std::move(done));
          },
          tell_of_collector),
      tracer_(settings.sampler, std::random_device{}(), exporter_) {}

std::unique_ptr<Tracing> Tracing::from_environment(const std::string& log, const std::string& engine,
                                                   const adapters::KafkaOptions& kafka) {
  auto [settings, wrong] = traces_asked([](const char* variable) { return std::getenv(variable); });
  adapters::TlsContext trust;
  if (settings && settings->to.tls) {
    std::string untrusted;
    trust = adapters::tls_trust(settings->ca_file, untrusted);
    if (!trust) {
      wrong = "no traces are sent: OTEL_EXPORTER_OTLP_CERTIFICATE: " + untrusted;
      settings.reset();
    }
  }
  if (!wrong.empty()) log_line(actors::Notice::Level::warning, "traces", wrong);
  if (!settings) return nullptr;
  auto resource = std::move(settings->resource);
  std::unique_ptr<Tracing> tracing(
      new Tracing(*settings, traced(log, engine, kafka, std::move(resource)), std::move(trust)));
  const auto& to = settings->to;
  log_line(actors::Notice::Level::info, "traces",
           std::string("spans go to http") + (to.tls ? "s" : "") + "://" + to.place.text());
  return tracing;
}

}  // namespace mayfly::tools
