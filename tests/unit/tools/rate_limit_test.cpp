#include "tools/front_door/rate_limit.h"
#include "tools/front_door/access.h"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;
using events::Millis;
using tools::Rate;
using tools::RateLimit;

TEST_CASE("a caller may ask so often at once, then as each request comes back") {
  struct Row {
    std::int64_t at_ms;
    std::int64_t wait_ms;
  };
  RateLimit limit;
  const Rate rate{3, Millis{1'000}};
  for (const auto& row : {Row{5'000, 0}, Row{5'000, 0}, Row{5'000, 0}, Row{5'000, 334}, Row{5'333, 1}, Row{5'334, 0},
                          Row{5'334, 333}, Row{9'000, 0}, Row{9'000, 0}, Row{9'000, 0}, Row{9'000, 334}}) {
    CAPTURE(row.at_ms);
    CHECK(limit.take("web", rate, Millis{row.at_ms}).count == row.wait_ms);
  }
}

TEST_CASE("a batch may come when a request may, counts as its events, and all of them are waited for") {
  struct Row {
    std::int64_t at_ms;
    std::int64_t worth;
    std::int64_t wait_ms;
  };
  RateLimit limit;
  const Rate rate{2, Millis{1'000}};
  for (const auto& row :
       {Row{0, 1, 0}, Row{0, 10, 0}, Row{0, 1, 5'000}, Row{0, 10, 5'000}, Row{4'999, 1, 1}, Row{5'000, 1, 0},
        Row{5'000, 1, 500}, Row{90'000, 1, 0}, Row{90'000, 1, 0}, Row{90'000, 1, 500}}) {
    CAPTURE(row.at_ms);
    CAPTURE(row.worth);
    CHECK(limit.take("web", rate, Millis{row.at_ms}, row.worth).count == row.wait_ms);
  }
}

TEST_CASE("what one caller takes is not missing to another, and a changed rate begins anew") {
  RateLimit limit;
  const Rate one{1, Millis{3'600'000}};
  CHECK(limit.take("a", one, Millis{0}).count == 0);
  CHECK(limit.take("a", one, Millis{0}).count == 3'600'000);
  CHECK(limit.take("b", one, Millis{0}).count == 0);
  CHECK(limit.take("a", Rate{2, Millis{1'000}}, Millis{0}).count == 0);
}

TEST_CASE("a rate of none is no limit, the largest one does not overflow") {
  RateLimit limit;
  for (int i = 0; i < 5'000; ++i) REQUIRE(limit.take("a", Rate{0, {}}, Millis{0}).count == 0);
  const Rate most{1'000'000, Millis{3'600'000}};
  CHECK(limit.take("b", most, Millis{0}).count == 0);
  CHECK(limit.take("b", most, Millis{std::int64_t{1} << 60}).count == 0);
}

TEST_CASE("a token's rate stands behind it, and is 1,000 a second where none does") {
  struct Row {
    const char* word;
    Rate rate;
  };
  const std::string line = "web shop ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ";  // of "abc"
  std::string wrong;
  for (const auto& row : {Row{"", {1'000, Millis{1'000}}}, Row{"5/s", {5, Millis{1'000}}},
                          Row{"1/min", {1, Millis{60'000}}}, Row{"1000000/h", {1'000'000, Millis{3'600'000}}}}) {
    CAPTURE(row.word);
    const auto access = tools::Access::from_text(line + row.word, wrong);
    REQUIRE(access.has_value());
    CHECK(access->caller("Bearer abc")->rate == row.rate);
  }
  for (const char* rates : {"5/s|5/s", "|", "|1000/s"}) {
    CAPTURE(rates);
    const std::string both(rates);
    const auto bar = both.find('|');
    CHECK(tools::Access::from_text(line + both.substr(0, bar) + "\n" + line + both.substr(bar + 1), wrong).has_value());
  }
  for (const char* second : {"6/s", "", "5/min"}) {  // each would fill the bucket of the other
    CAPTURE(second);
    CHECK_FALSE(tools::Access::from_text(line + "5/s\n" + line + second, wrong).has_value());
    CHECK(wrong.starts_with("line 2: web has another rate"));
  }
  for (const char* word : {"5", "0/s", "-1/s", "1000001/s", "5/d", "/s", "5 /s", "5/s x"}) {
    CAPTURE(word);
    CHECK_FALSE(tools::Access::from_text(line + word, wrong).has_value());
  }
}
