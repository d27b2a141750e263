// Transactions of others that hold up a partition, and instances that own none: what the engine says of itself.
#include "actors/engine/engine.h"
#include "actors/engine/pending_watch.h"
#include "logs/memory_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <utility>
#include <vector>

using namespace mayfly;
using actors::PendingWatch;

namespace {

/// Moved by the test while a commit on its own thread reads it.
class AtomicClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {ms.load()}; }
  std::atomic<std::int64_t> ms{testing::SetClock{}.now().ms};
};

/// A log whose clock moves a second with each poll, with figures and ownership as a script has them.
class ScriptedLog final : public events::Log {
 public:
  ScriptedLog(adapters::MemoryStore& store, testing::SetClock& clock) : inner_(store), clock_(clock) {}
  events::LogFigures now_figures;
  std::function<void(std::int64_t second)> at;
  bool owns_nothing = false;
  bool settled = true;
  int refused_appends = 0;
  std::vector<events::Partition> loses;  // with the next poll
  std::vector<events::Skipped> skips;    // with the next poll

  [[nodiscard]] std::int32_t partitions() const override { return inner_.partitions(); }
  events::Polled poll(const events::PollLimits& limits) override {
    clock_.time.ms += 1'000;
    at(++second_);
    auto polled = inner_.poll({limits.records, limits.bytes, events::Millis{0}});
    if (owns_nothing) polled = {};
    polled.settled = settled;
    polled.lost = std::exchange(loses, {});
    polled.skipped = std::exchange(skips, {});
    return polled;
  }
  events::Restored restore(events::Partition p, const std::function<void(events::Bytes, events::Bytes)>& f) override {
    return inner_.restore(p, f);
  }
  void start(events::Partition p, events::Offset from) override { inner_.start(p, from); }
  events::CommitResult commit(const events::Commit& commit) override { return inner_.commit(commit); }
  events::LogStatus append(const events::NewRecord& record) override {
    if (record.stream == events::Stream::alerts && refused_appends-- > 0) {
      return {events::LogError::unavailable, "planted."};
    }
    return inner_.append(record);
  }
  events::LogFigures figures() override { return now_figures; }

 private:
  adapters::MemoryLog inner_;
  testing::SetClock& clock_;
  std::int64_t second_ = 0;
};

struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  ScriptedLog log{store, clock};
  actors::EngineConfig config;
  std::vector<std::string> notices;
  std::map<std::string, std::map<std::string, std::int64_t>> numbers;  // of the newest notice of each name
  std::stop_source stop;

  void run(const std::function<void(std::int64_t second, const actors::Engine&)>& script) {
    config.pending_limit = events::Millis{10'000};
    config.first_pause = config.most_pause = {};
    actors::Engine engine(log, clock, config, [this](const actors::Notice& n) {
      notices.emplace_back(n.name);
      for (const auto& figure : n.figures) numbers[std::string(n.name)][std::string(figure.name)] = figure.value;
    });
    log.at = [&](std::int64_t second) { script(second, engine); };
    engine.run(stop.get_token());
  }
  [[nodiscard]] std::ptrdiff_t said(std::string_view name) const {
    return std::count(notices.begin(), notices.end(), name);
  }
};

std::vector<events::PartitionFigures> figures(events::Partition p, std::int64_t pending, events::Offset stable) {
  return {{.partition = p, .pending_records = pending, .stable_offset = stable}};
}

std::int64_t open(const actors::Engine& engine, actors::LastingAlert alert) {
  return engine.census().alerts_open.at(static_cast<std::size_t>(alert));
}

}  // namespace

TEST_CASE("a transaction that holds up a partition is an alert and a line, once, and so is its end") {
  World world;
  world.log.refused_appends = 2;  // tried again until they are written
  std::vector<std::int64_t> open_at;
  world.run([&](std::int64_t second, const actors::Engine& engine) {
    world.log.now_figures.partitions = figures(1, second < 40 ? 5 : 0, second < 40 ? 17 : 22);
    if (second == 5 || second == 39 || second == 60) {
      open_at.push_back(open(engine, actors::LastingAlert::transaction_hanging));
    }
    if (second == 60) world.stop.request_stop();
  });
  CHECK(open_at == std::vector<std::int64_t>{0, 1, 0});
  CHECK(world.said("transaction_hanging") == 1);
  CHECK(world.said("transaction_ended") == 1);
  CHECK(world.numbers["transaction_hanging"]["offset"] == 17);
  CHECK(world.numbers["transaction_hanging"]["records"] == 5);
  CHECK(world.numbers["transaction_hanging"]["lasted_ms"] > 10'000);
  CHECK(world.said("alert_not_written") == 2);
  const auto alerts = world.store.records(events::Stream::alerts, 1);
  REQUIRE(alerts.size() == 2);
  const char* expected[] = {"transaction_hanging", "transaction_ended"};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto data = nlohmann::json::parse(*alerts[i].value);
    CHECK(data["alert"] == expected[i]);
    CHECK(data["offset"] == 17);
    CHECK(alerts[i].key == "1");
    for (const auto& h : alerts[i].headers) {
      if (h.name == "ce_id") CHECK(h.value == "1-17-" + std::string(expected[i]) + "-0");
    }
  }
}

