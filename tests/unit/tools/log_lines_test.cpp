#include "tools/serve/log_lines.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace mayfly;

TEST_CASE("a log line as JSON has each number of its message as a member") {
  const actors::Notice notice{
      actors::Notice::Level::warning, "leak", "\"x\" leaks\n", 3, {{"bytes", 5}, {"bytes_per_s", -1}}};
  const auto line = nlohmann::json::parse("{" + tools::json_members(notice) + "}");
  CHECK(line ==
        nlohmann::json{
            {"name", "leak"}, {"partition", 3}, {"bytes", 5}, {"bytes_per_s", -1}, {"message", "\"x\" leaks\n"}});
  const auto bare =
      nlohmann::json::parse("{" + tools::json_members({actors::Notice::Level::info, "ready", "Yes.", -1}) + "}");
  CHECK(bare == nlohmann::json{{"name", "ready"}, {"message", "Yes."}});
}
