// A what-if comes to what a fresh run with that change comes to: the same events, money and ends.
#include "tools/replay/replay_whatif.h"

#include "unit/tools/replay_shop.h"

#include <functional>

using namespace mayfly;
using namespace mayfly::events;
using mayfly::tools::Shop;

namespace {

tools::WhatIf asked(Shop& shop, const std::string& plan_text) {
  tools::ReplayPlan plan;
  CHECK(tools::read_plan(plan_text, shop.client, plan) == "");
  tools::Recorded recorded;
  CHECK(tools::read_recorded(shop.client, recorded).ok());
  tools::WhatIf result;
  CHECK(tools::what_if(shop.client, recorded, plan, result).ok());
  return result;
}

void check_out(Shop& shop, const std::string& cart) {
  shop.send(cart, "cart.create", R"({"currency":"GBP"})");
  shop.send(cart, "cart.add_line", R"({"sku":"TEA","quantity":2,"unit_price_minor":250})");
  shop.send(cart, "checkout.complete", R"({"expected_total_minor":500,"payment":{"provider":"sim","token":"t"}})");
}
void reserve(Shop& shop, const std::string& cart) {
  shop.send(cart, "inventory.reserved", R"({"reservation_id":")" + cart + R"(-r1"})");
}
void reply(Shop& shop, const std::string& cart, const std::string& type) {
  shop.send(cart, type, R"({"session_id":")" + cart + R"(-p1","reference":"r","amount_minor":500,"currency":"GBP"})");
}

/// A day with these replies; `ticks`: are there ticks between?
struct Day {
  const Settings* settings = nullptr;
  bool authorized = true;
  bool ticks = true;
};
void live(Shop& shop, const Day& day) {
  shop.tick_after(1_s, day.settings);
  for (const std::string cart : {"one", "two"}) check_out(shop, cart);
  shop.tick_after(1_s);
  shop.serve();
  reserve(shop, "one");
  for (int i = 0; i < 20; ++i) day.ticks ? shop.tick_after(1_s) : shop.clock.add(1_s);
  reserve(shop, "two");
  if (day.authorized) reply(shop, "one", "payment.authorized");
  shop.tick_after(1_s);
  reply(shop, "one", "payment.captured");
  for (int i = 0; i < 40; ++i) shop.tick_after(60_s);
  shop.serve();
}

}  // namespace

TEST_CASE("a what-if without a change finds no difference") {
  Shop shop;
  live(shop, {});
  const auto result = asked(shop, "{}");
  CHECK(result.carts.empty());
  CHECK(result.recorded == result.changed);
  CHECK(result.recorded.at("order.placed") == 1);
}

TEST_CASE("a shorter wait comes to what a run with that wait comes to, also where no tick was recorded") {
  Settings short_wait;
  short_wait.reservation_wait = 10_s;
  for (const bool ticks : {true, false}) {
    CAPTURE(ticks);
    Shop recorded;
    live(recorded, {nullptr, true, ticks});
    Shop fresh;
    live(fresh, {&short_wait, true, true});
    const auto result = asked(recorded, R"({"settings":{"reservation_wait_s":10}})");
    CHECK(result.changed == asked(fresh, "{}").recorded);
    CHECK(result.carts.size() == 1);
    const auto& two = result.carts.at("two");
    CHECK(two.command == "wait over: reservation");
    CHECK(two.as_recorded == "nothing");
    CHECK(two.as_changed == "inventory.release_requested, checkout.reopened");
  }
}

TEST_CASE("a reply that is left out comes to what a run without it comes to") {
  Shop recorded;
  live(recorded, {});
  Shop fresh;
  live(fresh, {nullptr, false, true});
  std::string at;
  for (const auto& r : recorded.store.records(Stream::commands, 0)) {
    for (const auto& h : r.headers) {
      if (h.value == ce_type(CommandType::payment_authorized)) at = "0:" + std::to_string(r.at.offset);
    }
  }
  const auto result = asked(recorded, R"({"commands":[{"drop":")" + at + R"("}]})");
  CHECK(result.changed == asked(fresh, "{}").recorded);
  CHECK(result.carts.at("one").command == "left out payment.authorized");
  const auto late = asked(recorded, R"({"commands":[{"move":")" + at + R"(","before":"end"}]})");
  CHECK(late.carts.at("one").command == "left out payment.authorized");
}

TEST_CASE("a command is altered or put in") {
  Shop shop;
  live(shop, {});
  auto result = asked(shop, R"({"commands":[{"insert":{"type":"cart.cancel","cart":"two"},"before":"0:5"}]})");
  CHECK(result.carts.at("two").phase_changed == "canceled");
  result = asked(shop, R"({"commands":[{"insert":{"type":"cart.create","cart":"new","data":{"currency":"EUR"}},
                                        "before":"end"}]})");
  CHECK(result.carts.at("new").as_changed == "cart.created");
  CHECK(result.carts.at("new").phase_changed == "active");
  result = asked(shop, R"({"commands":[{"alter":"0:1","data":{"currency":"???"}}]})");
  CHECK(result.carts.at("one").as_changed == "command.rejected currency_unknown");
}

TEST_CASE("a plan that does not fit is refused with a sentence") {
  Shop shop;
  live(shop, {});
  for (const auto* text :
       {"no json", "[]", R"({"else":1})", R"({"settings":{"reservation_wait_s":0}})", R"({"settings":{"fly_s":1}})",
        R"({"commands":[{"drop":"0:9999"}]})", R"({"commands":[{"drop":"1:0"}]})", R"({"commands":[{"drop":17}]})",
        R"({"commands":[{"alter":"0:1"}]})", R"({"commands":[{"move":"0:1"}]})", R"({"commands":[{}]})",
        R"({"commands":[{"insert":{"type":"cart.fly","cart":"c"},"before":"end"}]})"}) {
    CAPTURE(text);
    tools::ReplayPlan plan;
    CHECK(tools::read_plan(text, shop.client, plan) != "");
  }
}
