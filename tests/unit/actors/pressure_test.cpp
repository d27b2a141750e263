// Short of memory: which level holds, and that paying goes on while new carts are told to come later.
#include "actors/memory/pressure.h"

#include "actors/engine/engine.h"
#include "actors/engine/memory_watch.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <vector>

using namespace mayfly;
using actors::PressureLevel;
using testing::said;

TEST_CASE("a level begins at once and ends after a while, one step at a time, when enough less is used") {
  struct Row {
    std::int64_t at_s;
    std::int64_t used;  // of 1,000
    std::int64_t waiting_permille;
    std::int64_t limit_hits;
    PressureLevel level;
  };
  const std::vector<Row> table = {
      {0, 799, 0, 7, PressureLevel::normal},
      {1, 800, 0, 7, PressureLevel::sleep_more},
      {2, 899, 0, 7, PressureLevel::sleep_more},
      {3, 900, 0, 7, PressureLevel::admission_closed},
      {4, 960, 0, 7, PressureLevel::reading_stopped},
      {8, 100, 0, 7, PressureLevel::reading_stopped},  // holds 5 s
      {9, 910, 0, 7, PressureLevel::reading_stopped},  // not enough less
      {10, 909, 0, 7, PressureLevel::admission_closed},
      {14, 100, 0, 7, PressureLevel::admission_closed},
      {15, 100, 0, 7, PressureLevel::sleep_more},
      {20, 750, 0, 7, PressureLevel::sleep_more},
      {21, 749, 0, 7, PressureLevel::normal},
      {22, 990, 0, 7, PressureLevel::reading_stopped},  // up at once, over all steps
      {27, 0, 0, 7, PressureLevel::admission_closed},
      {32, 0, 0, 7, PressureLevel::sleep_more},
      {37, 0, 0, 7, PressureLevel::normal},
      {38, 0, 99, 7, PressureLevel::normal},
      {39, 0, 100, 7, PressureLevel::sleep_more},
      {40, 0, 400, 7, PressureLevel::admission_closed},
      {41, 0, 1000, 7, PressureLevel::admission_closed},  // waiting alone never stops reading
      {46, 0, 0, 7, PressureLevel::sleep_more},
      {51, 0, 0, 7, PressureLevel::normal},
      {52, 699, 0, 8, PressureLevel::normal},      // the cgroup was at its limit, by the page cache
      {53, 700, 0, 9, PressureLevel::sleep_more},  // by what is used
      {58, 700, 0, 10, PressureLevel::sleep_more},
      {63, 0, 0, 11, PressureLevel::normal},
      {64, -1, -1, -1, PressureLevel::normal},  // a system that says nothing
  };
  actors::PressureLadder ladder;
  for (const auto& row : table) {
    CAPTURE(row.at_s);
    CHECK(ladder.look({{row.at_s * 1000}, row.used, 1000, row.waiting_permille, row.limit_hits}) == row.level);
  }
}

TEST_CASE("the process's budget is what is given, else a share of the limit, else not known") {
  CHECK(actors::process_budget(77, 90, 1000) == 77);
  CHECK(actors::process_budget(0, 90, 1000) == 900);
  CHECK(actors::process_budget(0, 90, -1) == -1);
}

TEST_CASE(
    "a budget that is a share of a cgroup's limit counts the cgroup's memory, a given one the process's, neither "
    "files") {
  struct Row {
    std::int64_t given_bytes;
    events::ProcessMemory read;
    PressureLevel level;
  };
  constexpr std::int64_t mib = 1 << 20;
  const auto read = [](std::int64_t resident, std::int64_t anonymous, std::int64_t group) {
    events::ProcessMemory m;
    m.resident = resident * mib;
    m.anonymous = anonymous * mib;
    m.group_anonymous = group < 0 ? -1 : group * mib;
    m.limit = 512 * mib;
    return m;
  };
  const Row table[] = {
      {0, read(500, 60, 60), PressureLevel::normal},  // 90% of 512 MiB: 460
      {0, read(500, 60, 420), PressureLevel::admission_closed},
      {0, read(500, 450, -1), PressureLevel::reading_stopped},
      {100 * mib, read(500, 60, 420), PressureLevel::normal},
      {100 * mib, read(500, 85, 420), PressureLevel::sleep_more},
  };
  for (const auto& row : table) {
    CAPTURE(row.read.group_anonymous);
    struct Fixed final : events::MemoryMeter {
      events::ProcessMemory memory;
      events::ProcessMemory read() override { return memory; }
    } meter;
    meter.memory = row.read;
    actors::Ledger ledger;
    actors::MemoryBudgets budgets;
    budgets.process_bytes = row.given_bytes;
    actors::MemoryWatch watch(ledger, &meter, budgets);
    watch.look({});
    CHECK(watch.report().pressure == row.level);
  }
}

