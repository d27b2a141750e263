#include "tools/console/retry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace mayfly;
using events::Millis;
using events::Timestamp;
using tools::answered;
using tools::Answered;

TEST_CASE("an answer's status says whether the same request may be taken another time") {
  for (const int status : {200, 201, 202, 204, 299}) CHECK(answered(status) == Answered::delivered);
  for (const int status : {400, 410, 413, 415, 422}) CHECK(answered(status) == Answered::refused);
  for (const int status : {100, 199, 300, 301, 307, 401, 403, 404, 405, 408, 409, 425, 429, 500, 502, 503, 504, 599})
    CHECK_MESSAGE(answered(status) == Answered::not_now, status);
}

TEST_CASE("Retry-After is seconds or a date") {
  constexpr Timestamp now{1'000'000};
  const struct {
    const char* value;
    std::int64_t ms;  // 0: it is neither
  } rows[] = {
      {"0", 1'000'000},
      {"120", 1'120'000},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777'000},
      {"Mon, 29 Feb 2027 00:00:00 GMT", 0},
      {"Sun, 06 Nov 1994 08:49:37 UTC", 0},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 0},
      {"-1", 0},
      {"1.5", 0},
      {"soon", 0},
      {"", 0},
      {"99999999999", 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    const auto at = tools::retry_after(row.value, now);
    CHECK(at.has_value() == (row.ms != 0));
    if (at) CHECK(at->ms == row.ms);
  }
}

TEST_CASE("the limit of the backoff doubles up to the most, any time below it may come, and a seed gives it again") {
  tools::Backoff backoff(7);
  tools::Backoff same(7);
  struct Row {
    int attempts;
    std::int64_t limit;
  };
  for (const auto& row : {Row{1, 500}, {2, 1'000}, {4, 4'000}, {8, 60'000}, {1'000'000, 60'000}}) {
    CAPTURE(row.attempts);
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 1'000; ++i) {
      waits.push_back(backoff.after(row.attempts).count);
      CHECK(same.after(row.attempts).count == waits.back());
    }
    const auto [least, most] = std::minmax_element(waits.begin(), waits.end());
    CHECK(*least >= 0);
    CHECK(*least < row.limit / 10);
    CHECK(*most <= row.limit);
    CHECK(*most > row.limit - row.limit / 10);
  }
}
