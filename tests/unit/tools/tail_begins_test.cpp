#include "tools/records/tail_begins.h"
#include "tools/console/time_words.h"

#include <doctest/doctest.h>

using namespace mayfly;

namespace {

std::string text(const std::vector<tools::TailBegin>& begins) {
  std::string out;
  for (const auto& b : begins) {
    constexpr const char* names[] = {"-", "begin", "end", "@"};
    out += (out.empty() ? "" : " ") + std::string(names[static_cast<int>(b.where)]);
    if (b.where == tools::TailBegin::Where::offset) out += std::to_string(b.offset);
  }
  return out;
}

}  // namespace

TEST_CASE("tail begins where the words say, in each of three partitions") {
  struct Row {
    std::vector<std::string> words;
    const char* begins;  // empty: refused
  };
  const Row rows[] = {
      {{"end"}, "end end end"},
      {{"begin"}, "begin begin begin"},
      {{"7"}, "@7 @7 @7"},
      {{"1:7"}, "- @7 -"},
      {{"1:7", "0:0"}, "@0 @7 -"},
      {{"1:7", "begin"}, "begin @7 begin"},
      {{"2:end", "1:7", "0:begin"}, "begin @7 end"},
      {{"1:7", "1:8"}, ""},
      {{"7", "8"}, ""},
      {{"3:0"}, ""},
      {{"-1"}, ""},
      {{"1:"}, ""},
      {{":1"}, ""},
      {{"1:2:3"}, ""},
      {{"middle"}, ""},
      {{""}, ""},
  };
  for (const auto& row : rows) {
    std::string wrong;
    const auto begins = tools::tail_begins(row.words, 3, wrong);
    CAPTURE(row.words);
    CHECK(text(begins) == row.begins);
    CHECK(wrong.empty() == !begins.empty());
  }
}

TEST_CASE("a time is RFC 3339 or how long ago") {
  const events::Timestamp now{1'790'000'000'000};
  CHECK(tools::time_from_words("90s", now)->ms == now.ms - 90'000);
  CHECK(tools::time_from_words("15min", now)->ms == now.ms - 900'000);
  CHECK(tools::time_from_words("1970-01-01T00:00:01Z", now)->ms == 1000);
  for (const auto* wrong : {"", "s", "10", "-1s", "10 s", "100000001s", "yesterday"}) {
    CAPTURE(wrong);
    CHECK_FALSE(tools::time_from_words(wrong, now));
  }
}