TEST_CASE("while no command is decided and memory is not short, looks at it are ten times further apart") {
  struct Fixed final : events::MemoryMeter {
    events::ProcessMemory memory;
    events::ProcessMemory read() override { return memory; }
  } meter;
  actors::MemoryBudgets budgets;
  budgets.process_bytes = 100;
  actors::Ledger ledger;
  actors::MemoryWatch watch(ledger, &meter, budgets);
  for (const bool is_short : {false, true}) {
    CAPTURE(is_short);
    meter.memory.anonymous = is_short ? 90 : 10;
    actors::MemoryReport report;
    report.commands = 5;
    watch.look(std::move(report));
    CHECK(!watch.is_due({49}, 6));
    CHECK(watch.is_due({50}, 6));
    CHECK(watch.is_due({499}, 5) == is_short);
    CHECK(watch.is_due({500}, 5));
  }
}

namespace {

class Meter final : public events::MemoryMeter {
 public:
  events::ProcessMemory read() override {
    if (at_look) at_look();
    return memory;
  }
  void give_back() override { ++given_back; }
  events::ProcessMemory memory;
  std::function<void()> at_look;
  int given_back = 0;
};

/// Moved while commits read it.
class MovingClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {ms.load()}; }
  std::atomic<std::int64_t> ms{1'790'000'000'000};
};

struct World {
  MovingClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  adapters::MemoryLog log{store};
  Meter meter;
  actors::EngineConfig config;
  std::vector<std::string> notices;
  std::unique_ptr<actors::Engine> engine;

  World() {
    config.memory.look_interval = {0};
    config.memory.process_bytes = 1000;
    config.poll_wait = {1};
    config.meter = &meter;
  }
  /// Serves for so many looks, with so many thousandths of the budget used; `step_ms` pass with each.
  void serve(std::int64_t used, int looks, std::int64_t step_ms = 300) {
    serve_while(
        used, looks, [] {}, step_ms);
  }
  /// The same; `meanwhile` happens before each look.
  void serve_while(std::int64_t used, int looks, const std::function<void()>& meanwhile, std::int64_t step_ms = 300) {
    if (!engine) {
      engine = std::make_unique<actors::Engine>(log, clock, config,
                                                [this](const actors::Notice& n) { notices.emplace_back(n.name); });
    }
    std::stop_source stop;
    meter.memory.anonymous = used;
    meter.at_look = [&] {
      meanwhile();
      clock.ms += step_ms;
      if (--looks == 0) stop.request_stop();
    };
    CHECK(engine->run(stop.get_token()).end == actors::RunEnd::stopped);
  }
  [[nodiscard]] std::ptrdiff_t count(std::string_view cart, std::string_view event) const {
    const auto all = said(store, cart);
    return std::count(all.begin(), all.end(), event);
  }
  void begin_paying(const std::string& cart) {
    shop.create(cart);
    shop.add(cart, "A", 1, 700);
    shop.complete(cart, 700);
    shop.reserved(cart);
  }
};

/// What another engine writes that decides the recorded commands, and has memory enough.
std::string replayed(const adapters::MemoryStore& recorded, const events::Clock& clock) {
  adapters::MemoryStore again(recorded.partitions(), clock);
  for (events::Partition p = 0; p < recorded.partitions(); ++p) {
    for (const auto& record : recorded.records(events::Stream::commands, p)) {
      again.append_at(events::Stream::commands, record);
    }
  }
  adapters::MemoryLog log(again);
  actors::Engine engine(log, clock, {}, nullptr);
  CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  return testing::written(again);
}

}  // namespace

