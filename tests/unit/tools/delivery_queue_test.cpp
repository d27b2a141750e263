#include "tools/connect/delivery_queue.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mayfly;
using events::Millis;
using events::Position;
using events::Timestamp;
using tools::DeliveryQueue;
using tools::QueuedEvent;

namespace {

constexpr Timestamp t0{1'000'000};

QueuedEvent event(Position at, std::string cart, std::size_t bytes = 10) {
  QueuedEvent made;
  made.at = at;
  made.cart = std::move(cart);
  made.body = std::string(bytes, 'x');
  return made;
}

/// Carts of the events that may be sent now, in the order in which they are.
std::string taken(DeliveryQueue& queue, Timestamp now = t0) {
  std::string carts;
  while (auto* one = queue.take(now)) carts += one->cart;
  return carts;
}

}  // namespace

TEST_CASE("of each cart one event is on its way, and the next goes when it is done") {
  DeliveryQueue queue({10, 1'000, 10});
  const char* carts[] = {"a", "a", "b", "a", "c"};
  for (events::Offset i = 0; i < 5; ++i) queue.add(event({0, i}, carts[i]), t0);
  CHECK(taken(queue) == "abc");
  CHECK(taken(queue).empty());
  queue.done({0, 2}, t0);
  CHECK(taken(queue).empty());  // b has no other
  queue.done({0, 0}, t0);
  CHECK(queue.take(t0)->at == Position{0, 1});
  queue.done({0, 1}, t0);
  CHECK(queue.take(t0)->at == Position{0, 3});
}

TEST_CASE("the oldest event is told, whatever its partition, until it is done") {
  DeliveryQueue queue({10, 1'000, 10});
  CHECK(!queue.oldest());
  const std::int64_t appended_ms[] = {500, 600, 400};
  const Position at[] = {{0, 0}, {0, 1}, {3, 0}};
  for (std::size_t i = 0; i < 3; ++i) {
    auto one = event(at[i], "cart " + std::to_string(i));
    one.appended = Timestamp{appended_ms[i]};
    queue.add(std::move(one), t0);
  }
  CHECK(taken(queue).size() == 18);
  for (const std::size_t i : {2U, 0U, 1U}) {
    REQUIRE(queue.oldest());
    CHECK(queue.oldest()->ms == appended_ms[i]);
    queue.done(at[i], t0);
  }
  CHECK(!queue.oldest());
}

TEST_CASE("a cart whose event waits to be sent again holds up its own events only") {
  DeliveryQueue queue({10, 1'000, 10});
  queue.add(event({0, 0}, "a"), t0);
  queue.add(event({0, 1}, "a"), t0);
  queue.add(event({0, 2}, "b"), t0);
  CHECK(taken(queue) == "ab");
  queue.again({0, 0}, t0 + Millis{500});
  queue.add(event({0, 3}, "b"), t0);
  queue.done({0, 2}, t0);
  CHECK(taken(queue) == "b");
  CHECK(taken(queue, t0 + Millis{499}).empty());
  CHECK(queue.next_due() == t0 + Millis{500});
  CHECK(queue.take(t0 + Millis{500})->at == Position{0, 0});
}

TEST_CASE("what has waited longest goes first, and no more than may be in flight") {
  DeliveryQueue queue({10, 1'000, 2});
  for (events::Offset i = 0; i < 4; ++i) queue.add(event({0, i}, std::string(1, static_cast<char>('a' + i))), t0);
  CHECK(taken(queue) == "ab");
  CHECK_FALSE(queue.next_due().has_value());
  queue.again({0, 0}, t0 + Millis{10});
  CHECK(taken(queue, t0 + Millis{20}) == "c");
  queue.done({0, 1}, t0 + Millis{20});
  CHECK(taken(queue, t0 + Millis{20}) == "d");
  queue.done({0, 2}, t0 + Millis{20});
  CHECK(taken(queue, t0 + Millis{20}) == "a");
}

TEST_CASE("the position of a partition is its first event that is not done, else as far as it was read") {
  DeliveryQueue queue({10, 1'000, 10});
  queue.read_to({0, 5});
  queue.read_to({1, 7});
  CHECK(queue.positions() == std::vector<Position>{{0, 5}, {1, 7}});
  for (const events::Offset offset : {5, 6, 8}) queue.add(event({0, offset}, std::to_string(offset)), t0);
  queue.read_to({0, 20});
  CHECK(taken(queue) == "568");
  queue.done({0, 6}, t0);
  CHECK(queue.positions() == std::vector<Position>{{0, 5}, {1, 7}});
  queue.done({0, 5}, t0);
  CHECK(queue.positions() == std::vector<Position>{{0, 8}, {1, 7}});
  queue.again({0, 8}, t0 + Millis{1});
  CHECK(queue.positions() == std::vector<Position>{{0, 8}, {1, 7}});
  CHECK(taken(queue, t0 + Millis{1}) == "8");
  queue.done({0, 8}, t0);
  CHECK(queue.positions() == std::vector<Position>{{0, 20}, {1, 7}});
}

TEST_CASE("there is no room beyond the number or the bytes that may be kept, until something is done") {
  DeliveryQueue few({2, 1'000, 10});
  few.add(event({0, 0}, "a"), t0);
  CHECK(few.has_room());
  few.add(event({0, 1}, "a"), t0);
  CHECK_FALSE(few.has_room());
  REQUIRE(few.take(t0) != nullptr);
  few.done({0, 0}, t0);
  CHECK(few.has_room());
  DeliveryQueue small({10, 100, 10});
  small.add(event({0, 0}, "a", 100), t0);
  CHECK_FALSE(small.has_room());
  REQUIRE(small.take(t0) != nullptr);
  small.done({0, 0}, t0);
  CHECK(small.has_room());
}
