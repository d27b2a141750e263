// Actors with the bugs of two outages: what they take, and what gives it back.
#include "actors/outages/outages.h"

#include "actors/engine/engine.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>

using namespace mayfly;
using testing::said;

namespace {

constexpr std::int64_t each_bytes = 1'000;

/// Knows the sessions that have an actor.
class Watch final : public actors::SessionWatch {
 public:
  void began(const std::string& session) override {
    const std::scoped_lock lock(mutex_);
    sessions_.insert(session);
    ++begun_;
  }
  void ended(const std::string& session) override {
    const std::scoped_lock lock(mutex_);
    sessions_.erase(session);
  }
  std::set<std::string> sessions() {
    const std::scoped_lock lock(mutex_);
    return sessions_;
  }
  int begun() {
    const std::scoped_lock lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> sessions_;
  int begun_ = 0;
};

struct World {
  Watch watch;  // outlives the engine
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  adapters::MemoryLog log{store};
  actors::EngineConfig config;
  actors::Bug bug;
  World() {
    config.memory.look_interval = {0};
    bug.bytes = each_bytes;
    bug.in_service = true;
  }
  void check_out(int carts) {
    for (int i = 0; i < carts; ++i) shop.whole_checkout("cart-" + std::to_string(i), 100);
  }
};

/// Serves what is there and waits until so many sessions' actors are left, or for long.
std::int64_t session_actors(actors::Engine& engine, std::int64_t wanted) {
  engine.run_until_caught_up();
  constexpr int patience = 1'000'000;
  std::int64_t left = -1;
  for (int i = 0; i < patience && left != wanted; ++i) {
    const auto c = engine.census();
    left = c.sessions_started - c.sessions_stopped;
    std::this_thread::yield();
  }
  return left;
}

actors::Amounts lines(actors::Engine& engine) {
  engine.run_until_caught_up();  // and looks at memory
  return engine.memory().of(actors::Purpose::cart_lines);
}

}  // namespace

TEST_CASE("what a cart keeps for nothing is taken and held by nobody, and goes with the cart's actor") {
  World world;
  world.config.cart_maker = actors::carts_that_keep_data(world.bug);
  for (const char* cart : {"a", "b", "c"}) {
    world.shop.create(cart);
    world.shop.add(cart, "A", 1, 100);
  }
  actors::Engine engine(world.log, world.clock, world.config, nullptr);
  engine.run_until_caught_up();
  const auto kept = lines(engine);
  CHECK(kept.taken_bytes - kept.held_bytes >= 3 * 2 * each_bytes);
  for (const char* cart : {"a", "b", "c"}) world.shop.send(cart, "cart.cancel", "{}");
  engine.run_until_caught_up();
  CHECK(session_actors(engine, 0) == 0);
  for (int i = 0; i < 1'000'000 && engine.census().carts_started > engine.census().carts_stopped; ++i) {
    std::this_thread::yield();
  }
  const auto left = lines(engine);
  CHECK(left.taken_bytes == 0);
  CHECK(left.orphaned_bytes == 0);
}

TEST_CASE("a session that its cart does not end lives on, and ends when its partition is renewed") {
  World world;
  world.config.cart_maker = actors::sessions_that_do_not_end(world.bug, world.watch);
  world.check_out(20);
  actors::Engine engine(world.log, world.clock, world.config, nullptr);
  CHECK(session_actors(engine, 20) == 20);
  CHECK(engine.census().sessions_open == 0);
  CHECK(world.watch.sessions().size() == 20);
  CHECK(world.watch.sessions().contains("cart-7-p1"));
  CHECK(engine.renew());
  CHECK(session_actors(engine, 0) == 0);
  CHECK(world.watch.sessions().empty());
}

TEST_CASE("while a bug is not in service, nothing is kept") {
  for (const bool of_carts : {true, false}) {
    World world;
    world.bug.in_service = false;
    world.config.cart_maker =
        of_carts ? actors::carts_that_keep_data(world.bug) : actors::sessions_that_do_not_end(world.bug, world.watch);
    world.check_out(20);
    world.shop.create("open");
    actors::Engine engine(world.log, world.clock, world.config, nullptr);
    CHECK(session_actors(engine, 0) == 0);
    CHECK(world.watch.begun() == (of_carts ? 0 : 20));
    CHECK(world.watch.sessions().empty());
    const auto kept = lines(engine);
    CHECK(kept.taken_bytes == kept.held_bytes);
  }
}

TEST_CASE("a bug changes no event") {
  World usual;
  World keeping;
  World forgetful;
  keeping.config.cart_maker = actors::carts_that_keep_data(keeping.bug);
  forgetful.config.cart_maker = actors::sessions_that_do_not_end(forgetful.bug, forgetful.watch);
  for (auto* world : {&usual, &keeping, &forgetful}) {
    world->check_out(3);
    actors::Engine engine(world->log, world->clock, world->config, nullptr);
    engine.run_until_caught_up();
  }
  for (const char* cart : {"cart-0", "cart-1", "cart-2"}) {
    CHECK(said(keeping.store, cart) == said(usual.store, cart));
    CHECK(said(forgetful.store, cart) == said(usual.store, cart));
  }
}
