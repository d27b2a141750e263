// Finds figures of the log that are over their limit, and says so once until they are back. No clock, no I/O.
#pragma once

#include "events/log/log_figures.h"

#include <set>
#include <span>
#include <string_view>
#include <vector>

namespace mayfly::actors {

class LimitWatch {
 public:
  /// What is not said yet. A figure counts as back once it is a tenth below its limit.
  struct Finding {
    bool over = false;
    events::LogFigure figure;
  };
  [[nodiscard]] std::vector<Finding> look(std::span<const events::LogFigure> figures) const {
    std::vector<Finding> findings;
    for (const auto& figure : figures) {
      if (figure.limit <= 0) continue;
      const bool known = said_.contains(figure.name);
      if (!known && figure.value > figure.limit) findings.push_back({true, figure});
      if (known && is_back(figure)) findings.push_back({false, figure});
    }
    return findings;
  }
  /// A finding has been said: it is not found again.
  void said(const Finding& finding) {
    if (finding.over) {
      said_.insert(finding.figure.name);
    } else {
      said_.erase(finding.figure.name);
    }
  }
  /// Figures that were said to be over and are not back.
  [[nodiscard]] std::size_t over() const { return said_.size(); }

 private:
  static constexpr double back_share = 0.9;
  static bool is_back(const events::LogFigure& figure) {
    return static_cast<double>(figure.value) <= static_cast<double>(figure.limit) * back_share;
  }
  std::set<std::string_view> said_;  // names are literals
};

}  // namespace mayfly::actors
