// What a front door shows of itself at /metrics (docs/metrics.md). Counts; knows no cart and no caller.
#pragma once

#include "adapters/http/http.h"
#include "events/log/types.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace mayfly::tools {

/// Figures that others count.
struct FrontFigures {
  std::size_t streams = 0;      // open
  std::int64_t look_backs = 0;  // for what an earlier command came to
  std::size_t keys = 0;         // idempotency keys whose commands' places are kept
  events::Timestamp begun{};    // when the process began
};

/// Any thread.
class FrontMetrics {
 public:
  /// The same reply, counted when it is given. `route` is a literal: "GET /carts/{cart}".
  [[nodiscard]] adapters::HttpReply counted(std::string_view route, adapters::HttpReply);
  void answered(std::string_view route, const adapters::HttpAnswer&, std::chrono::duration<double> after);
  /// In Prometheus's text format.
  [[nodiscard]] std::string text(const FrontFigures&) const;

  static constexpr std::array<double, 12> bounds_s = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30};

 private:
  struct Route {
    std::map<int, std::int64_t> by_status;
    std::array<std::int64_t, bounds_s.size() + 1> by_duration{};
    double sum_s = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Route, std::less<>> routes_;
  std::map<std::string, std::int64_t, std::less<>> refused_;
  std::shared_ptr<const int> waiting_ = std::make_shared<const int>();  // each reply that was not given has a copy
};

}  // namespace mayfly::tools
