// When to say that actors die: once per cause and minute of record time, with how often meanwhile. Bounded.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace mayfly::actors {

class RestartAlerts {
 public:
  static constexpr std::size_t most_causes = 32;  // what comes beyond is one cause
  static constexpr events::Millis quiet{60'000};

  /// An actor died. The number of deaths by that cause since it was last said, if it is to be said now.
  std::optional<std::int64_t> died(std::string& cause, events::Timestamp now) {
    std::erase_if(causes_, [&](const auto& c) { return c.second.said + quiet < now && c.first != cause; });
    if (causes_.size() >= most_causes && !causes_.contains(cause)) cause = "many causes";
    const bool first = !causes_.contains(cause);
    auto& of = causes_[cause];
    ++of.deaths;
    if (!first && now < of.said + quiet) return std::nullopt;
    of.said = now;
    return std::exchange(of.deaths, 0);
  }

 private:
  struct Of {
    events::Timestamp said{};
    std::int64_t deaths = 0;
  };
  std::map<std::string, Of> causes_;
};

}  // namespace mayfly::actors
