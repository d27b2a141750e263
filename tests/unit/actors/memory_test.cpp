#include "actors/engine/engine.h"
#include "actors/partition/batch.h"
#include "adapters/host/system_memory.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

using namespace mayfly;
using testing::said;

namespace {

struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  adapters::MemoryLog log{store};
  actors::EngineConfig config;
  World() { config.memory.look_interval = {0}; }

  void fill(int carts) {
    for (int i = 0; i < carts; ++i) {
      const auto id = "a-cart-with-an-id-of-some-length-" + std::to_string(i);
      shop.create(id);
      shop.add(id, "a-sku-that-is-not-short", 1, 100);
      shop.complete(id, 100);
      shop.reserved(id);
      if (i % 2 == 0) shop.paid(id, "payment.authorized", 100);
      if (i % 4 == 0) shop.paid(id, "payment.captured", 100);
    }
  }
};

/// Serves what is there, and waits until the actors that have ended are gone.
actors::MemoryReport served(actors::Engine& engine) {
  engine.run_until_caught_up();
  for (int i = 0; i < 1'000'000; ++i) {
    const auto c = engine.census();
    if (c.carts_started - c.carts_stopped == c.carts_awake) break;
    std::this_thread::yield();
  }
  engine.run_until_caught_up();
  return engine.memory();
}

const actors::Amounts& of(const actors::MemoryReport& report, actors::Purpose purpose) {
  return report.purposes[static_cast<std::size_t>(purpose)];
}

}  // namespace

TEST_CASE("both books of the ledger agree to the byte, with carts and sessions awake, asleep, ended and crashed") {
  for (const std::size_t awake : {0UL, 5UL, 1000UL}) {
    World world;
    world.config.awake_carts = awake;
    world.config.batch_records = 50;
    int deaths = 0;
    world.config.before_decide = [&](std::string_view, events::Position at) {
      if (at.offset % 37 == 5 && ++deaths % 3 != 0) throw std::runtime_error("planted");
    };
    world.config.threads = 1;
    world.fill(100);
    actors::Engine engine(world.log, world.clock, world.config, nullptr);
    const auto report = served(engine);
    CHECK(report.cart_actors == engine.census().carts_awake);
    CHECK(report.messages <= 2);  // what a supervisor handles while its batch is done
    for (std::size_t i = 0; i < actors::purpose_count; ++i) {
      const auto& amounts = report.purposes[i];
      INFO(actors::name(static_cast<actors::Purpose>(i)));
      CHECK(amounts.taken_bytes == amounts.held_bytes);
      CHECK(amounts.orphaned_blocks == 0);
    }
    CHECK(of(report, actors::Purpose::partition_entries).taken_blocks == engine.census().carts_open);
    CHECK((of(report, actors::Purpose::cart_lines).taken_bytes > 0) == (awake > 0));
  }
}

TEST_CASE("of carts that have ended only epitaphs are left in the ledger") {
  World world;
  world.config.threads = 1;
  for (int i = 0; i < 50; ++i) world.shop.whole_checkout("cart-" + std::to_string(i), 100);
  actors::Engine engine(world.log, world.clock, world.config, nullptr);
  const auto report = served(engine);
  for (const auto purpose : {actors::Purpose::cart_id, actors::Purpose::cart_lines, actors::Purpose::cart_dedupe,
                             actors::Purpose::session_texts, actors::Purpose::partition_entries}) {
    CHECK(of(report, purpose).taken_blocks == 0);
  }
  CHECK(of(report, actors::Purpose::partition_epitaphs).taken_bytes > 0);
  CHECK(report.carts_ended == 50);
}

TEST_CASE("ended carts that are forgotten before their time, to make room, are counted") {
  World world;
  adapters::MemoryStore store{1, world.clock};
  testing::Shop shop{store};
  adapters::MemoryLog log{store};
  actors::Engine engine(log, world.clock, world.config, nullptr);
  const auto end_carts = [&](std::int64_t from, std::int64_t upto) {
    for (auto i = from; i < upto; ++i) {
      shop.create(std::to_string(i));
      shop.send(std::to_string(i), "cart.cancel", "{}");
    }
    engine.run_until_caught_up();
  };
  end_carts(0, events::limits::epitaphs_without_session);
  REQUIRE(engine.census().epitaphs == events::limits::epitaphs_without_session);
  CHECK(engine.census().epitaphs_evicted == 0);
  end_carts(events::limits::epitaphs_without_session, events::limits::epitaphs_without_session + 3);
  CHECK(engine.census().epitaphs_evicted == 3);
  CHECK(engine.partitions()[0].epitaphs_evicted == 3);
}

