#include "actors/partition/deadlines.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>

using namespace mayfly;
using actors::CartEntry;
using actors::CartTable;
using actors::Deadlines;

namespace {

struct Waiting {
  CartTable carts;
  Deadlines deadlines;
  void set(std::string_view id, events::Wait wait) {
    auto* found = carts.find(id);
    auto& entry = found != nullptr ? *found : carts.add(id);
    deadlines.remove(entry);
    deadlines.list(carts.keep(entry, wait, "cart", ""));
  }
};

events::Wait unstarted(events::Offset set_at) { return {events::WaitKind::idle, {1}, set_at, std::nullopt}; }
events::Wait due(std::int64_t ms) { return {events::WaitKind::idle, {1}, 0, events::Timestamp{ms}}; }

std::uint64_t seed() {
  const char* given = std::getenv("MAYFLY_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

}  // namespace

TEST_CASE("deadlines come due by time, and at the same time by the bytes of the cart id") {
  Waiting w;
  auto& deadlines = w.deadlines;
  w.set("b", due(20));
  w.set("c", due(10));
  w.set("a", due(20));
  CHECK(deadlines.next_due() == events::Timestamp{10});
  CHECK(deadlines.take_due({9}) == nullptr);
  CHECK(deadlines.take_due({20})->id() == "c");
  CHECK(deadlines.take_due({20})->id() == "a");
  CHECK(deadlines.take_due({20})->id() == "b");
  CHECK(deadlines.take_due({99}) == nullptr);
}

TEST_CASE("a wait that no tick has covered does not start") {
  Waiting w;
  auto& deadlines = w.deadlines;
  w.set("late", unstarted(8));
  w.set("early", unstarted(7));
  CHECK(deadlines.take_unstarted(6) == nullptr);
  CHECK(deadlines.take_unstarted(7)->id() == "early");
  CHECK(deadlines.take_unstarted(7) == nullptr);
  CHECK(deadlines.any_unstarted());
}

TEST_CASE("a new wait replaces the old one, and a cart without a wait is not listed") {
  Waiting w;
  auto& deadlines = w.deadlines;
  w.set("a", due(5));
  w.set("a", due(50));
  CHECK(deadlines.take_due({49}) == nullptr);
  w.set("a", {});
  CHECK(deadlines.size() == 0);
}

TEST_CASE("any history of setting and removing gives the deadlines in order") {
  const auto chosen = seed();
  MESSAGE("MAYFLY_SEED=", chosen);
  std::mt19937_64 random(chosen);
  Waiting w;
  auto& deadlines = w.deadlines;
  std::vector<std::pair<std::int64_t, std::string>> expected;
  for (int step = 0; step < 5000; ++step) {
    w.set("cart-" + std::to_string(random() % 1000),
          random() % 4 == 0 ? events::Wait{} : due(static_cast<std::int64_t>(random() % 500)));
  }
  w.carts.for_each([&](const CartEntry& cart) {
    if (const auto wait = cart.wait(); wait.due) expected.emplace_back(wait.due->ms, cart.id());
  });
  std::sort(expected.begin(), expected.end());
  REQUIRE(deadlines.size() == expected.size());
  for (const auto& [ms, id] : expected) {
    auto* cart = deadlines.take_due({1000});
    REQUIRE(cart != nullptr);
    CHECK(cart->id() == id);
    CHECK(cart->wait().due->ms == ms);
  }
}
