#include "tools/connect/retry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace mayfly::tools {

namespace {

std::optional<int> number(std::string_view text) {
  int n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (wrong != std::errc{} || end != text.data() + text.size() || n < 0) return std::nullopt;
  return n;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<events::Timestamp> http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != form.size() || !text.ends_with(" GMT") || text[3] != ',') return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  const auto day = number(text.substr(5, 2));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const auto which = static_cast<unsigned>(month - months.begin()) + 1;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{which},
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
  if (const auto s = number(value)) return now + events::Millis{std::int64_t{*s} * 1'000};
  return http_date(value);
}

events::Millis Backoff::after(int attempts) {
  auto limit = first.count;
  for (int i = 1; i < attempts && limit < most.count; ++i) limit *= 2;
  limit = std::min(limit, most.count);
  return {static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit + 1))};
}

}  // namespace mayfly::tools
