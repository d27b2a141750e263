#include "actors/memory/leak_watch.h"
#include "actors/memory/let_go.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

using namespace mayfly;
using namespace mayfly::actors;

namespace {

constexpr std::int64_t mib = 1024 * 1024;
constexpr std::int64_t looks_per_s = 20;
constexpr std::int64_t budget = 512 * mib;

/// An engine as its reports show it: carts come at a rate and live a minute, ten commands each. What is noisy in a real
/// one is noisy here: actors that are about to end, messages, buffers that follow the load or fill once. The noise is a
/// fixed sequence.
struct Simulated {
  MemoryReport report;
  double open = 0;
  std::uint64_t seed = 1;
  std::int64_t caches = 0;  // of libraries: grow with use to their bound, and stay
  std::int64_t rebalance_every_s = 0;
  // What leaks, in bytes or pieces.
  std::int64_t unexplained = 0, orphaned = 0, unnamed = 0, zombies = 0, messages = 0, forgotten = 0, endless = 0,
               endless_sessions = 0;

  std::int64_t noise(double below) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int64_t>(static_cast<double>(seed >> 33) / 2147483648.0 * below);
  }
  Amounts& row(Purpose purpose) { return report.purposes[static_cast<std::size_t>(purpose)]; }

  const MemoryReport& next(double carts_per_s) {
    auto& r = report;
    r.at.ms += 1000 / looks_per_s;
    open += carts_per_s / looks_per_s - open / (60.0 * looks_per_s);
    r.supervisors = 4 + (rebalance_every_s > 0 ? r.at.ms / 1000 / rebalance_every_s % 2 : 0);
    r.commands += static_cast<std::int64_t>(carts_per_s * 10 / looks_per_s) + noise(carts_per_s / looks_per_s);
    r.carts_alive = static_cast<std::int64_t>(open);
    r.carts_open = r.carts_waiting = r.carts_alive + forgotten;
    r.carts_waiting -= endless;
    r.carts_awake = std::min<std::int64_t>(r.carts_open, 32'768);
    r.sessions_open = r.carts_open / 5;
    r.sessions_awake = r.carts_awake / 5;
    r.cart_actors = r.carts_awake + noise(carts_per_s / 5);
    r.session_actors = r.sessions_awake + noise(carts_per_s / 5) + zombies;
    r.session_actors_overdue = zombies;
    r.sessions_too_old = endless_sessions;
    r.actor_bytes = (r.cart_actors + r.session_actors) * 1600;
    r.messages = noise(20) + messages;
    r.message_bytes = r.messages * 102;
    row(Purpose::cart_lines).taken_bytes = r.carts_awake * 700;
    row(Purpose::partition_entries).taken_bytes = r.carts_open * 450;
    row(Purpose::codec_tasks).taken_bytes = std::min<std::int64_t>(20'000, r.carts_open) * 1500;
    for (auto& amounts : r.purposes) amounts.held_bytes = amounts.taken_bytes;
    row(Purpose::cart_lines).unexplained_bytes = unexplained;
    row(Purpose::session_texts).orphaned_bytes = orphaned;
    caches = std::min<std::int64_t>(2 * mib, caches + static_cast<std::int64_t>(carts_per_s * 20));
    const auto in_use = noise(carts_per_s * 200) + static_cast<std::int64_t>(carts_per_s) * 500;
    const auto estimates = r.carts_awake * 60;  // what an actor takes is not known to the byte
    r.process.limit = budget;
    r.process.allocated = r.named_bytes() + 20 * mib + caches + in_use + estimates + noise(mib / 4.0) + unnamed;
    r.process.resident = r.process.allocated + 30 * mib;
    return r;
  }
};

std::vector<Leak> run(Simulated& engine, LeakWatch& watch, std::int64_t seconds,
                      const std::function<double(std::int64_t s)>& carts_per_s) {
  std::vector<Leak> all;
  for (std::int64_t i = 0; i < seconds * looks_per_s; ++i) {
    for (auto& leak : watch.look(engine.next(carts_per_s(i / looks_per_s)))) all.push_back(leak);
  }
  return all;
}

constexpr double pi = 3.14159265358979;

}  // namespace

TEST_CASE("no false alarm on honest days") {
  struct Row {
    const char* name;
    std::int64_t seconds;
    double open;
    std::function<double(std::int64_t)> carts_per_s;
    std::int64_t rebalance_every_s = 0;
  };
  const Row rows[] = {
      {"a quiet day", 86'400, 0, [](std::int64_t) { return 5.0; }},
      {"a day of a group that is never at rest", 86'400, 0, [](std::int64_t) { return 200.0; }, 100},
      {"two days from nothing to a peak and back", 2 * 86'400, 0,
       [](std::int64_t s) { return 1000 * (1 - std::cos(2 * pi * static_cast<double>(s) / 86'400)); }},
      {"a flash sale", 7200, 0, [](std::int64_t s) { return s < 600    ? 20.0
                                                            : s < 4200 ? 2000.0
                                                                       : 50.0; }},
      {"a broker outage of ten minutes", 3600, 0,
       [](std::int64_t s) {
         return s < 600 ? 200.0 : s < 1200 ? 0.0 : s < 1300 ? 1400.0 : 200.0;
       }},
      {"a restart with 100,000 carts", 3600, 100'000, [](std::int64_t) { return 200.0; }},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    Simulated engine;
    engine.open = row.open;
    engine.rebalance_every_s = row.rebalance_every_s;
    LeakWatch watch;
    const auto found = run(engine, watch, row.seconds, row.carts_per_s);
    for (const auto& leak : found) MESSAGE(leak.begun.ms, " ", sentence(leak));
    CHECK(found.empty());
  }
}

TEST_CASE("each leak is named, by its own name and no other, before it has taken 2% of the budget") {
  struct Row {
    std::string name;
    std::int64_t Simulated::*where;
    std::int64_t each;  // bytes that one of `where` takes
    bool needs_a_trend = false;
  };
  const Row rows[] = {{"growth_per_actor cart.lines", &Simulated::unexplained, 1},
                      {"blocks_without_actor session.texts", &Simulated::orphaned, 1},
                      {"blocks_without_actor cart.end", &Simulated::forgotten, 450},
                      {"session_without_end cart.deadline", &Simulated::endless, 450},
                      {"session_without_end session.age", &Simulated::endless_sessions, 450},
                      {"unaccounted unaccounted", &Simulated::unnamed, 1, true},
                      {"blocks_without_actor session.actor", &Simulated::zombies, 1600},
                      {"growth_at_constant_actors messages", &Simulated::messages, 102, true}};
  for (const auto& row : rows) {
    for (const std::int64_t per_s : {100LL, 32'000LL, 200'000LL, 2'000'000LL}) {
      if (row.needs_a_trend && per_s == 100) continue;  // two hours and more, and the same rule
      INFO(row.name, " ", per_s, " bytes/s");
      Simulated engine;
      LeakWatch watch;
      const auto steady = [](std::int64_t) { return 2000.0; };
      REQUIRE(run(engine, watch, 600, steady).empty());
      double leaked = 0;
      std::int64_t looks = 0;
      std::vector<Leak> found;
      while (found.empty() && looks < 100'000) {
        leaked += static_cast<double>(per_s) / looks_per_s;
        engine.*row.where = static_cast<std::int64_t>(leaked / static_cast<double>(row.each));
        found = watch.look(engine.next(2000));
        ++looks;
      }
      REQUIRE(found.size() == 1);
      CHECK(std::string(name(found[0].kind)) + " " + std::string(found[0].purpose) == row.name);
      CHECK(leaked < static_cast<double>(budget) / 50);
      if (per_s == 2'000'000) CHECK(looks <= 5 * looks_per_s);
      CHECK(found[0].bytes_per_s > per_s / 3);
      CHECK(found[0].bytes_per_s < per_s * 3 + 6'000);
      CHECK(found[0].limit_in_s.has_value());
    }
  }
}

TEST_CASE("a leak is told once, and its end when nothing of it is left") {
  Simulated engine;
  LeakWatch watch;
  const auto steady = [](std::int64_t) { return 100.0; };
  run(engine, watch, 60, steady);
  engine.orphaned = 100;
  const auto begun = run(engine, watch, 120, steady);
  REQUIRE(begun.size() == 1);
  CHECK(!begun[0].ended);
  CHECK(watch.open().size() == 1);
  engine.orphaned = 0;
  const auto ended = run(engine, watch, 1, steady);
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].ended);
  CHECK(ended[0].purpose == begun[0].purpose);
  CHECK(watch.open().empty());
}

TEST_CASE("a leak that does not go on ends after five minutes, and is told anew when it grows again") {
  Simulated engine;
  LeakWatch watch;
  const auto steady = [](std::int64_t) { return 100.0; };
  engine.unexplained = 5000;
  const auto told = run(engine, watch, 400, steady);
  REQUIRE(told.size() == 2);
  CHECK(told[1].ended);
  CHECK(told[1].bytes == 5000);
  CHECK(run(engine, watch, 400, steady).empty());
  engine.unexplained = 5001;
  CHECK(run(engine, watch, 10, steady).size() == 1);
}

TEST_CASE("what one actor may hold at most by the domain's rules is its bound, whatever it says itself") {
  Simulated engine;
  LeakWatch watch;
  auto report = engine.next(100);
  auto& dedupe = report.purposes[static_cast<std::size_t>(Purpose::cart_dedupe)];
  std::vector<Leak> found;
  for (int i = 0; i < 10 && found.empty(); ++i) {
    report.at.ms += 100;
    report.cart_actors = 10;
    dedupe.taken_bytes = dedupe.held_bytes = 10 * (2 * 32 * 16) + 1;
    found = watch.look(report);
  }
  REQUIRE(found.size() == 1);
  CHECK(found[0].purpose == "cart.dedupe");
}

TEST_CASE("a trend is what rises in both halves beyond all before, not a step, a wave or what fills up fast") {
  struct Row {
    const char* name;
    bool rises;
    std::function<double(double)> of;  // value at 0 <= t < 1
  };
  const Row rows[] = {{"a line", true, [](double t) { return 1000 * t; }},
                      {"a line with waves", true, [](double t) { return 1000 * t + 20 * std::sin(1000 * t); }},
                      {"nothing", false, [](double) { return 7.0; }},
                      {"a step", false, [](double t) { return t < 0.5 ? 0.0 : 1000.0; }},
                      {"a wave", false, [](double t) { return 1000 * std::sin(1000 * t); }},
                      {"what fills up fast", false, [](double t) { return 1000 * (1 - std::exp(-80 * t)); }},
                      {"what falls", false, [](double t) { return -1000 * t; }}};
  for (const auto& row : rows) {
    INFO(row.name);
    Trend trend;
    std::int64_t most = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto rise = trend.add({i * 100}, static_cast<std::int64_t>(row.of(i / 1000.0)), 250);
      if (rise) most = std::max(most, rise->amount);
    }
    CHECK((most >= 400) == row.rises);
  }
}

TEST_CASE("a quick rise must be twice as much as a slow one") {
  for (const std::int64_t least : {1, 3, 4, 7}) {
    Trend trend;
    bool found = false;
    for (std::int64_t i = 0; i < 8; ++i) found = trend.add({i * 100}, i, least).has_value();
    CHECK(found == (2 * least <= 7));
  }
}

TEST_CASE("an actor is overdue that was let go a while ago and is not gone") {
  struct Look {
    std::int64_t ms, let_go, gone, overdue;
  };
  const Look looks[] = {{0, 100, 0, 0},      // just let go
                        {100, 100, 50, 0},   // still in time
                        {200, 100, 99, 1},   // one is late
                        {250, 100, 100, 0},  // and gone
                        {300, 200, 100, 0},  // others follow
                        {450, 300, 110, 0},  //
                        {500, 300, 110, 90}, {550, 300, 300, 0}};
  LetGo let_go;
  for (const auto& look : looks) {
    INFO(look.ms);
    CHECK(let_go.overdue({look.ms}, look.let_go, look.gone) == look.overdue);
  }
}

TEST_CASE("actors that are late must show longer if they are few or become no more") {
  struct Row {
    std::int64_t late, more_each_look;
    int looks;
  };
  const Row rows[] = {{1, 1, LeakWatch::looks_for_actors},
                      {5'000, 0, LeakWatch::looks_for_actors},
                      {5'000, 1, LeakWatch::looks_for_exact}};
  for (const auto& row : rows) {
    INFO(row.late, " and at each look ", row.more_each_look);
    Simulated engine;
    LeakWatch watch;
    REQUIRE(run(engine, watch, 600, [](std::int64_t) { return 2000.0; }).empty());
    engine.zombies = row.late;
    int looks = 1;
    while (watch.look(engine.next(2000)).empty()) {
      engine.zombies += row.more_each_look;
      ++looks;
    }
    CHECK(looks == row.looks);
  }
}

TEST_CASE("a crowd of carts that sleeps at once is no leak, however slowly its actors end") {
  for (const std::int64_t end_per_s : {20'000, 100'000, 400'000}) {
    INFO(end_per_s, " end each second");
    Simulated engine;
    LeakWatch watch;
    LetGo let_go;
    REQUIRE(run(engine, watch, 60, [](std::int64_t) { return 100.0; }).empty());
    constexpr std::int64_t crowd = 100'000;
    std::int64_t gone = 0;
    std::vector<Leak> found;
    for (int look = 0; look < 10 * looks_per_s; ++look) {
      engine.zombies = let_go.overdue(engine.report.at, crowd, gone);
      for (auto& leak : watch.look(engine.next(100))) found.push_back(leak);
      gone = std::min(crowd, gone + end_per_s / looks_per_s);
    }
    CHECK(found.empty());
  }
}

TEST_CASE("what stays of a crowd is a leak") {
  Simulated engine;
  LeakWatch watch;
  LetGo let_go;
  run(engine, watch, 60, [](std::int64_t) { return 100.0; });
  std::int64_t gone = 0;
  std::vector<Leak> found;
  for (int look = 0; look < 10 * looks_per_s; ++look) {
    engine.zombies = let_go.overdue(engine.report.at, 100'000, gone);
    for (auto& leak : watch.look(engine.next(100))) found.push_back(leak);
    gone = std::min<std::int64_t>(99'990, gone + 1'000);
  }
  REQUIRE(found.size() == 1);
  CHECK(found[0].purpose == "session.actor");
}

TEST_CASE("a slow leak is found though the group's partitions change all the time") {
  Simulated engine;
  engine.rebalance_every_s = 60;
  LeakWatch watch;
  const auto steady = [](std::int64_t) { return 200.0; };
  REQUIRE(run(engine, watch, 600, steady).empty());
  double leaked = 0;
  std::vector<Leak> found;
  while (found.empty() && leaked < static_cast<double>(budget) / 10) {
    leaked += 20'000.0 / looks_per_s;
    engine.unnamed = static_cast<std::int64_t>(leaked);
    found = watch.look(engine.next(200));
  }
  REQUIRE(found.size() == 1);
  CHECK(found[0].purpose == "unaccounted");
  CHECK(leaked < static_cast<double>(budget) / 20);  // half of the time nothing is looked at
}

TEST_CASE("a leak is measured against the budget, which safeguards keep, and not what the machine has") {
  for (const std::int64_t process_budget : {-1LL, 100LL * mib}) {
    Simulated engine;
    LeakWatch watch;
    run(engine, watch, 60, [](std::int64_t) { return 100.0; });
    engine.orphaned = 1'000;
    std::vector<Leak> found;
    while (found.empty()) {
      engine.report.budget_bytes = process_budget;
      found = watch.look(engine.next(100));
      engine.orphaned += 1'000;
    }
    const auto limit = process_budget > 0 ? process_budget : budget;
    CHECK(found[0].limit_in_s == (limit - engine.report.process.resident) / found[0].bytes_per_s);
  }
}

TEST_CASE("a leak as JSON says kind, purpose, owner, rate, time left and whom, with cart ids hashed") {
  Leak leak;
  leak.kind = LeakKind::growth_per_actor;
  leak.purpose = "cart.lines";
  leak.owner = "cart";
  leak.bytes = 3000;
  leak.bytes_per_s = 1000;
  leak.limit_in_s = 60;
  leak.holders = {{2, 0xabcULL}, {3, 0}};
  std::string text;
  append_json(text, leak);
  CHECK(nlohmann::json::parse(text) ==
        nlohmann::json::parse(R"({"kind":"growth_per_actor","purpose":"cart.lines","owner":"cart","begun_ms":0,
          "bytes":3000,"bytes_per_s":1000,"limit_in_s":60,
          "holders":[{"partition":2,"cart_hash":"0000000000000abc"},{"partition":3}]})"));
  CHECK(sentence(leak) ==
        "cart.lines: 3000 bytes of living actors that their state does not explain, 1000 bytes/s, 60 s until the "
        "limit.");
}

TEST_CASE("a clock that is set back neither ends a leak nor hides the next") {
  Simulated engine;
  LeakWatch watch;
  const auto steady = [](std::int64_t) { return 100.0; };
  run(engine, watch, 60, steady);
  engine.orphaned = 100;
  REQUIRE(run(engine, watch, 1, steady).size() == 1);
  engine.report.at.ms -= 3'600'000;
  CHECK(run(engine, watch, 100, steady).empty());
  engine.unnamed = 0;
  std::vector<Leak> found;
  for (int i = 0; i < 100 * looks_per_s && found.empty(); ++i) {
    engine.unnamed += 100'000;
    found = watch.look(engine.next(100));
  }
  REQUIRE(found.size() == 1);
  CHECK(found[0].purpose == "unaccounted");
  CHECK(found[0].limit_in_s.has_value());
  LetGo let_go;
  CHECK(let_go.overdue({5'000'000}, 10, 0) == 0);
  CHECK(let_go.overdue({1'000'000}, 10, 0) == 0);
  CHECK(let_go.overdue({1'000'200}, 10, 0) == 10);
}
