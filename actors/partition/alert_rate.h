// How often one alert may be said: a flood of bad records is no flood of alerts. By record time; of one partition.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace mayfly::actors {

class AlertRate {
 public:
  static constexpr std::int64_t most = 20;  // of one name in `window`; the rest are held back
  static constexpr events::Millis window{60'000};

  /// True: say it. Else it is held back and counted. Names are few: the documented ones.
  bool admits(std::string_view name, events::Timestamp now) {
    auto found = of_.find(name);
    if (found == of_.end()) found = of_.emplace(std::string(name), Of{now, 0, 0}).first;
    auto& of = found->second;
    if (of.held == 0 && events::has_passed(window, of.begun, now)) of = {now, 0, 0};
    if (++of.asked <= most) return true;
    ++of.held;
    return false;
  }
  /// Tells, and forgets, how many were held back of each name whose window is over.
  void tell(events::Timestamp now, const std::function<void(std::string_view name, std::int64_t held)>& say) {
    for (auto it = of_.begin(); it != of_.end();) {
      if (!events::has_passed(window, it->second.begun, now)) {
        ++it;
        continue;
      }
      if (it->second.held > 0) say(it->first, it->second.held);
      it = of_.erase(it);
    }
  }

 private:
  struct Of {
    events::Timestamp begun{};
    std::int64_t asked = 0;
    std::int64_t held = 0;
  };
  std::map<std::string, Of, std::less<>> of_;
};

}  // namespace mayfly::actors
