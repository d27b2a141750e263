// Partitions are renewed while they serve: nothing is lost, memory is compared with what is committed, and what differs
// has a name.
#include "actors/engine/engine.h"
#include "actors/engine/renewal_schedule.h"
#include "actors/partition/state_comparison.h"
#include "logs/faulty_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace mayfly;
using testing::said;

namespace {

class Meter final : public events::MemoryMeter {
 public:
  events::ProcessMemory read() override { return {}; }
  void give_back() override { ++given_back; }
  int given_back = 0;
};

struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  adapters::MemoryLog inner{store};
  adapters::FaultyLog log{inner};
  Meter meter;
  actors::EngineConfig config;
  std::vector<std::string> notices;
  std::unique_ptr<actors::Engine> engine;

  World() {
    config.meter = &meter;
    config.first_pause = config.most_pause = {};
  }
  actors::Engine& serve() {
    if (!engine) {
      engine = std::make_unique<actors::Engine>(log, clock, config,
                                                [this](const actors::Notice& n) { notices.emplace_back(n.name); });
    }
    CHECK(engine->run_until_caught_up().end == actors::RunEnd::caught_up);
    return *engine;
  }
  std::vector<actors::PartitionView> renew_all() {
    CHECK(engine->renew());
    serve();
    return engine->partitions();
  }
  /// "name: message" of each alert.
  std::vector<std::string> alerts() {
    std::vector<std::string> all;
    for (events::Partition p = 0; p < store.partitions(); ++p) {
      for (const auto& record : store.records(events::Stream::alerts, p)) all.emplace_back(*record.value);
    }
    return all;
  }
  [[nodiscard]] std::ptrdiff_t noticed(std::string_view name) const {
    return std::count(notices.begin(), notices.end(), name);
  }
};

std::int64_t sum(const std::vector<actors::PartitionView>& views, std::int64_t actors::Renewals::*of) {
  std::int64_t all = 0;
  for (const auto& view : views) all += view.renewals.*of;
  return all;
}

void half_a_checkout(testing::Shop& shop, const std::string& cart) {
  shop.create(cart);
  shop.add(cart, "A", 2, 350);
  shop.complete(cart, 700);
  shop.reserved(cart);
}
void the_other_half(testing::Shop& shop, const std::string& cart) {
  shop.paid(cart, "payment.authorized", 700);
  shop.paid(cart, "payment.captured", 700);
}

}  // namespace

TEST_CASE("carts that are renewed in the middle of a checkout go on as if nothing had been") {
  std::string undisturbed;
  for (const bool renew : {false, true}) {
    for (const std::size_t awake : {0UL, 2UL, 1000UL}) {
      World world;
      world.config.awake_carts = awake;
      for (int i = 0; i < 20; ++i) half_a_checkout(world.shop, "cart-" + std::to_string(i));
      world.serve();
      if (renew) {
        const auto views = world.renew_all();
        CHECK(sum(views, &actors::Renewals::count) == 2);
        CHECK(sum(views, &actors::Renewals::carts) == 20);
        CHECK(sum(views, &actors::Renewals::differences) == 0);
        CHECK(world.engine->census().carts_awake == 0);
        CHECK(world.meter.given_back == 2);
        CHECK(world.noticed("partition_renewed") == 2);
        CHECK(views[0].times_taken == 1);
      }
      for (int i = 0; i < 20; ++i) the_other_half(world.shop, "cart-" + std::to_string(i));
      CHECK(world.serve().census().carts_open == 0);
      const auto all = testing::written(world.store);
      if (undisturbed.empty()) undisturbed = all;
      CHECK(all == undisturbed);
      CHECK(world.alerts().empty());
    }
  }
}

TEST_CASE("a difference that was found is told once, though the commits that carry it are aborted") {
  for (const auto& faults : {std::deque<adapters::Fault>{},
                             {adapters::Fault::aborted},
                             {adapters::Fault::lost_request, adapters::Fault::aborted}}) {
    CAPTURE(faults.size());
    World world;
    world.config.after_decide = [](events::Cart& cart) {
      if (!cart.lines.empty()) cart.lines[0].quantity = 9;
    };
    world.shop.create("bad");
    world.shop.add("bad", "A", 2, 350);
    world.serve();
    CHECK(sum(world.renew_all(), &actors::Renewals::differences) == 1);
    world.log.script(faults);
    world.serve();
    world.serve();
    const auto alerts = world.alerts();
    REQUIRE(alerts.size() == 1);
    CHECK(alerts[0].find("renewal_difference") != std::string::npos);
  }
}

