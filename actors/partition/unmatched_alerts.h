// Replies that report money of carts that nobody knows: one alert an hour, with count and sum, so that a provider that
// repeats old words floods nobody. The events say each of them (payment.unmatched).
#pragma once

#include "events/log/types.h"
#include "events/rules/money.h"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::actors {

/// Of one partition. What was counted when its actor restarts is forgotten: the events have it.
class UnmatchedAlerts {
 public:
  static constexpr events::Millis interval{3'600'000};

  /// One more, at that record time. The alert's message, if one is due: the first at once.
  std::optional<std::string> note(std::string_view currency, events::Minor amount_minor, events::Timestamp time) {
    constexpr auto most = std::numeric_limits<events::Minor>::max();
    ++replies_;
    auto& sum = sums_[std::string(currency)];
    sum = events::add(sum, amount_minor).value_or(most);
    if (said_ && time - *said_ < interval) return std::nullopt;
    std::string message = "Replies that report money of carts that are not known here: " + std::to_string(replies_);
    message += ", in minor units";
    for (const auto& [code, minor] : sums_) message.append(" ").append(code).append(" ").append(std::to_string(minor));
    message += ". See the payment.unmatched events.";
    said_ = time;
    replies_ = 0;
    sums_.clear();
    return message;
  }

 private:
  std::optional<events::Timestamp> said_;
  std::int64_t replies_ = 0;
  std::map<std::string, events::Minor> sums_;
};

}  // namespace mayfly::actors
