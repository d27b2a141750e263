// Restarts, dead letters, quarantine, rebuilding: what supervision does, and that a replay comes to the same.
#include "actors/engine/engine.h"
#include "events/state/snapshot.h"
#include "logs/faulty_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <new>
#include <stdexcept>

using namespace mayfly;
using testing::said;

namespace {

const events::Partition home = events::partition_of("c1", 2);

struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  actors::EngineConfig config;
  std::vector<std::string> notices;
  std::string failures;  // of actors, as notices tell them
  actors::RunResult result;

  World() { config.supervision.cart_dead_letters = {1, events::Millis{60'000}}; }

  actors::Census serve() {
    adapters::MemoryLog log(store);
    actors::Engine engine(log, clock, config, [this](const actors::Notice& n) {
      notices.emplace_back(n.name);
      if (n.name == "actor_failed") failures += n.message;
    });
    result = engine.run_until_caught_up();
    return engine.census();
  }
  /// Kills the actor that decides one of these offsets of c1's partition, each time.
  void poison(const std::vector<events::Offset>& offsets) {
    config.before_decide = [offsets](std::string_view, events::Position at) {
      if (at.partition == home && std::find(offsets.begin(), offsets.end(), at.offset) != offsets.end())
        throw std::runtime_error("planted \"death\" of 4111 1111 1111 1111");
    };
  }
  void release(std::string_view cart) {
    std::string data;
    events::append_release_data(data, clock.time, cart);
    shop.tick(home, data, "/mayfly/deadletters");
  }
  [[nodiscard]] std::vector<std::string> alerts() const {
    std::vector<std::string> names;
    for (const auto& record : store.records(events::Stream::alerts, home))
      names.push_back(nlohmann::json::parse(record.value.value_or("{}"))["alert"]);
    return names;
  }
  [[nodiscard]] std::vector<std::string> reasons() const {
    std::vector<std::string> all;
    for (const auto& record : store.records(events::Stream::deadletters, home)) {
      for (const auto& h : record.headers) {
        if (h.name == "mayfly.reason") all.emplace_back(h.value);
      }
    }
    return all;
  }
};

/// The recorded commands once more on an empty log, skipping what command.dead_lettered names.
std::string replayed(const World& recorded) {
  World again;
  std::map<std::pair<events::Position, std::string>, events::DeadLetterReason> withheld;
  for (events::Partition p = 0; p < 2; ++p) {
    for (const auto& record : recorded.store.records(events::Stream::commands, p)) {
      again.store.append_at(events::Stream::commands, record);
    }
    for (const auto& record : recorded.store.records(events::Stream::events, p)) {
      const auto data = nlohmann::json::parse(*record.value);
      if (!data.contains("reason") || !data.contains("offset")) continue;
      const auto reason = events::dead_letter_reason_from_name(data["reason"].get<std::string>());
      if (!reason) continue;
      const std::string cart = data.contains("cart_id") ? data["cart_id"].get<std::string>()
                                                        : std::string(record.key.value_or(events::Bytes{}));
      withheld[{{p, data["offset"].get<events::Offset>()}, cart}] = *reason;
    }
  }
  again.config.withheld = [&](events::Position at, std::string_view cart) -> std::optional<events::DeadLetterReason> {
    const auto found = withheld.find({at, std::string(cart)});
    if (found == withheld.end()) return std::nullopt;
    return found->second;
  };
  again.serve();
  CHECK(again.result.end == actors::RunEnd::caught_up);
  CHECK(std::find(again.notices.begin(), again.notices.end(), "actor_failed") == again.notices.end());
  return testing::written(again.store);
}

}  // namespace

TEST_CASE("a broken precondition costs one cart its actor: that cart is quarantined, the others are decided") {
  World world;
  world.config.before_decide = [](std::string_view cart, events::Position at) {
    events::Cart other(std::pmr::get_default_resource());
    if (cart == "c1" && at.offset > 0) evolve(other, events::CartLineRemoved{"A", 0}, {{}, {}, events::Settings{}});
  };
  for (const auto* cart : {"c1", "c2"}) {
    world.shop.create(cart);
    for (const auto* sku : {"A", "B"}) world.shop.add(cart, sku, 1, 100);
  }
  const auto census = world.serve();
  CHECK(world.result.end == actors::RunEnd::caught_up);
  CHECK(census.carts_open == 2);
  CHECK(census.carts_quarantined == 1);
  CHECK(world.reasons() == std::vector<std::string>{"keeps_failing", "quarantined"});
  CHECK(world.failures.find("evolve: the line that is removed is one of the cart's") != std::string::npos);
}

TEST_CASE("a cart that keeps dying is quarantined: what follows becomes dead letters, an alert says so once") {
  World world;
  world.poison({1, 2, 3});
  world.shop.create("c1");
  for (const auto* sku : {"A", "B", "C", "D"}) world.shop.add("c1", sku, 1, 100);
  const auto census = world.serve();
  CHECK(world.reasons() == std::vector<std::string>{"keeps_failing", "quarantined", "quarantined", "quarantined"});
  CHECK(world.alerts() == std::vector<std::string>{"cart_restarted", "cart_quarantined"});
  CHECK(census.restarts == 6);
  CHECK(census.carts_quarantined == 1);
  CHECK(census.carts_open == 1);
  CHECK(replayed(world) == testing::written(world.store));
}

TEST_CASE("failures further apart than the intensity's time do not quarantine") {
  for (const std::int64_t apart : {60'000, 60'001}) {
    World world;
    world.poison({1, 2});
    world.shop.create("c1");
    world.shop.add("c1", "A", 1, 100);
    world.clock.time.ms += apart;
    world.shop.add("c1", "B", 1, 100);
    CHECK(world.serve().carts_quarantined == (apart == 60'000 ? 1 : 0));
    CHECK(replayed(world) == testing::written(world.store));
  }
}

TEST_CASE("a cart whose actor dies too often though each command succeeds in the end is quarantined") {
  World world;
  world.config.supervision.cart_restarts = {3, events::Millis{1'000}};
  std::map<events::Offset, int> deaths;
  world.config.before_decide = [&](std::string_view, events::Position at) {
    if (++deaths[at.offset] <= 1) throw std::runtime_error("planted");
  };
  world.shop.create("c1");
  for (const auto* sku : {"A", "B", "C", "D"}) world.shop.add("c1", sku, 1, 100);
  world.config.batch_records = 1;
  world.serve();
  CHECK(said(world.store, "c1") == std::vector<std::string>{"cart.created", "cart.line_added", "cart.line_added",
                                                            "command.dead_lettered", "command.dead_lettered"});
  CHECK(world.reasons() == std::vector<std::string>{"quarantined", "quarantined"});
  CHECK(replayed(world) == testing::written(world.store));
}

TEST_CASE("a quarantine outlives the engine and ends when an operator releases the cart") {
  World world;
  world.poison({1, 2});
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.add("c1", "B", 1, 100);
  CHECK(world.serve().carts_quarantined == 1);
  world.config.before_decide = nullptr;
  world.shop.add("c1", "C", 1, 100);
  CHECK(world.serve().carts_quarantined == 1);
  CHECK(said(world.store, "c1").back() == "command.dead_lettered");
  world.release("c1");
  world.shop.add("c1", "D", 1, 100);
  CHECK(world.serve().carts_quarantined == 0);
  CHECK(said(world.store, "c1").back() == "cart.line_added");
  CHECK(world.alerts().back() == "cart_released");
  CHECK(replayed(world) == testing::written(world.store));
}

TEST_CASE("the wait of a quarantined cart rests, and begins again when the cart is released") {
  World world;
  world.poison({3, 4});
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.complete("c1", 100);  // a reservation's wait of 60 s
  world.shop.add("c1", "B", 1, 100);
  world.shop.add("c1", "C", 1, 100);
  for (int tick = 0; tick < 3; ++tick) {
    world.clock.time.ms += 3'600'000;
    world.shop.tick(home, world.clock.time, 4 + tick);
  }
  world.serve();
  CHECK(said(world.store, "c1").back() == "command.dead_lettered");
  world.release("c1");  // offset 8
  world.shop.tick(home, world.clock.time, 8);
  world.clock.time.ms += 59'999;
  world.shop.tick(home, world.clock.time, 9);
  world.serve();
  CHECK(said(world.store, "c1").back() == "command.dead_lettered");
  world.clock.time.ms += 1;
  world.shop.tick(home, world.clock.time, 10);
  world.serve();
  CHECK(said(world.store, "c1").back() == "checkout.reopened");
  CHECK(replayed(world) == testing::written(world.store));
}

TEST_CASE("a cart made by a later cart.create than the one that failed remembers what was withheld behind it") {
  World world;
  world.config.supervision.cart_dead_letters = {2, events::Millis{60'000}};
  world.poison({0, 4});
  world.config.withheld = [](events::Position at, std::string_view) -> std::optional<events::DeadLetterReason> {
    if (at.partition != home || (at.offset != 1 && at.offset != 3)) return std::nullopt;
    return events::DeadLetterReason::keeps_failing;
  };
  world.shop.create("c1");            // dies
  world.shop.add("c1", "A", 1, 100);  // withheld before there is a cart
  world.shop.create("c1");            // makes it
  world.shop.add("c1", "B", 1, 100);  // withheld: the first that counts
  world.shop.add("c1", "C", 1, 100);  // dies: the second
  world.shop.add("c1", "D", 1, 100);
  CHECK(world.serve().carts_quarantined == 0);
  CHECK(said(world.store, "c1") == std::vector<std::string>{"command.dead_lettered", "command.dead_lettered",
                                                            "cart.created", "command.dead_lettered",
                                                            "command.dead_lettered", "cart.line_added"});
  CHECK(replayed(world) == testing::written(world.store));
}

TEST_CASE("a deadline that kills its cart is a dead letter that names tick and cart; a replay does the same") {
  World world;
  world.poison({4});
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.complete("c1", 100);
  world.shop.tick(home, world.clock.time, 2);
  world.clock.time.ms += 60'000;
  world.shop.tick(home, world.clock.time, 3);  // offset 4 fires the wait
  world.clock.time.ms += 60'000;
  world.shop.tick(home, world.clock.time, 4);
  world.clock.time.ms += 60'000;
  world.shop.tick(home, world.clock.time, 5);
  world.serve();
  CHECK(world.reasons() == std::vector<std::string>{"keeps_failing"});
  CHECK(said(world.store, "c1").back() == "checkout.reopened");
  CHECK(replayed(world) == testing::written(world.store));
}

TEST_CASE("batches of any size quarantine at the same record") {
  std::string expected;
  for (const std::size_t batch : {1UL, 2UL, 3UL, 100UL}) {
    World world;
    world.config.batch_records = batch;
    world.poison({2, 5, 7});
    world.shop.create("c1");
    for (int i = 0; i < 8; ++i) world.shop.add("c1", "S" + std::to_string(i), 1, 100);
    world.serve();
    const auto all = testing::written(world.store);
    if (expected.empty()) expected = all;
    CHECK(all == expected);
  }
}

TEST_CASE("a partition whose carts die more often than is borne is rebuilt from the log and goes on") {
  World world;
  world.config.supervision.partition_restarts = {2, events::Millis{1'000}};
  world.config.batch_records = 2;
  world.poison({1});
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.add("c1", "B", 1, 100);
  const auto census = world.serve();
  CHECK(world.result.end == actors::RunEnd::caught_up);
  CHECK(census.rebuilds == 1);
  CHECK(said(world.store, "c1") ==
        std::vector<std::string>{"cart.created", "command.dead_lettered", "cart.line_added"});
  CHECK(world.alerts() == std::vector<std::string>{"cart_restarted", "partition_rebuilt"});
}

TEST_CASE("a supervisor that dies at any step is built anew, and what it says in the end is the same") {
  const auto fill = [](World& world) {
    for (int i = 0; i < 6; ++i) world.shop.whole_checkout("cart-" + std::to_string(i), 100 + i);
  };
  World undisturbed;
  fill(undisturbed);
  undisturbed.serve();
  using actors::Step;
  for (const auto step : {Step::supervisor_reads, Step::supervisor_gathers, Step::supervisor_writes}) {
    for (int nth = 0; nth < 12; ++nth) {
      World world;
      world.config.batch_records = 7;
      fill(world);
      std::atomic<int> seen{0};
      world.config.at_step = [&](Step at, events::Position) {
        if (at == step && seen++ == nth) throw std::runtime_error("planted");
      };
      const auto census = world.serve();
      CHECK(world.result.end == actors::RunEnd::caught_up);
      CHECK(census.rebuilds == (seen > nth ? 1 : 0));
      CHECK(testing::written(world.store) == testing::written(undisturbed.store));
    }
  }
}

TEST_CASE("a cart that has no memory for its reply decides again, and the batch goes on") {
  const auto fill = [](World& world) {
    for (int i = 0; i < 6; ++i) world.shop.whole_checkout("cart-" + std::to_string(i), 100 + i);
  };
  World undisturbed;
  fill(undisturbed);
  undisturbed.serve();
  for (int nth = 0; nth < 20; ++nth) {
    CAPTURE(nth);
    World world;
    world.config.batch_records = 7;
    fill(world);
    std::atomic<int> seen{0};
    world.config.at_step = [&](actors::Step at, events::Position) {
      if (at == actors::Step::cart_replies && seen++ == nth) throw std::bad_alloc();
    };
    const auto census = world.serve();
    CHECK(world.result.end == actors::RunEnd::caught_up);
    CHECK(census.restarts == (seen > nth ? 1 : 0));
    CHECK(testing::written(world.store) == testing::written(undisturbed.store));
  }
}

TEST_CASE("a damaged state record costs its cart: it is quarantined by name until the record is mended") {
  const auto damaged = [](std::string bytes) { return bytes.substr(0, bytes.size() / 4); };
  const auto negative_length = [](std::string bytes) { return bytes.replace(1, 1, "\x1f"); };
  for (const auto& damage : {std::function<std::string(std::string)>(damaged), {negative_length}}) {
    World world;
    for (const auto* cart : {"c1", "c2", "c3", "c4"}) world.shop.create(cart);
    world.serve();
    const auto whole = *world.store.state(home).at("c1");
    const auto put = [&](const std::string& value) {
      world.store.append({events::Stream::state, home, "c1", value, {}});
    };
    put(damage(whole));
    for (const auto* cart : {"c1", "c2", "c3", "c4"}) world.shop.add(cart, "A", 1, 100);
    const auto census = world.serve();
    CHECK(world.result.end == actors::RunEnd::caught_up);
    CHECK(census.carts_quarantined == 1);
    CHECK(std::count(world.notices.begin(), world.notices.end(), "state_unreadable") == 1);
    CHECK(world.alerts() == std::vector<std::string>{"state_unreadable"});
    CHECK(world.reasons() == std::vector<std::string>{"state_unreadable"});
    CHECK(said(world.store, "c1") == std::vector<std::string>{"cart.created", "command.dead_lettered"});
    CHECK(said(world.store, "c2") == std::vector<std::string>{"cart.created", "cart.line_added"});
    CHECK(world.store.state(home).at("c1") == damage(whole));
    put(whole);
    world.shop.add("c1", "B", 1, 100);
    CHECK(world.serve().carts_quarantined == 0);
    CHECK(said(world.store, "c1").back() == "cart.line_added");
    CHECK(replayed(world) == testing::written(world.store));
  }
}

TEST_CASE("a cart that is paying and has no session, or the reverse, is never decided with") {
  for (const bool paying : {true, false}) {
    World world;
    world.shop.create("c1");
    world.shop.add("c1", "A", 1, 100);
    if (paying) {
      world.shop.complete("c1", 100);
      world.shop.reserved("c1");
    }
    world.serve();
    const auto whole = *world.store.state(home).at("c1");
    const auto parts = std::get<events::SnapshotParts>(events::split_snapshot(whole));
    events::Session session(std::pmr::get_default_resource());
    session.number = 1;
    session.amount_minor = 100;
    std::string session_bytes;
    if (!paying) append_session(session_bytes, session);
    std::string value;
    append_snapshot(value, parts.wait, parts.cart, session_bytes);
    world.store.append({events::Stream::state, home, "c1", value, {}});
    world.shop.send("c1", "cart.cancel", "{}");
    world.serve();
    CHECK(world.reasons() == std::vector<std::string>{"keeps_failing"});
    CHECK(said(world.store, "c1").back() == "command.dead_lettered");
  }
}

TEST_CASE("a state record whose wait does not fit its cart stops nothing") {
  for (int phase = 0; phase < 3; ++phase) {
    for (int kind = 0; kind <= static_cast<int>(events::WaitKind::status_try); ++kind) {
      CAPTURE(phase);
      CAPTURE(kind);
      World world;
      world.shop.create("c1");
      world.shop.add("c1", "A", 1, 100);
      if (phase > 0) world.shop.complete("c1", 100);
      if (phase > 1) world.shop.reserved("c1");
      world.serve();
      const auto whole = *world.store.state(home).at("c1");
      const auto parts = std::get<events::SnapshotParts>(events::split_snapshot(whole));
      std::string value;
      events::append_snapshot(value,
                              {static_cast<events::WaitKind>(kind), {1}, events::no_offset, events::Timestamp{1}},
                              parts.cart, parts.session);
      world.store.append({events::Stream::state, home, "c1", value, {}});
      world.shop.create("c2");
      world.shop.tick(home, world.clock.time, 1'000);
      world.serve();
      CHECK(world.result.end == actors::RunEnd::caught_up);
      CHECK(said(world.store, "c2") == std::vector<std::string>{"cart.created"});
    }
  }
}

TEST_CASE("a record of a newer program, or too many that are damaged, are no matter of one cart") {
  for (const std::string& value : {std::string("\x09"), std::string("\x03")}) {
    World world;
    const bool newer = value == "\x09";
    for (int i = 0; i <= (newer ? 0 : 100); ++i) {
      world.store.append({events::Stream::state, home, "c" + std::to_string(i), value, {}});
    }
    std::string position;
    events::append_position(position, {0, {}, 2, "mayfly", {}});
    world.store.append({events::Stream::state, home, events::position_key, position, {}});
    world.serve();
    CHECK(world.result.end == actors::RunEnd::failed);
    CHECK(world.result.error == events::LogError::corrupt);
    CHECK(world.result.message.find(newer ? "at least as new" : "more than 100 such records") != std::string::npos);
  }
}

TEST_CASE("a supervisor that dies again and again ends the engine, which says why") {
  World world;
  world.config.at_step = [](actors::Step at, events::Position) {
    if (at == actors::Step::supervisor_gathers) throw std::runtime_error("planted");
  };
  world.shop.create("c1");
  const auto census = world.serve();
  CHECK(world.result.end == actors::RunEnd::failed);
  CHECK(world.result.error == events::LogError::none);
  CHECK(world.result.message.find("supervision.partition_rebuilds") != std::string::npos);
  CHECK(census.rebuilds == 3);
  CHECK(said(world.store).empty());
}

TEST_CASE("alerts of restarts are once per cause and minute, and carry no card number") {
  World world;
  world.config.supervision.cart_dead_letters.most = 8;
  world.config.supervision.cart_restarts.most = 1'000;
  world.poison({1, 2, 3, 4, 5});
  world.shop.create("c1");
  for (int i = 0; i < 4; ++i) world.shop.add("c1", "A", 1, 100);
  world.clock.time.ms += 60'000;
  world.shop.add("c1", "A", 1, 100);
  world.serve();
  const auto alerts = world.store.records(events::Stream::alerts, home);
  REQUIRE(alerts.size() == 2);
  const std::string second(*alerts[1].value);
  CHECK(second.find("since it was last said 12 times") != std::string::npos);
  CHECK(second.find("4111") == std::string::npos);
}

TEST_CASE("a cart.create that fails only when it is decided again leaves nothing of what its cart decided meanwhile") {
  World world;
  std::map<events::Offset, int> seen;
  world.config.before_decide = [&](std::string_view, events::Position at) {
    const int times = ++seen[at.offset];
    if ((at.offset == 2 && times == 1) || (at.offset == 0 && times > 1)) throw std::runtime_error("planted");
  };
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.add("c1", "B", 1, 100);
  world.serve();
  CHECK(said(world.store, "c1") ==
        std::vector<std::string>{"command.dead_lettered", "command.rejected", "command.rejected"});
  CHECK(replayed(world) == testing::written(world.store));
}