TEST_CASE("an actor whose state was spoiled is found, with its field, and what is committed holds") {
  World world;
  world.config.after_decide = [](events::Cart& cart) {
    if (cart.id == "bad" && !cart.lines.empty()) cart.lines[0].quantity = 9;
  };
  world.shop.create("good");
  world.shop.add("good", "A", 2, 350);
  world.shop.create("bad");
  world.shop.add("bad", "A", 2, 350);
  world.serve();
  const auto views = world.renew_all();
  CHECK(sum(views, &actors::Renewals::differences) == 1);
  const auto of_bad = static_cast<std::size_t>(events::partition_of("bad", 2));
  CHECK(views[of_bad].renewals.newest_fields == std::vector<std::string>{"lines[0].quantity"});
  CHECK(world.noticed("renewal_difference") == 1);
  world.serve();  // the tick that the engine wrote carries the alert
  const auto alerts = world.alerts();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].find("lines[0].quantity: in memory 9, committed 2") != std::string::npos);
  world.config.after_decide = nullptr;
  world.shop.complete("bad", 700);
  world.serve();
  CHECK(said(world.store, "bad").back() == "inventory.reservation_requested");
}

TEST_CASE("alerts that wait for a partition's next record outlive its renewal") {
  World world;
  bool died = false;
  world.config.at_step = [&died](actors::Step step, events::Position) {
    if (step == actors::Step::supervisor_gathers && !std::exchange(died, true)) throw std::runtime_error("planted");
  };
  world.engine =
      std::make_unique<actors::Engine>(world.log, world.clock, world.config, [&](const actors::Notice& notice) {
        if (notice.name == "partition_taken" && died) CHECK(world.engine->renew(notice.partition));
      });
  world.shop.create("c");
  world.serve();
  CHECK(sum(world.engine->partitions(), &actors::Renewals::count) == 1);
  const auto alerts = world.alerts();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].find("partition_rebuilt") != std::string::npos);
}

TEST_CASE("a partition that is not served cannot be renewed") {
  World world;
  world.serve();
  CHECK(world.engine->renew(1));
  CHECK(!world.engine->renew(7));
}

TEST_CASE("a log that does not answer in the middle of a renewal gives the partition back later, nothing lost") {
  World world;
  half_a_checkout(world.shop, "c1");
  world.serve();
  world.log.do_not_answer(0, 2);
  the_other_half(world.shop, "c1");
  CHECK(world.engine->renew());
  world.serve();
  CHECK(world.noticed("log_unavailable") == 2);
  CHECK(said(world.store, "c1").back() == "cart.converted");
}

TEST_CASE("a commit that fails before a renewal leaves nothing to renew and nothing lost") {
  World world;
  half_a_checkout(world.shop, "c1");
  world.serve();
  world.log.script({adapters::Fault::aborted});
  the_other_half(world.shop, "c1");
  CHECK(world.engine->renew());
  world.serve();
  CHECK(said(world.store, "c1").back() == "cart.converted");
  CHECK(sum(world.engine->partitions(), &actors::Renewals::differences) == 0);
}

