#include "adapters/http/http_names.h"
#include "tools/front_door/access.h"
#include "tools/front_door/http_words.h"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;

TEST_CASE("seconds to wait are read from a Prefer header, in any company") {
  struct Row {
    const char* prefer;
    std::int64_t ms;
  };
  for (const auto& row :
       {Row{"", 0}, Row{"wait=5", 5'000}, Row{"respond-async, wait=10", 10'000}, Row{"wait=3; x=y", 3'000},
        Row{"wait=61", 60'000}, Row{"wait=99999999999999", 60'000}, Row{"wait=0", 0}, Row{"wait=-1", 0},
        Row{"wait=", 0}, Row{"await=5", 0}, Row{"wait=99999999999999999999", 0}}) {
    CAPTURE(row.prefer);
    CHECK(tools::wait_asked(row.prefer, events::Millis{60'000}).count == row.ms);
  }
}

TEST_CASE("a path's segment is decoded, and encoded as it was") {
  for (const std::string text : {"c1", "a/b", "é ü", "100%", "~-._", "\x01\x7f"}) {
    CAPTURE(text);
    CHECK(adapters::percent_decoded(adapters::percent_encoded(text)) == text);
  }
  CHECK(adapters::percent_encoded("a/b é") == "a%2Fb%20%C3%A9");
  for (const char* text : {"%", "%4", "%zz", "a%4"}) CHECK_FALSE(adapters::percent_decoded(text).has_value());
}

TEST_CASE("a tokens' file names its first wrong line") {
  const std::string hash(64, 'a');
  std::string wrong;
  struct Row {
    std::string text;
    const char* line;
  };
  for (const auto& row :
       {Row{"web shop", "line 1"}, Row{"\n# x\nweb shop " + hash + "x\n", "line 3"}, Row{"web owner " + hash, "line 1"},
        Row{"web shop " + hash + " more", "line 1"}, Row{"web shop " + std::string(64, 'A'), "line 1"}}) {
    CAPTURE(row.text);
    CHECK_FALSE(tools::Access::from_text(row.text, wrong).has_value());
    CHECK(wrong.starts_with(row.line));
  }
  CHECK(tools::Access::from_text("", wrong).has_value());
}

TEST_CASE("what the shop says needs the shop's scope, also where it is about a payment") {
  for (const char* command : {"cart.create", "checkout.complete", "checkout.abandon", "payment.capture"}) {
    CAPTURE(command);
    CHECK(tools::scope_of(command) == tools::Scope::shop);
  }
  for (const char* reply : {"payment.captured", "payment.disputed", "inventory.rejected"}) {
    CAPTURE(reply);
    CHECK(tools::scope_of(reply) == tools::Scope::connector);
  }
  for (const char* nobodys : {"clock.tick", "cart.merge_offered", "cart.merge_answered", "cart.fly", "payment", ""}) {
    CAPTURE(nobodys);
    CHECK(tools::scope_of(nobodys) == std::nullopt);
  }
}

TEST_CASE("a caller is known by the token alone, and may do what the line says") {
  std::string wrong;  // SHA-256 of "abc", FIPS 180-4
  const auto access = tools::Access::from_text(
      "web shop,read ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\r\n", wrong);
  REQUIRE(access.has_value());
  const auto caller = access->caller("Bearer abc");
  REQUIRE(caller.has_value());
  CHECK(caller->name == "web");
  CHECK(caller->may(tools::Scope::shop));
  CHECK(caller->may(tools::Scope::read));
  CHECK_FALSE(caller->may(tools::Scope::connector));
  for (const char* other : {"", "Bearer", "Bearer abcd", "bearer abc", "Basic abc"}) {
    CAPTURE(other);
    CHECK_FALSE(access->caller(other).has_value());
  }
}
