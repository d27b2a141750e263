#include "actors/partition/cart_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace mayfly::actors;
using namespace mayfly::events;

TEST_CASE("an entry keeps its id and both parts, also when the new bytes are views of the old") {
  CartTable carts;
  const Wait idle{WaitKind::idle, {60'000}, 7, std::nullopt};
  auto& entry = carts.keep(carts.add("c1"), idle, "cart", "session");
  CHECK(entry.id() == "c1");
  CHECK(entry.cart() == "cart");
  CHECK(entry.session() == "session");
  CHECK(entry.wait() == idle);
  const Wait started{WaitKind::capture, {60'000}, no_offset, Timestamp{1'790'000'000'000}};
  auto& other = carts.keep(entry, started, "other", entry.session());
  CHECK(other.id() == "c1");
  CHECK(other.cart() == "other");
  CHECK(other.session() == "session");
  CHECK(other.wait() == started);
  other.set_wait(idle);
  CHECK(other.cart() == "other");
  CHECK(other.wait() == idle);
  CHECK(carts.find("c1") == &other);
}

TEST_CASE("a cart without a snapshot has no wait, no session and no actor") {
  CartTable carts;
  const auto& entry = carts.add("c1");
  CHECK(entry.snapshot().empty());
  CHECK(entry.wait() == Wait{});
  CHECK(entry.session().empty());
  CHECK(!entry.has_actor());
}

TEST_CASE("what is kept of a busy cart follows it to its new bytes") {
  CartTable carts;
  auto& entry = carts.add("c1");
  auto& awake = carts.wake(entry);
  CHECK(&carts.wake(entry) == &awake);
  auto& kept = carts.keep(entry, {}, "cart", "");
  CHECK(kept.awake == &awake);
  CHECK(awake.entry == &kept);
  CHECK(carts.awake_count() == 1);
  carts.sleep(kept);
  CHECK(kept.awake == nullptr);
  CHECK(carts.awake_count() == 0);
}

TEST_CASE("ids that somebody made to fall into one place of a table lie apart in a table with another key") {
  constexpr std::size_t places = 1'024;
  const auto fullest = [](const std::vector<std::string>& ids, const KeyedHash& hash) {
    std::vector<int> place(places);
    for (const auto& id : ids) ++place[hash(id) & (places - 1)];
    return *std::max_element(place.begin(), place.end());
  };
  const auto order = [](const std::vector<std::string>& ids, const HashKey& key) {
    CartTable carts({}, KeyedHash(key));
    for (const auto& id : ids) carts.add(id);
    std::vector<std::string> found;
    carts.for_each([&](const CartEntry& entry) { found.emplace_back(entry.id()); });
    for (const auto& id : ids) CHECK(carts.find(id) != nullptr);
    return found;
  };
  const HashKey known{};
  const HashKey secret{1, 2, 3};
  std::vector<std::string> chosen;
  for (int i = 0; chosen.size() < 500; ++i) {
    auto id = "cart-" + std::to_string(i);
    if ((KeyedHash(known)(id) & (places - 1)) == 0) chosen.push_back(std::move(id));
  }
  CHECK(fullest(chosen, KeyedHash(known)) == 500);
  CHECK(fullest(chosen, KeyedHash(secret)) < 8);
  CHECK(order(chosen, known) == order(chosen, known));
  CHECK(order(chosen, known) != order(chosen, secret));
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
  for (auto* entry : entries) order.use(carts.wake(*entry), {1});
  order.use(*entries[0]->awake, {2});
  CHECK(order.longest_idle()->entry->id() == "b");
  order.remove(*entries[1]->awake);
  CHECK(order.longest_idle()->entry->id() == "c");
  order.remove(*entries[2]->awake);
  CHECK(order.longest_idle()->entry->id() == "a");
  order.remove(*entries[0]->awake);
  CHECK(order.longest_idle() == nullptr);
  CHECK(order.size() == 0);
}
