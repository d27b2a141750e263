// Conditions of `replay bisect`: what they say of a state, and what is none.
#include "tools/replay/replay_condition.h"

#include "unit/tools/replay_shop.h"

#include <doctest/doctest.h>

using namespace mayfly;

TEST_CASE("a condition holds as its words say") {
  const auto state = tools::OrderedJson::parse(R"({"cart":"c 1","phase":"paying","total_minor":500,"reservations":0,
      "lines":[{"sku":"TEA","quantity":2},{"sku":"CUP","quantity":1}],"event":["order.placed","payment.authorized"],
      "session":{"in_doubt":false,"order_placed":true,"state":"capturing"}})");
  struct Case {
    const char* text;
    bool holds;
  };
  for (const auto& c : {Case{"phase == paying", true},
                        {"phase != paying", false},
                        {"cart == \"c 1\"", true},
                        {"total_minor>=500", true},
                        {"total_minor < 500", false},
                        {"total_minor == 500 and phase == active", false},
                        {"total_minor == 500 or phase == active", true},
                        {"not phase == active", true},
                        {"not (phase == paying or phase == active)", false},
                        {"phase == active or phase == paying and total_minor == 1", false},
                        {"session", true},
                        {"session.in_doubt", false},
                        {"session.order_placed", true},
                        {"session.order_placed == true", true},
                        {"wait", false},
                        {"wait.kind == idle", false},
                        {"wait.kind != idle", true},
                        {"event == order.placed", true},
                        {"event == cart.expired", false},
                        {"lines.TEA.quantity > 1", true},
                        {"lines.CUP.quantity > 1", false},
                        {"lines == 2", true},
                        {"lines > 2", false},
                        {"phase == 500", false},
                        {"total_minor == paying", false}}) {
    CAPTURE(c.text);
    std::string wrong;
    const tools::Condition condition(c.text, wrong);
    CHECK(wrong == "");
    CHECK(condition.holds(state) == c.holds);
  }
}

TEST_CASE("a member that no cart has is refused, with the one that was meant and all that there are") {
  std::string wrong;
  const tools::Condition condition("phase == paying and sesion.captured_minor > 0", wrong);
  CHECK(
      wrong.starts_with("there is no member 'sesion.captured_minor'; did you mean session.captured_minor? "
                        "There are: cart, phase, "));
  for (const auto* path : {"", "phase.x", "lines.TEA.colour", "event.type", "session.x", "*"}) {
    CAPTURE(path);
    CHECK_FALSE(tools::is_known_member(path));
  }
  for (const auto* path : {"lines", "lines.TEA", "lines.TEA.attributes.colour", "session", "wait", "partition"}) {
    CAPTURE(path);
    CHECK(tools::is_known_member(path));
  }
}

TEST_CASE("every member that a cart has can be named in a condition") {
  tools::Shop shop;
  tools::busy_day(shop);
  shop.send("terms", "cart.create", R"({"currency":"GBP"})");
  shop.send("terms", "cart.add_line",
            R"({"sku":"TEA","quantity":2,"unit_price_minor":250,"name":"Tea","attributes":{"colour":"green"}})");
  shop.send("terms", "checkout.complete",
            R"({"expected_total_minor":500,"payment":{"provider":"sim","token":"t","capture":"on_command"}})");
  shop.send("terms", "inventory.reserved", R"({"reservation_id":"terms-r1"})");
  shop.serve();
  int seen = 0;
  tools::ReplayedPartition partition("mayfly", 0, 1);
  for (const auto& record : shop.store.records(events::Stream::commands, 0)) {
    partition.take(record, nullptr);
    partition.each_cart([&](const tools::ReplayedCart& cart) {
      for (const auto& change : tools::changes_between(nullptr, tools::state_json(cart))) {
        if (change.path.starts_with("adjustments.")) continue;
        CAPTURE(change.path);
        CHECK(tools::is_known_member(change.path));
        ++seen;
      }
    });
  }
  CHECK(seen > 1'000);
}

TEST_CASE("what is no condition is refused with a sentence") {
  for (const std::string text :
       {"", "phase ==", "(phase", "phase == paying )", "phase == paying phase", "not", "phase == \"paying"}) {
    CAPTURE(text);
    std::string wrong;
    const tools::Condition condition(text, wrong);
    CHECK(wrong != "");
  }
  std::string wrong;
  const tools::Condition deep(std::string(1000, '('), wrong);
  CHECK(wrong == "too many parentheses");
}
