#include "tools/reenact/curve.h"

#include "tools/console/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mayfly::tools {

namespace {

constexpr double width = 360;
constexpr double height = 210;
constexpr double left = 38;
constexpr double right = 354;
constexpr double top = 18;
constexpr double bottom = 180;

/// 1, 2 or 5 times a power of ten, so that about `wanted` of them are in `span`.
double nice_step(double span, double wanted) {
  const auto rough = std::max(span / wanted, 1e-9);
  const auto power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

struct Scale {
  double from_minute;
  double to_minute;
  double most;
  [[nodiscard]] double x(double minute) const {
    return left + (minute - from_minute) / (to_minute - from_minute) * (right - left);
  }
  [[nodiscard]] double y(double value) const { return bottom - value / most * (bottom - top); }
};

Scale scale_of(const Chart& chart) {
  double most = chart.limit.value_or(0);
  for (const auto& curve : chart.curves) {
    for (const auto& [minute, value] : curve.points) most = std::max(most, value);
  }
  return {chart.from_minute, std::max(chart.to_minute, chart.from_minute + 1), std::max(most * 1.05, 1.0)};
}

void add_axes(std::string& out, const Scale& scale) {
  constexpr double wanted_rows = 4;
  constexpr double minutes_apart = 5;
  const auto step = std::max(nice_step(scale.most, wanted_rows), 1.0);
  for (double value = 0; value <= scale.most; value += step) {
    out +=
        fmt::format(R"(<line class="axis" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", left, right, scale.y(value));
    out +=
        fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="end">{:.0f}</text>)", left - 5, scale.y(value) + 4, value);
  }
  const auto apart =
      std::max(std::ceil((scale.to_minute - scale.from_minute) / 7 / minutes_apart), 1.0) * minutes_apart;
  for (double minute = 0; minute <= scale.to_minute; minute += apart) {
    out += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{:.0f}</text>)", scale.x(minute), bottom + 15,
                       minute);
  }
  out += fmt::format(R"(<text x="{}" y="{}" text-anchor="end">minute</text>)", right, bottom + 27);
}

void add_curve(std::string& out, const Scale& scale, const Curve& curve) {
  if (curve.points.empty()) return;
  std::string path;
  for (const auto& [minute, value] : curve.points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', scale.x(minute), scale.y(value));
  }
  out += fmt::format(R"(<path class="curve {}" d="{}"/>)", curve.css, path);
  if (!curve.ends) return;
  const auto x = scale.x(curve.points.back().first);
  const auto y = scale.y(curve.points.back().second);
  out += fmt::format(R"(<path class="end" d="M{:.1f} {:.1f}l8 8m0 -8l-8 8"/>)", x - 4, y - 4);
}

}  // namespace

std::string svg(const Chart& chart) {
  const auto scale = scale_of(chart);
  auto out =
      fmt::format("<figure><figcaption><b>{}</b>, {}</figcaption>", html_text(chart.title), html_text(chart.unit));
  out += fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}, {}, over the outage's minutes">)", width,
                     height, html_text(chart.title), html_text(chart.unit));
  add_axes(out, scale);
  for (const auto& [minute, name] : chart.moments) {
    out += fmt::format(R"(<line class="moment" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)", scale.x(minute), top,
                       bottom);
    out += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", scale.x(minute), top - 6,
                       html_text(name));
  }
  if (chart.limit) {
    out += fmt::format(R"(<line class="limit" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", left, right,
                       scale.y(*chart.limit));
    out += fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="middle">{}</text>)", (left + right) / 2,
                       scale.y(*chart.limit) + 12, html_text(chart.limit_name));
  }
  for (const auto& curve : chart.curves) add_curve(out, scale, curve);
  if (chart.alert) {
    out += fmt::format(R"(<path class="alert" d="M{:.1f} {}l5 9h-10z"/>)", scale.x(*chart.alert), bottom - 9);
  }
  return out + "</svg></figure>\n";
}

}  // namespace mayfly::tools
