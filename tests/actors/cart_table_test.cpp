#include "actors/cart_table.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <set>
#include <string>

using namespace mayfly::actors;

TEST_CASE("an entry keeps its id and both parts, also when the new bytes are views of the old") {
  CartTable carts;
  auto& entry = carts.add("c1");
  entry.keep("c1", "cart", "session");
  CHECK(entry.id() == "c1");
  CHECK(entry.cart() == "cart");
  CHECK(entry.session() == "session");
  entry.keep(entry.id(), "other", entry.session());
  CHECK(entry.id() == "c1");
  CHECK(entry.cart() == "other");
  CHECK(entry.session() == "session");
}

TEST_CASE("any history of adding and removing finds exactly the carts that are there") {
  const char* given = std::getenv("MAYFLY_SEED");
  const auto seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  MESSAGE("MAYFLY_SEED=", seed);
  std::mt19937_64 random(seed);
  CartTable carts;
  std::set<std::string> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string id = "cart-" + std::to_string(random() % 700);
    auto* found = carts.find(id);
    REQUIRE((found != nullptr) == model.contains(id));
    if (found == nullptr) {
      carts.add(id);
      model.insert(id);
    } else if (random() % 2 == 0) {
      carts.remove(*found);
      model.erase(id);
    }
  }
  CHECK(carts.size() == static_cast<std::int64_t>(model.size()));
  std::set<std::string> all;
  carts.for_each([&](const CartEntry& entry) { all.emplace(entry.id()); });
  CHECK(all == model);
}

TEST_CASE("the longest idle cart is the one used longest ago") {
  CartTable carts;
  AwakeOrder order;
  CartEntry* entries[3] = {&carts.add("a"), &carts.add("b"), &carts.add("c")};
  for (auto* entry : entries) {
    entry->awake = std::make_unique<Awake>();
    order.use(*entry, {1});
  }
  order.use(*entries[0], {2});
  CHECK(order.longest_idle()->id() == "b");
  order.remove(*entries[1]);
  CHECK(order.longest_idle()->id() == "c");
  order.remove(*entries[2]);
  CHECK(order.longest_idle()->id() == "a");
  order.remove(*entries[0]);
  CHECK(order.longest_idle() == nullptr);
  CHECK(order.size() == 0);
}
