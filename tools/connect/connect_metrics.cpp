#include "tools/connect/connect_metrics.h"

#include "tools/console/prometheus_text.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr double ms_per_s = 1'000.0;

double seconds(events::Millis time) { return static_cast<double>(time.count) / ms_per_s; }

}  // namespace

std::string connect_metrics(const DeliveryFigures& deliveries, events::Timestamp begun, events::Timestamp now) {
  PrometheusText text;
  text.family("mayfly_connect_deliveries_total", "counter",
              "Events taken (delivered) or given up (parked), and attempts that failed.");
  for (const auto& [name, figures] : deliveries) {
    const auto sample = [&, of = fmt::format("delivery=\"{}\"", name)](const char* outcome, std::int64_t count) {
      text.sample("mayfly_connect_deliveries_total", fmt::format("{},outcome=\"{}\"", of, outcome), count);
    };
    sample("delivered", figures.counts.delivered);
    sample("failed", figures.counts.failed);
    sample("parked", figures.counts.parked);
  }
  const auto each = [&](const char* metric, const char* help, auto value) {
    text.family(metric, "gauge", help);
    for (const auto& [name, figures] : deliveries)
      text.sample(metric, fmt::format("delivery=\"{}\"", name), value(figures));
  };
  each("mayfly_connect_waiting_events", "Events that were read and are neither taken nor parked.",
       [](const Delivery::Figures& f) { return f.waiting; });
  each("mayfly_connect_lag_records", "Records of the log behind the position, events of other types among them.",
       [](const Delivery::Figures& f) { return f.lag_records; });
  each("mayfly_connect_oldest_seconds", "How long ago the oldest waiting event was appended; 0: none waits.",
       [now](const Delivery::Figures& f) { return f.oldest ? std::max(seconds(now - *f.oldest), 0.0) : 0.0; });
  text.process_start(begun);
  return std::move(text.out);
}

}  // namespace mayfly::tools