TEST_CASE("while admission is closed new carts are told to come later, paying ones go on, and a replay says the same") {
  World world;
  world.begin_paying("paying");
  world.serve(0, 20);
  world.serve(930, 20);  // the tick that closes admission is written and decided
  world.shop.create("new");
  world.shop.paid("paying", "payment.authorized", 700);
  world.shop.paid("paying", "payment.captured", 700);
  world.serve(930, 20);
  CHECK(said(world.store, "new") == std::vector<std::string>{"command.rejected"});
  CHECK(world.count("paying", "checkout.completed") == 1);
  world.serve(0, 100);  // open again
  world.shop.create("newer");
  world.serve(0, 20);
  CHECK(said(world.store, "newer") == std::vector<std::string>{"cart.created"});
  CHECK(std::count(world.notices.begin(), world.notices.end(), "memory_pressure_ended") == 1);
  std::set<std::string> ids;
  for (events::Partition p = 0; p < 2; ++p) {
    for (const auto& alert : world.store.records(events::Stream::alerts, p)) ids.emplace(alert.headers[1].value);
  }
  CHECK(ids.size() == 3);  // admission_closed, sleep_more, normal: each by an id of its own
  CHECK(replayed(world.store, world.clock) == testing::written(world.store));
}

TEST_CASE("while reading is stopped sessions past their deadlines are ended all the same") {
  World world;
  world.begin_paying("silent");
  world.serve(0, 20);
  REQUIRE(world.count("silent", "payment.session_opened") == 1);
  world.serve(990, 2'000, 3'000);  // an hour and a half
  CHECK(world.engine->memory().pressure == PressureLevel::reading_stopped);
  CHECK(world.count("silent", "payment.session_ended") == 1);
  CHECK(world.engine->census().sessions_open == 0);
}

TEST_CASE("while memory is short carts sleep after each batch") {
  World world;
  world.begin_paying("one");
  world.serve(0, 5);
  CHECK(world.engine->census().carts_awake == 1);
  world.shop.create("one");
  world.serve(850, 5);
  world.shop.create("one");
  world.serve(850, 5);
  CHECK(world.engine->census().carts_awake == 0);
}

TEST_CASE("a leak that is found while nothing arrives reaches the alerts all the same") {
  World world;
  world.config.memory.process_bytes = 512LL * 1024 * 1024;
  world.begin_paying("one");
  world.shop.paid("one", "payment.authorized", 700);
  world.shop.paid("one", "payment.captured", 700);
  world.serve(0, 100);
  world.meter.memory.allocated = 100'000'000;
  world.serve_while(0, 1'000, [&] { world.meter.memory.allocated += 100'000; });
  std::size_t leaks = 0;
  for (events::Partition p = 0; p < 2; ++p) {
    for (const auto& alert : world.store.records(events::Stream::alerts, p)) {
      leaks += nlohmann::json::parse(*alert.value)["alert"] == "leak" ? 1 : 0;
    }
  }
  CHECK(leaks == 1);
}

TEST_CASE("free pages go back to the system again and again while memory is short") {
  World world;
  world.serve(850, 200);  // 300 ms each
  CHECK(world.meter.given_back >= 10);
  CHECK(world.meter.given_back <= 13);
}

TEST_CASE("a clock that is set back an hour holds up neither ticks, looks, reading nor the end of a level") {
  World world;
  world.begin_paying("one");
  world.serve(0, 20);
  world.serve(990, 20);
  CHECK(world.engine->memory().pressure == PressureLevel::reading_stopped);
  world.clock.ms -= 3'600'000;
  world.shop.paid("one", "payment.authorized", 700);
  world.shop.paid("one", "payment.captured", 700);
  world.serve(990, 20);
  CHECK(world.count("one", "checkout.completed") == 1);
  world.clock.ms -= 3'600'000;
  world.serve(0, 100);
  CHECK(world.engine->memory().pressure == PressureLevel::normal);
  CHECK(world.clock.ms.load() - world.engine->memory().at.ms <= 300);  // one look is under way
}
