#include "events/text/time_text.h"

#include <chrono>

namespace mayfly::events {

namespace {

using std::chrono::days;
using std::chrono::sys_days;

void two_digits(char* out, unsigned value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

/// Reads exactly `count` digits and what may follow; -1 if they are not there.
std::int64_t take(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_mark(std::string_view& text, char c) {
  if (text.empty() || (text[0] != c && text[0] != (c | 0x20))) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t take_fraction_ms(std::string_view& text) {
  if (text.empty() || text[0] != '.') return 0;
  text.remove_prefix(1);
  std::int64_t ms = 0;
  int read = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++read) {
    if (read < 3) ms = ms * 10 + (text[0] - '0');
  }
  if (read == 0) return -1;
  for (; read < 3; ++read) ms *= 10;
  return ms;
}

/// Milliseconds that local time is ahead of UTC.
std::optional<std::int64_t> take_zone_ms(std::string_view& text) {
  if (take_mark(text, 'Z')) return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take(text, 2);
  const bool colon = take_mark(text, ':');
  const auto minutes = take(text, 2);
  if (hours < 0 || hours > 23 || !colon || minutes < 0 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes) * 60'000;
}

}  // namespace

std::array<char, 24> to_text(Timestamp time) {
  const std::chrono::sys_time<std::chrono::milliseconds> t{std::chrono::milliseconds(time.ms)};
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day date(day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  const auto ms = static_cast<unsigned>((t - day).count());
  std::array<char, 24> out{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                           '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
  two_digits(&out[0], year / 100 % 100);
  two_digits(&out[2], year % 100);
  two_digits(&out[5], static_cast<unsigned>(date.month()));
  two_digits(&out[8], static_cast<unsigned>(date.day()));
  two_digits(&out[11], ms / 3'600'000);
  two_digits(&out[14], ms / 60'000 % 60);
  two_digits(&out[17], ms / 1000 % 60);
  out[20] = static_cast<char>('0' + ms % 1000 / 100);
  two_digits(&out[21], ms % 100);
  return out;
}

std::optional<Timestamp> timestamp_from_text(std::string_view text) {
  const auto year = take(text, 4);
  const bool dash1 = take_mark(text, '-');
  const auto month = take(text, 2);
  const bool dash2 = take_mark(text, '-');
  const auto day = take(text, 2);
  const bool t = take_mark(text, 'T');
  const auto hour = take(text, 2);
  const bool colon1 = take_mark(text, ':');
  const auto minute = take(text, 2);
  const bool colon2 = take_mark(text, ':');
  const auto second = take(text, 2);
  const auto ms = take_fraction_ms(text);
  const auto zone = take_zone_ms(text);
  if (!dash1 || !dash2 || !t || !colon1 || !colon2 || ms < 0 || !zone || !text.empty()) return std::nullopt;
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  const std::int64_t day_ms = sys_days(date).time_since_epoch().count() * std::int64_t{86'400'000};
  return Timestamp{day_ms + ((hour * 60 + minute) * 60 + second) * 1000 + ms - *zone};
}

}  // namespace mayfly::events
