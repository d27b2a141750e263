#include "actors/deadlines.h"

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

void set(Deadlines& deadlines, CartEntry& entry, events::Wait wait) {
  deadlines.remove(entry);
  entry.wait = wait;
  deadlines.list(entry);
}

events::Wait unstarted(events::Offset set_at) { return {events::WaitKind::idle, {1}, set_at, std::nullopt}; }
events::Wait due(std::int64_t ms) { return {events::WaitKind::idle, {1}, 0, events::Timestamp{ms}}; }

std::uint64_t seed() {
  const char* given = std::getenv("MAYFLY_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

}  // namespace

TEST_CASE("deadlines come due by time, and at the same time by the bytes of the cart id") {
  CartTable carts;
  Deadlines deadlines;
  set(deadlines, carts.add("b"), due(20));
  set(deadlines, carts.add("c"), due(10));
  set(deadlines, carts.add("a"), due(20));
  CHECK(deadlines.next_due() == events::Timestamp{10});
  CHECK(deadlines.take_due({9}) == nullptr);
  CHECK(deadlines.take_due({20})->id() == "c");
  CHECK(deadlines.take_due({20})->id() == "a");
  CHECK(deadlines.take_due({20})->id() == "b");
  CHECK(deadlines.take_due({99}) == nullptr);
}

TEST_CASE("a wait that no tick has covered does not start") {
  CartTable carts;
  Deadlines deadlines;
  set(deadlines, carts.add("late"), unstarted(8));
  set(deadlines, carts.add("early"), unstarted(7));
  CHECK(deadlines.take_unstarted(6) == nullptr);
  CHECK(deadlines.take_unstarted(7)->id() == "early");
  CHECK(deadlines.take_unstarted(7) == nullptr);
  CHECK(deadlines.any_unstarted());
}

TEST_CASE("a new wait replaces the old one, and a cart without a wait is not listed") {
  CartTable carts;
  Deadlines deadlines;
  auto& cart = carts.add("a");
  set(deadlines, cart, due(5));
  set(deadlines, cart, due(50));
  CHECK(deadlines.take_due({49}) == nullptr);
  set(deadlines, cart, {});
  CHECK(deadlines.size() == 0);
}

TEST_CASE("any history of setting and removing gives the deadlines in order") {
  const auto chosen = seed();
  MESSAGE("MAYFLY_SEED=", chosen);
  std::mt19937_64 random(chosen);
  CartTable carts;
  Deadlines deadlines;
  std::vector<std::pair<std::int64_t, std::string>> expected;
  for (int i = 0; i < 1000; ++i) carts.add("cart-" + std::to_string(i));
  for (int step = 0; step < 5000; ++step) {
    auto& cart = *carts.find("cart-" + std::to_string(random() % 1000));
    set(deadlines, cart, random() % 4 == 0 ? events::Wait{} : due(static_cast<std::int64_t>(random() % 500)));
  }
  carts.for_each([&](CartEntry& cart) {
    if (cart.wait.due) expected.emplace_back(cart.wait.due->ms, cart.id());
  });
  std::sort(expected.begin(), expected.end());
  REQUIRE(deadlines.size() == expected.size());
  for (const auto& [ms, id] : expected) {
    auto* cart = deadlines.take_due({1000});
    REQUIRE(cart != nullptr);
    CHECK(cart->id() == id);
    CHECK(cart->wait.due->ms == ms);
  }
}
