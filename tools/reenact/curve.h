// A chart of curves on the outage's time, as inline SVG.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

struct Curve {
  const char* css;                                // class of its run
  std::vector<std::pair<double, double>> points;  // minute, value; by time
  bool ends = false;                              // in a crash
};

struct Chart {
  std::string title;
  std::string unit;
  double from_minute = 0;
  double to_minute = 0;
  std::vector<Curve> curves;
  std::vector<std::pair<double, std::string>> moments;  // minute and name of vertical lines
  std::optional<double> alert;                          // minute of the first
  std::optional<double> limit;                          // a horizontal line
  std::string limit_name{};
};

/// A figure with its caption.
[[nodiscard]] std::string svg(const Chart&);

}  // namespace mayfly::tools