TEST_CASE("what is found once and whose alert the log refuses is alerted when the log takes it, in the order found") {
  struct Meter final : events::MemoryMeter {
    events::ProcessMemory memory;
    events::ProcessMemory read() override { return memory; }
  } meter;
  for (const int refused : {0, 3, 100}) {
    CAPTURE(refused);
    World world;
    world.config.meter = &meter;
    world.config.memory.process_bytes = 1'000;
    world.log.refused_appends = refused;
    std::vector<std::int64_t> open_at;
    world.run([&](std::int64_t second, const actors::Engine& engine) {
      meter.memory.anonymous = second >= 5 && second < 30 ? 850 : 100;
      if (second == 3 || second == 25 || second == 200) {
        open_at.push_back(open(engine, actors::LastingAlert::memory_pressure));
      }
      if (second == 200) world.stop.request_stop();
    });
    CHECK(open_at == std::vector<std::int64_t>{0, 1, 0});
    CHECK(world.said("memory_pressure") == 1);
    CHECK(world.numbers["memory_pressure"]["used_bytes"] == 850);
    CHECK(world.numbers["memory_pressure"]["budget_bytes"] == 1'000);
    std::vector<std::string> names;
    for (const auto& alert : world.store.records(events::Stream::alerts, 0)) {
      names.push_back(nlohmann::json::parse(*alert.value)["alert"]);
    }
    CHECK(names == std::vector<std::string>{"memory_pressure", "memory_pressure_ended"});
    CHECK((world.said("alert_not_written") > 0) == (refused > 0));
  }
}

TEST_CASE(
    "while the log's clock and the engine's are over 60 s apart it is not ready, and alerts say so and when it is "
    "over") {
  for (const std::int64_t skew_ms : {60'000, 60'001, -60'001}) {
    CAPTURE(skew_ms);
    AtomicClock log_clock;
    adapters::MemoryStore store{1, log_clock};
    testing::Shop shop{store};
    testing::SetClock clock;
    ScriptedLog log{store, clock};
    std::vector<bool> ready;
    std::vector<std::int64_t> open_at;
    std::stop_source stop;
    actors::EngineConfig config;
    config.first_pause = config.most_pause = {};
    actors::Engine engine(log, clock, config, nullptr);
    log.at = [&](std::int64_t second) {
      const auto skew = second < 20 ? skew_ms : 0;
      log_clock.ms = clock.time.ms - skew;
      shop.tick(0, clock.time, -1);
      if (second == 18 || second == 28) {
        ready.push_back(engine.ready());
        open_at.push_back(open(engine, actors::LastingAlert::clocks_apart));
      }
      if (second == 30) stop.request_stop();
    };
    engine.run(stop.get_token());
    const bool beyond = skew_ms != 60'000;
    CHECK(ready == std::vector<bool>{!beyond, true});
    CHECK(open_at == std::vector<std::int64_t>{beyond ? 1 : 0, 0});
    std::vector<std::string> names;
    for (const auto& alert : store.records(events::Stream::alerts, 0)) {
      auto name = nlohmann::json::parse(*alert.value)["alert"].get<std::string>();
      if (name.starts_with("clocks")) names.push_back(std::move(name));
    }
    CHECK(names == (beyond ? std::vector<std::string>{"clocks_apart", "clocks_agree"} : std::vector<std::string>{}));
  }
}

TEST_CASE("a tick that was written on a machine whose clock is wrong does not make the engine's own clock wrong") {
  struct Row {
    const char* source;
    bool apart;
  };
  for (const auto& row : {Row{"/mayfly/deadletters", false}, Row{"/mayfly/mayfly", true}}) {
    CAPTURE(row.source);
    World world;
    testing::Shop shop{world.store};
    bool ready = false;
    world.run([&](std::int64_t second, const actors::Engine& engine) {
      if (second == 5) {
        std::string data;
        events::append_tick_data(data, world.clock.time + events::Millis{3'600'000}, -1, nullptr, {});
        shop.tick(0, data, row.source);
      }
      if (second == 8) ready = engine.ready();
      if (second == 10) world.stop.request_stop();
    });
    CHECK(ready == !row.apart);
    CHECK((world.said("clocks_apart") > 0) == row.apart);
  }
}

TEST_CASE("commands that cannot be read are skipped with an alert and a line that say where they are") {
  World world;
  world.run([&](std::int64_t second, const actors::Engine&) {
    if (second == 2) world.log.skips = {{{1, 7}, 12, "They are too large."}};
    if (second == 4) world.stop.request_stop();
  });
  CHECK(world.said("commands_skipped") == 1);
  const auto alerts = world.store.records(events::Stream::alerts, 1);
  REQUIRE(alerts.size() == 1);
  const auto data = nlohmann::json::parse(*alerts[0].value);
  CHECK(data["alert"] == "commands_skipped");
  CHECK(data["offset"] == 7);
  CHECK(data["message"].get<std::string>().find("1:7 up to before offset 12") != std::string::npos);
}

TEST_CASE("a figure of the log over its limit is an alert that is open until the figure is back") {
  World world;
  std::vector<std::int64_t> open_at;
  world.run([&](std::int64_t second, const actors::Engine& engine) {
    const auto value = second >= 5 && second < 15 ? 11 : 1;
    world.log.now_figures.others = {{.name = "wal_bytes", .value = value, .limit = 10, .advice = "Advice."}};
    if (second == 4 || second == 14 || second == 20) {
      open_at.push_back(open(engine, actors::LastingAlert::log_over_limit));
    }
    if (second == 20) world.stop.request_stop();
  });
  CHECK(open_at == std::vector<std::int64_t>{0, 1, 0});
  CHECK(world.said("log_over_limit") == 1);
  CHECK(world.said("log_within_limit") == 1);
  CHECK(world.numbers["log_over_limit"] == std::map<std::string, std::int64_t>{{"wal_bytes", 11}, {"limit", 10}});
}

TEST_CASE("a partition that goes to another engine is a line in the log") {
  World world;
  world.run([&](std::int64_t second, const actors::Engine&) {
    if (second == 2) world.log.loses = {1};
    if (second == 3) world.stop.request_stop();
  });
  CHECK(world.said("partition_taken") == 2);
  CHECK(world.said("partition_lost") == 1);
}

TEST_CASE("what is pending but moves, or ends in time, is no alert") {
  World world;
  world.run([&](std::int64_t second, const actors::Engine&) {
    const auto stable = second / 9;
    world.log.now_figures.partitions = figures(0, 5, stable);
    if (second == 60) world.stop.request_stop();
  });
  CHECK(world.said("transaction_hanging") == 0);
}

TEST_CASE("a partition is held up only past the limit, and an unknown end changes nothing") {
  PendingWatch watch({10});
  CHECK(watch.look(figures(0, 5, 17), {100}).empty());
  CHECK(watch.look(figures(0, 5, 17), {110}).empty());
  CHECK(watch.look(std::vector<events::PartitionFigures>{{.partition = 0, .pending_records = 0}}, {111}).empty());
  const auto found = watch.look(figures(0, 6, 17), {111});
  REQUIRE(found.size() == 1);
  CHECK(found[0].hanging);
  CHECK(found[0].records == 6);
  CHECK(found[0].lasted == events::Millis{11});
  watch.said(found[0]);
  CHECK(watch.look(figures(0, 6, 17), {200}).empty());
  const auto moved = watch.look(figures(0, 2, 23), {201});
  REQUIRE(moved.size() == 1);
  CHECK_FALSE(moved[0].hanging);
  CHECK(moved[0].at == events::Position{0, 17});
  watch.said(moved[0]);
  CHECK(watch.look(figures(0, 2, 23), {202}).empty());
  CHECK(watch.look(figures(0, 2, 23), {213}).size() == 1);
}

TEST_CASE("a partition that is given to another instance is forgotten") {
  PendingWatch watch({10});
  CHECK(watch.look(figures(0, 5, 17), {100}).empty());
  const auto found = watch.look(figures(0, 5, 17), {111});
  REQUIRE(found.size() == 1);
  watch.said(found[0]);
  CHECK(watch.look({}, {112}).empty());
  CHECK(watch.look(figures(0, 5, 17), {113}).empty());
}

TEST_CASE("an instance that owns no partition is ready once that is settled, and not while it is not") {
  World world;
  world.log.owns_nothing = true;
  world.log.settled = false;
  std::vector<bool> ready;
  world.run([&](std::int64_t second, const actors::Engine& engine) {
    ready.push_back(engine.ready());
    world.log.settled = second == 3 || second == 4;
    if (second == 7) world.stop.request_stop();
  });
  CHECK(ready == std::vector<bool>{false, false, false, true, true, false, false});
}
