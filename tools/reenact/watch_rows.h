// What a re-enactment shows while it is played: a row each few minutes of the outage, and what happens between them.
#pragma once

#include "tools/reenact/recording.h"

#include <string>

namespace mayfly::tools {

class WatchRows {
 public:
  explicit WatchRows(const Plan& plan) : plan_(plan) {}
  [[nodiscard]] static std::string head();
  /// What is new since the last call, lines for a terminal; empty if nothing is.
  std::string step(const Recordings&);

 private:
  [[nodiscard]] std::string row(const Recordings&) const;
  std::string news(const Recordings&);

  const Plan& plan_;
  std::int64_t rows_ = 0;
  std::array<bool, roles.size()> alerted_{};
  std::array<bool, roles.size()> died_{};
  bool began_ = false;
  bool ended_ = false;
};

}  // namespace mayfly::tools
