#include "tools/console/numbers.h"

#include "tools/console/text.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace mayfly;
using tools::number_from_text;
using tools::position_from_text;

TEST_CASE("a number is all of the text, 0 or more, and fits 64 bits") {
  CHECK(number_from_text("0") == 0);
  CHECK(number_from_text("007") == 7);
  CHECK(number_from_text("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  for (const std::string no : {"", "-1", "-0", "+1", " 1", "1 ", "1x", "x", "0x1", "1.0", "9223372036854775808"}) {
    CHECK_MESSAGE(!number_from_text(no), no);
  }
}

TEST_CASE("a position is read as it is written, and nothing else is one") {
  for (const events::Position at :
       {events::Position{0, 0}, {3, 42}, {std::numeric_limits<events::Partition>::max(), 7}}) {
    CHECK(position_from_text(tools::position_text(at)) == at);
  }
  CHECK(position_from_text("3-42", '-') == events::Position{3, 42});
  for (const std::string no : {"", ":", "3", "3:", ":4", "3:4:5", "-3:4", "3:-4", "3: 4", "2147483648:1", "3-4"}) {
    CHECK_MESSAGE(!position_from_text(no), no);
  }
}
