#include "events/text/base64.h"

#include <doctest/doctest.h>

#include <array>
#include <memory_resource>
#include <string>
#include <utility>

using namespace mayfly;

TEST_CASE("base64 is that of RFC 4648, both ways") {
  const std::array<std::pair<std::string, std::string>, 8> rows = {{{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"},
                                                                    {std::string("\0\xff\xfe", 3), "AP/+"}}};
  std::pmr::monotonic_buffer_resource arena;
  for (const auto& row : rows) {
    CAPTURE(row.second);
    CHECK(events::to_base64(row.first) == row.second);
    CHECK(events::from_base64(row.second, &arena) == row.first);
  }
}

TEST_CASE("what no encoder writes is no base64") {
  std::pmr::monotonic_buffer_resource arena;
  for (const std::string text :
       {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9", "Zm-v", "Zm9v\n", "Zm 9v", "====", "Zg==Zg=="}) {
    CAPTURE(text);
    CHECK_FALSE(events::from_base64(text, &arena).has_value());
  }
}