TEST_CASE("when a partition is renewed its alerts have ids of their own") {
  World world;
  world.config.after_decide = [](events::Cart& cart) { cart.expires_after_s += 1; };
  for (int i = 0; i < 30; ++i) world.shop.create("cart-" + std::to_string(i));
  world.serve();
  const auto views = world.renew_all();
  CHECK(sum(views, &actors::Renewals::differences) == 30);
  world.serve();
  std::vector<std::string> ids;
  for (events::Partition p = 0; p < 2; ++p) {
    for (const auto& record : world.store.records(events::Stream::alerts, p)) {
      for (const auto& h : record.headers) {
        if (h.name == "ce_id") ids.emplace_back(h.value);
      }
    }
  }
  CHECK(ids.size() == 2 * actors::Findings::most_told);
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

namespace {

/// A partition as it is restored, and as it is compared with that.
struct Compared {
  World world;
  std::unique_ptr<actors::PartitionState> in_memory;
  actors::Ledger ledger;

  Compared() {
    half_a_checkout(world.shop, "c1");
    half_a_checkout(world.shop, "c2");
    world.serve();
    in_memory = restored({});
  }
  std::unique_ptr<actors::PartitionState> restored(const actors::SeenState& seen) {
    auto state = actors::restore(world.inner, events::partition_of("c1", 2), "mayfly", ledger, seen);
    return std::move(std::get<0>(state));
  }
  [[nodiscard]] actors::CartEntry& cart() const { return *in_memory->carts.find("c1"); }
  /// The fields that differ.
  std::vector<std::string> differences() {
    actors::Findings findings;
    actors::StateComparison comparison(*in_memory, findings);
    const auto woken = restored([&](const actors::PartitionState& state, std::string_view key, std::string_view value) {
      comparison.committed(state, key, value);
    });
    comparison.complete(*woken);
    CHECK(in_memory->carts.size() == 0);
    std::vector<std::string> fields;
    for (const auto& d : findings.told()) fields.push_back(d.what.field);
    return fields;
  }
};

using Fields = std::vector<std::string>;

}  // namespace

TEST_CASE("carts that were never committed are told in the order of their ids, whatever the table's key") {
  for (const auto& key : {events::HashKey{0}, events::HashKey{1}, events::HashKey{2}}) {
    actors::Ledger ledger;
    actors::PartitionState in_memory(ledger, key);
    const actors::PartitionState woken(ledger);
    for (const auto* id : {"d", "b", "e", "a", "c"}) in_memory.carts.add(id);
    actors::Findings findings;
    actors::StateComparison(in_memory, findings).complete(woken);
    std::string told;
    for (const auto& difference : findings.told()) told += difference.cart_id;
    CHECK(told == "abcde");
  }
}

TEST_CASE("state that was not touched has no difference") { CHECK(Compared().differences().empty()); }

TEST_CASE("a sleeping cart's bytes that were spoiled have a field") {
  Compared c;
  std::string cart(c.cart().cart());
  cart[cart.find('A')] = 'B';  // its line's sku
  c.in_memory->deadlines.remove(c.cart());
  c.in_memory->list_wait(c.in_memory->carts.keep(c.cart(), c.cart().wait(), cart, std::string(c.cart().session())));
  CHECK(c.differences() == Fields{"lines[0].sku"});
}

TEST_CASE("a wait that was lost, a wait that was moved, a session that was lost each have a field") {
  {
    Compared c;
    c.in_memory->deadlines.remove(c.cart());
    CHECK(c.differences().front() == "wait.listed");
  }
  {
    Compared c;
    auto wait = c.cart().wait();
    wait.length.count += 1;
    c.cart().set_wait(wait);
    CHECK(c.differences() == Fields{"wait.length_ms"});
  }
  {
    Compared c;
    c.in_memory->sessions_open = 0;
    CHECK(c.differences() == Fields{"sessions_open"});
  }
}

TEST_CASE("a cart that memory lost, and one that was never committed, are found") {
  {
    Compared c;
    c.in_memory->deadlines.remove(c.cart());
    c.in_memory->carts.remove(c.cart());
    CHECK(c.differences() == Fields{"cart"});
  }
  {
    Compared c;
    const auto snapshot = std::string(c.cart().snapshot());
    c.in_memory->carts.keep(c.in_memory->carts.add("c9"), snapshot);
    actors::Findings findings;
    actors::StateComparison comparison(*c.in_memory, findings);
    const auto woken = c.restored([&](const actors::PartitionState& state, std::string_view key,
                                      std::string_view value) { comparison.committed(state, key, value); });
    comparison.complete(*woken);
    REQUIRE(findings.differences() == 1);
    CHECK(findings.told()[0].cart_id == "c9");
  }
}

TEST_CASE("what a partition keeps beside its carts is compared too") {
  Compared c;
  c.in_memory->position.ticked.ms += 1;
  CHECK(c.differences() == Fields{"position.ticked_ms"});
}

TEST_CASE("by the schedule each partition is due once per interval, give or take the jitter") {
  for (const std::int64_t jitter : {0, 10, 100}) {
    actors::RenewalSchedule schedule({10'000}, jitter, 7);
    std::int64_t renewals = 0;
    std::int64_t longest = 0;
    events::Timestamp last{};
    for (events::Timestamp now{}; now.ms <= 1'000'000; now.ms += 10) {
      if (!schedule.due(now, 4)) continue;
      ++renewals;
      longest = std::max(longest, (now - last).count);
      last = now;
    }
    CHECK(renewals >= 390);
    CHECK(renewals <= 412);
    CHECK(longest <= 2'500 + 25 * jitter + 10);
    CHECK((longest > 2'510) == (jitter > 0));
  }
  actors::RenewalSchedule never({0}, 10, 7);
  CHECK(!never.due({1'000'000}, 4));
  CHECK(!never.due({2'000'000}, 4));
}

TEST_CASE("a schedule renews while it serves, without being asked") {
  World world;
  world.config.renewal = {events::Millis{1'000}, 0};
  world.shop.create("c1");
  std::stop_source stop;
  int renewals = 0;
  world.config.poll_wait = {1};
  world.engine = std::make_unique<actors::Engine>(world.log, world.clock, world.config, [&](const actors::Notice& n) {
    world.notices.emplace_back(n.name);
    if (n.name == "ready") world.clock.time.ms += 500;
    if (n.name == "partition_renewed") {
      world.clock.time.ms += 500;
      if (++renewals == 4) stop.request_stop();
    }
  });
  CHECK(world.engine->run(stop.get_token()).end == actors::RunEnd::stopped);
  for (const auto& view : world.engine->partitions()) CHECK(view.renewals.count == 2);
}
