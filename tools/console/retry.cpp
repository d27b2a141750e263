#include "tools/console/retry.h"

#include "tools/console/numbers.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace mayfly::tools {

namespace {

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<events::Timestamp> http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != form.size() || !text.ends_with(" GMT") || text[3] != ',') return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  const auto day = number_from_text(text.substr(5, 2));
  const auto year = number_from_text(text.substr(12, 4));
  const auto hour = number_from_text(text.substr(17, 2));
  const auto minute = number_from_text(text.substr(20, 2));
  const auto second = number_from_text(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const auto which = static_cast<unsigned>(month - months.begin()) + 1;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)}, std::chrono::month{which},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const auto at = std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
                  std::chrono::seconds{*second};
  return events::Timestamp{std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count()};
}

}  // namespace

Answered answered(int status) {
  if (status >= 200 && status < 300) return Answered::delivered;
  for (const int refused : {400, 410, 413, 415, 422}) {
    if (status == refused) return Answered::refused;
  }
  return Answered::not_now;
}

std::optional<events::Timestamp> retry_after(std::string_view value, events::Timestamp now) {
  constexpr std::int64_t most_s = 100LL * 366 * 86'400;  // more is not meant
  if (const auto s = number_from_text(value); s && *s <= most_s) return now + events::Millis{*s * 1'000};
  return http_date(value);
}

events::Millis Backoff::after(int attempts) {
  auto limit = first.count;
  for (int i = 1; i < attempts && limit < most.count; ++i) limit *= 2;
  limit = std::min(limit, most.count);
  return {static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit + 1))};
}

}  // namespace mayfly::tools