TEST_CASE("a cart over its budget is restarted, its command a dead letter, and the others do not notice") {
  World world;
  world.config.memory.cart_bytes = 4096;
  world.shop.create("small");
  world.shop.create("big");
  for (int i = 0; i < 100; ++i) world.shop.add("big", "a-sku-that-is-not-short-" + std::to_string(i), 1, 100);
  world.shop.add("small", "A", 1, 100);
  world.shop.complete("small", 100);
  std::vector<std::string> failures;
  actors::Engine engine(world.log, world.clock, world.config, [&](const actors::Notice& n) {
    if (n.name == "actor_failed") failures.push_back(n.message);
  });
  engine.run_until_caught_up();
  CHECK(said(world.store, "small").back() == "inventory.reservation_requested");
  const auto of_big = said(world.store, "big");
  CHECK(std::count(of_big.begin(), of_big.end(), "cart.line_added") >= 10);
  CHECK(of_big.back() == "command.dead_lettered");
  REQUIRE(!failures.empty());
  CHECK(failures[0].find("over budget: cart.") != std::string::npos);
  CHECK(engine.census().carts_open == 2);
}

TEST_CASE("what an actor takes is what is accounted for it, by the allocator's own account") {
  adapters::SystemMemory meter;
  if (meter.read().allocated < 0) return;  // built without jemalloc
  constexpr int carts = 2'000;
  constexpr std::int64_t most_off = 8;  // bytes an actor
  enum class Of { cart, new_session, session };
  for (const auto kind : {Of::cart, Of::new_session, Of::session}) {
    std::int64_t unaccounted[2] = {};
    for (const bool awake : {false, true}) {
      World world;
      world.config.awake_carts = awake ? carts : 0;
      world.config.choose = [](std::size_t) { return std::size_t{0}; };
      world.config.meter = &meter;
      for (int i = 0; i < carts; ++i) {
        const auto id = "a-cart-with-an-id-of-some-length-" + std::to_string(i);
        world.shop.create(id);
        world.shop.add(id, "A", 1, 100);
        if (kind == Of::cart) continue;
        world.shop.complete(id, 100);
        world.shop.reserved(id);
        if (kind == Of::session) {
          world.shop.send(id, "payment.requires_action",
                          R"({"session_id":")" + id + R"(-p1","url":"https://bank.example"})");
        }
      }
      actors::Engine engine(world.log, world.clock, world.config, nullptr);
      engine.run_until_caught_up();
      const auto report = engine.memory();
      CHECK(report.cart_actors == (awake ? carts : 0));
      CHECK(report.session_actors == (awake && kind != Of::cart ? carts : 0));
      unaccounted[awake ? 1 : 0] = report.unaccounted_bytes();
    }
    INFO("kind ", static_cast<int>(kind));
    const auto off = (unaccounted[1] - unaccounted[0]) / carts;
    CHECK(off <= most_off);
    CHECK(off >= -most_off);
  }
}

TEST_CASE("a session that its deadlines have not ended is named until it ends, by its age") {
  World world;
  actors::Engine engine(world.log, world.clock, world.config, nullptr);
  const auto looks = [&engine] {
    for (int i = 0; i < 3; ++i) engine.run_until_caught_up();
    return engine.memory();
  };
  const auto is_named = [](const actors::MemoryReport& report) {
    return std::any_of(report.leaks.begin(), report.leaks.end(), [](const actors::Leak& leak) {
      return leak.purpose == "session.age" && leak.kind == actors::LeakKind::session_without_end;
    });
  };
  world.shop.create("c");
  world.shop.add("c", "A", 1, 100);
  world.shop.complete("c", 100);
  world.shop.reserved("c");
  CHECK(!is_named(looks()));
  world.clock.time.ms += 2 * 3'600'000;  // without a tick, as if deadlines did not fire
  world.shop.send("c", "payment.requires_action", R"({"session_id":"c-p1","url":"https://bank.example/1"})");
  CHECK(!is_named(looks()));
  world.clock.time.ms += 10 * 3'600'000;
  world.shop.send("c", "payment.requires_action", R"({"session_id":"c-p1","url":"https://bank.example/2"})");
  CHECK(is_named(looks()));
  CHECK(engine.memory().sessions_too_old == 1);
  world.shop.paid("c", "payment.captured", 100);
  CHECK(!is_named(looks()));
  CHECK(engine.memory().sessions_too_old == 0);
}

TEST_CASE("a partition over its budget is renewed, and left alone where that does not help") {
  World world;
  world.config.memory.partition_bytes = 20'000;
  std::vector<std::string> said_of_it;
  actors::Engine engine(world.log, world.clock, world.config, [&](const actors::Notice& n) {
    if (n.name == "partition_over_budget") said_of_it.push_back(n.message);
  });
  world.fill(20);
  engine.run_until_caught_up();
  CHECK(said_of_it.empty());
  world.fill(400);
  engine.run_until_caught_up();
  REQUIRE(said_of_it.size() == 4);  // each of two partitions
  CHECK(said_of_it[0].find("and is renewed") != std::string::npos);
  CHECK(said_of_it[3].find("just after its renewal") != std::string::npos);
  std::int64_t renewals = 0;
  for (const auto& view : engine.partitions()) renewals += view.renewals.count;
  CHECK(renewals == 2);
  CHECK(world.store.records(events::Stream::alerts, 0).size() + world.store.records(events::Stream::alerts, 1).size() ==
        4);
  world.shop.create("another");
  engine.run_until_caught_up();
  CHECK(said_of_it.size() == 4);
}

TEST_CASE("the report as JSON names every purpose") {
  World world;
  world.fill(4);
  actors::Engine engine(world.log, world.clock, world.config, nullptr);
  engine.run_until_caught_up();
  const auto json = nlohmann::json::parse(actors::to_json(engine.memory()));
  CHECK(json.at("purposes").size() == actors::purpose_count);
  CHECK(json.at("purposes").at("partition.entries").at("blocks") == json.at("carts_open"));
  CHECK(json.at("supervisors") == 2);
}

TEST_CASE("docs/memory.md has a row for every purpose of the ledger") {
  std::ifstream in(MAYFLY_SOURCE_DIR "/docs/memory.md");
  const std::string page{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  for (std::size_t i = 0; i < actors::purpose_count; ++i) {
    const std::string row{actors::name(static_cast<actors::Purpose>(i))};
    INFO(row);
    CHECK(page.find("\n| " + row + " |") != std::string::npos);
  }
}

TEST_CASE("a backlog needs memory for the tasks of a segment, however large its batches are") {
  World world;
  constexpr int carts = 12'000;
  world.fill(carts);
  actors::Engine engine(world.log, world.clock, world.config, nullptr);
  engine.run_until_caught_up();
  const auto report = engine.memory();
  REQUIRE(report.commands >= carts);
  constexpr std::size_t partitions = 2;
  constexpr std::size_t turns = 2;
  constexpr std::size_t most_tasks = partitions * turns * actors::most_segment_tasks;
  REQUIRE(most_tasks < carts);
  const auto most = static_cast<std::int64_t>(most_tasks * (sizeof(actors::Task) + 1024));
  CHECK(report.peak_bytes[static_cast<std::size_t>(actors::Purpose::codec_tasks)] <= most);
}

TEST_CASE("what a backlog needed goes back once it is done: tasks, arenas and records") {
  World world;
  actors::Engine engine(world.log, world.clock, world.config, nullptr);
  world.fill(2'000);
  engine.run_until_caught_up();
  for (int i = 0; i < 100; ++i) engine.run_until_caught_up();
  const auto report = engine.memory();
  CHECK(report.peak_bytes[static_cast<std::size_t>(actors::Purpose::codec_tasks)] > 1'000 * 1'000);
  CHECK(of(report, actors::Purpose::codec_tasks).taken_blocks <= 2 * 2 * 64);
  CHECK(of(report, actors::Purpose::codec_arena).taken_bytes == 0);
  CHECK(of(report, actors::Purpose::log_records).taken_bytes == 0);
}
