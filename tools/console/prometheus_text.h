// Metrics in Prometheus's text format.
#pragma once

#include "events/log/types.h"

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

namespace mayfly::tools {

class PrometheusText {
 public:
  /// What the samples behind it are. `type`: "counter", "gauge" or "histogram".
  void family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  /// `labels` as a="b",c="d", their values escaped; empty: none.
  template <class Number>
  void sample(std::string_view name, std::string_view labels, Number value) {
    if (labels.empty()) {
      fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
    } else {
      fmt::format_to(std::back_inserter(out), "{}{{{}}} {}\n", name, labels, value);
    }
  }
  /// A family of one sample without labels.
  template <class Number>
  void one(std::string_view name, std::string_view type, std::string_view help, Number value) {
    family(name, type, help);
    sample(name, {}, value);
  }

  /// By what Prometheus's own programs call it.
  void process_start(events::Timestamp begun) {
    constexpr double ms_per_s = 1'000.0;
    one("process_start_time_seconds", "gauge", "Begin of the process, seconds since 1970.",
        static_cast<double>(begun.ms) / ms_per_s);
  }

  std::string out;
};

}  // namespace mayfly::tools
