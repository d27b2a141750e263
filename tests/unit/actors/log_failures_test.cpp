// What the engine does when its log fails: tries again where that is safe, ends with the log's word where not.
#include "actors/engine/engine.h"
#include "actors/engine/pauses.h"
#include "logs/faulty_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <stdexcept>
#include <stop_token>
#include <utility>

using namespace mayfly;

namespace {

struct Disturbed {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  adapters::MemoryLog inner{store};
  adapters::FaultyLog log{inner};
  std::vector<std::string> notices;
  actors::Engine engine;

  static actors::EngineConfig config() {
    actors::EngineConfig c;
    c.first_pause = c.most_pause = {};
    return c;
  }
  Disturbed() : engine(log, clock, config(), [this](const actors::Notice& n) { notices.emplace_back(n.name); }) {}
  [[nodiscard]] std::ptrdiff_t said(std::string_view name) const {
    return std::count(notices.begin(), notices.end(), name);
  }
};

/// A cart of each of the two partitions, each with a whole checkout.
std::array<std::string, 2> checkout_in_each(Disturbed& d) {
  std::array<std::string, 2> carts;
  for (int i = 0; carts[0].empty() || carts[1].empty(); ++i) {
    const auto id = "c" + std::to_string(i);
    carts.at(static_cast<std::size_t>(events::partition_of(id, 2))) = id;
  }
  for (const auto& cart : carts) d.shop.whole_checkout(cart, 100);
  return carts;
}

}  // namespace

TEST_CASE("a log that does not answer is asked again, polls and restores, and then served") {
  Disturbed d;
  d.shop.whole_checkout("c1", 100);
  d.log.do_not_answer(3, 2);
  CHECK(d.engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  CHECK(d.said("log_unavailable") == 5);
  CHECK(d.said("partition_taken") == 2);
  CHECK(testing::said(d.store, "c1").back() == "cart.converted");
}

TEST_CASE("a partition that the log does not give holds up no other, whichever is tried first") {
  for (events::Partition held = 0; held < 2; ++held) {
    Disturbed d;
    const auto carts = checkout_in_each(d);
    const auto& other = carts.at(static_cast<std::size_t>(1 - held));
    const auto is_over = [&] {
      return !testing::said(d.store, other).empty() && testing::said(d.store, other).back() == "cart.converted";
    };
    int refused = 0;
    d.log.lose([&](events::Partition p, events::Restored& restored) {
      if (p != held || is_over() || refused == 1'000) return;
      ++refused;
      restored.status = {events::LogError::unavailable, "a transaction holds it up."};
    });
    CHECK(d.engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    CHECK(refused >= 1);
    CHECK(refused < 1'000);
    CHECK(d.said("log_unavailable") == refused);
    for (const auto& cart : carts) CHECK(testing::said(d.store, cart).back() == "cart.converted");
  }
}

TEST_CASE("a partition with a record that the log does not take for now waits alone, and loses nothing") {
  for (events::Partition held = 0; held < 2; ++held) {
    Disturbed d;
    auto config = Disturbed::config();
    config.choose = [](std::size_t) { return std::size_t{0}; };  // so that the clock is moved on the engine's thread
    const auto carts = checkout_in_each(d);
    const auto& other = carts.at(static_cast<std::size_t>(1 - held));
    bool full = true;
    bool other_is_over = false;
    std::map<std::string, int> notices;
    const auto make_room = [&] {
      full = !other_is_over || notices["record_too_large"] == 0;
      if (!full) d.clock.time = d.clock.time + events::Millis{1'000};
    };
    d.log.refuse([&](const events::NewRecord& record) {
      if (record.stream != events::Stream::events || !full) return false;
      const auto is = [&record](std::string_view type) {
        return record.headers[3].value.find(type) != std::string::npos;
      };
      if (record.key == other && is("cart.converted")) {
        other_is_over = true;
        make_room();
      }
      return full && record.key == carts.at(static_cast<std::size_t>(held)) && is("order.placed");
    });
    actors::Engine engine(d.log, d.clock, config, [&](const actors::Notice& n) {
      ++notices[std::string(n.name)];
      if (n.name == "record_too_large") make_room();
    });
    CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    CHECK_FALSE(full);
    CHECK(notices["record_too_large"] == 1);
    CHECK(notices["record_taken"] == 1);
    for (const auto& cart : carts) CHECK(testing::said(d.store, cart).back() == "cart.converted");
    for (const auto& cart : carts) CHECK(testing::said(d.store, cart) == testing::said(d.store, other));
    std::vector<std::string> alerts;
    for (const auto& alert : d.store.records(events::Stream::alerts, held)) {
      alerts.push_back(nlohmann::json::parse(*alert.value)["alert"].get<std::string>());
    }
    CHECK(alerts == std::vector<std::string>{"record_too_large", "record_taken"});
  }
}

TEST_CASE("a full log ends the run with that word and loses nothing") {
  Disturbed d;
  d.shop.whole_checkout("c1", 100);
  d.log.script({adapters::Fault::failed});
  const auto result = d.engine.run_until_caught_up();
  CHECK(result.end == actors::RunEnd::failed);
  CHECK(result.error == events::LogError::full);
  CHECK(testing::said(d.store, "c1").empty());
  adapters::MemoryLog after(d.store);
  actors::Engine again(after, d.clock, {}, nullptr);
  CHECK(again.run_until_caught_up().end == actors::RunEnd::caught_up);
  CHECK(testing::said(d.store, "c1").back() == "cart.converted");
}

TEST_CASE("an engine that is stopped says so when what it decided last was not committed") {
  struct Row {
    std::deque<adapters::Fault> faults;
    bool committed;
  };
  const Row rows[] = {{{}, true},
                      {{adapters::Fault::aborted}, false},
                      {{adapters::Fault::lost_request}, false},
                      {{adapters::Fault::none, adapters::Fault::aborted}, true}};
  for (const auto& row : rows) {
    Disturbed d;
    d.shop.create("c1");
    d.log.script(row.faults);
    std::stop_source stop;
    auto config = Disturbed::config();
    config.before_decide = [&stop](std::string_view, events::Position) { stop.request_stop(); };
    actors::Engine engine(d.log, d.clock, config, nullptr);
    const auto result = engine.run(stop.get_token());
    CHECK(result.end == actors::RunEnd::stopped);
    CHECK_MESSAGE(result.message.empty() == row.committed, result.message);
    CHECK(testing::said(d.store, "c1").empty() != row.committed);
  }
}

TEST_CASE("an alert whose commit is aborted is said once with what is committed in its place") {
  enum class Dies : std::uint8_t { supervisor, cart };
  struct Row {
    Dies dies;
    std::string_view alert;
    std::deque<adapters::Fault> faults;
  };
  using adapters::Fault;
  const Row rows[] = {{Dies::supervisor, "partition_rebuilt", {}},
                      {Dies::supervisor, "partition_rebuilt", {Fault::aborted}},
                      {Dies::supervisor, "partition_rebuilt", {Fault::aborted, Fault::lost_request, Fault::aborted}},
                      {Dies::cart, "cart_restarted", {}},
                      {Dies::cart, "cart_restarted", {Fault::aborted}},
                      {Dies::cart, "cart_restarted", {Fault::aborted, Fault::lost_request, Fault::aborted}}};
  for (const auto& row : rows) {
    CAPTURE(row.alert);
    CAPTURE(row.faults.size());
    Disturbed d;
    d.shop.create("c1");
    d.log.script(row.faults);
    bool died = false;
    const auto die_once = [&died] {
      if (!std::exchange(died, true)) throw std::runtime_error("planted");
    };
    auto config = Disturbed::config();
    if (row.dies == Dies::supervisor) {
      config.at_step = [&](actors::Step step, events::Position) {
        if (step == actors::Step::supervisor_gathers) die_once();
      };
    } else {
      config.before_decide = [&](std::string_view, events::Position) { die_once(); };
    }
    actors::Engine engine(d.log, d.clock, config, nullptr);
    CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    CHECK(testing::said(d.store, "c1") == std::vector<std::string>{"cart.created"});
    const auto alerts = d.store.records(events::Stream::alerts, events::partition_of("c1", 2));
    REQUIRE(alerts.size() == 1);
    CHECK(alerts[0].value->find(row.alert) != std::string_view::npos);
  }
}

TEST_CASE("a partition that is given up and taken again is counted, with what was committed meanwhile") {
  Disturbed d;
  d.shop.create("c1");
  d.log.script({adapters::Fault::aborted, adapters::Fault::lost_answer});
  CHECK(d.engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  const auto partitions = d.engine.partitions();
  REQUIRE(partitions.size() == 2);
  const auto of_c1 = static_cast<std::size_t>(events::partition_of("c1", 2));
  CHECK(partitions[of_c1].phase == actors::PartitionPhase::serving);
  CHECK(partitions[of_c1].times_taken == 3);
  CHECK(partitions[of_c1].next == 1);
  CHECK(partitions[of_c1].carts_open == 1);
}

TEST_CASE("a committed position that lags behind the state once is read again; if it stays, nothing is served") {
  for (const int restores : {1, 2}) {
    CAPTURE(restores);
    Disturbed d;
    d.shop.create("c1");
    REQUIRE(d.engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    adapters::MemoryLog inner(d.store);
    adapters::FaultyLog log(inner);
    log.position_lags(restores);
    actors::Engine next(log, d.clock, Disturbed::config(), nullptr);
    const auto result = next.run_until_caught_up();
    if (restores == 1) {
      CHECK(result.end == actors::RunEnd::caught_up);
    } else {
      CHECK(result.end == actors::RunEnd::failed);
      CHECK(result.message.find("the committed position is 0 but its state is that of 1") != std::string::npos);
    }
  }
}

TEST_CASE("a partition that another engine still commits to while it is read is tried again") {
  Disturbed d;
  d.shop.create("c1");
  d.shop.add("c1", "A", 1, 100);
  REQUIRE(d.engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  adapters::MemoryLog inner(d.store);
  adapters::FaultyLog log(inner);
  events::Offset seen_position = 0;  // each restore of c1's partition finds one more as committed, the last one all
  log.lose([&](events::Partition partition, events::Restored& restored) {
    if (partition == events::partition_of("c1", 2)) restored.next = std::min(seen_position++, restored.next);
  });
  int unavailable = 0;
  actors::Engine next(log, d.clock, Disturbed::config(),
                      [&](const actors::Notice& n) { unavailable += n.name == "log_unavailable" ? 1 : 0; });
  CHECK(next.run_until_caught_up().end == actors::RunEnd::caught_up);
  CHECK(unavailable == 1);
  CHECK(seen_position == 3);
}

TEST_CASE("a committed position that the log has forgotten is taken from the state, and said") {
  Disturbed d;
  d.shop.create("c1");
  REQUIRE(d.engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  const auto events_before = testing::said(d.store, "c1");
  adapters::MemoryLog inner(d.store);
  adapters::FaultyLog log(inner);
  log.lose([](events::Partition, events::Restored& restored) {
    restored.next = 0;
    restored.has_committed = false;
  });
  int said = 0;
  actors::Engine next(log, d.clock, Disturbed::config(),
                      [&said](const actors::Notice& n) { said += n.name == "position_forgotten" ? 1 : 0; });
  CHECK(next.run_until_caught_up().end == actors::RunEnd::caught_up);
  CHECK(said == 1);  // of the partition that had a position
  CHECK(testing::said(d.store, "c1") == events_before);
}

TEST_CASE("a partition whose commands are not whole is named with its position and both ends, the others are served") {
  struct Loss {
    const char* name;
    events::Offset committed, first, end;
    const char* said;
  };
  for (const auto& loss : {
           Loss{"log_gap", 1, 5, 9,
                "its position is 1, but its commands begin at offset 5 and end before 9. Those from 1 to 4"},
           Loss{"log_gap", 1, 5, 9, "either bring all streams back as of one moment, or begin with new ones and send"},
           Loss{"log_gap", -1, 5, 9, "its position is 1, but its commands begin at offset 5 and end before 9."},
           Loss{"log_gap", 1, 2, 2, "Those from 1 to 1 were deleted"},
           Loss{"log_cut", 1, 0, 0, "its position is 1, but its commands begin at offset 0 and end before 0."},
           Loss{"", 1, 1, 1, ""},
           Loss{"", 1, 0, 1, ""},
       }) {
    CAPTURE(loss.said);
    Disturbed d;
    d.shop.create("c1");
    REQUIRE(d.engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    const auto broken = events::partition_of("c1", 2);
    adapters::MemoryLog inner(d.store);
    adapters::FaultyLog log(inner);
    log.lose([&](events::Partition p, events::Restored& restored) {
      if (p == broken)
        restored = {std::max<events::Offset>(loss.committed, 0), loss.end, {}, loss.first, loss.committed >= 0};
    });
    std::vector<std::string> said;
    actors::Engine next(log, d.clock, Disturbed::config(), [&said](const actors::Notice& n) {
      if (n.name.starts_with("log_")) said.push_back(std::string(n.name) + ": " + n.message);
    });
    CHECK(next.run_until_caught_up().end == actors::RunEnd::caught_up);
    const auto alerts = d.store.records(events::Stream::alerts, broken);
    const auto partitions = next.partitions();
    REQUIRE(partitions.size() == 2);
    CHECK(partitions[static_cast<std::size_t>(1 - broken)].phase == actors::PartitionPhase::serving);
    if (*loss.name == 0) {
      CHECK(said.empty());
      continue;
    }
    REQUIRE(said.size() == 1);
    CHECK(said[0].starts_with(std::string(loss.name) + ": partition " + std::to_string(broken) + " is not served: "));
    CHECK(said[0].find(loss.said) != std::string::npos);
    CHECK(alerts.size() == 1);
    CHECK(partitions[static_cast<std::size_t>(broken)].phase == actors::PartitionPhase::stopped);
  }
}

TEST_CASE("a partition that was never decided and does not begin at 0 has a gap; an engine with no other ends") {
  Disturbed d;
  d.log.lose([](events::Partition, events::Restored& restored) { restored = {0, 7, {}, 3, false}; });
  const auto result = d.engine.run_until_caught_up();
  CHECK(result.end == actors::RunEnd::failed);
  CHECK(result.error == events::LogError::corrupt);
  CHECK(result.message.find("its position is 0, but its commands begin at offset 3") != std::string::npos);
  CHECK(d.said("log_gap") == 2);
}

TEST_CASE("pauses grow to their bound and begin small again after a success") {
  actors::Pauses pauses({50}, {300});
  for (const auto expected : {50, 100, 200, 300, 300}) CHECK(pauses.next() == events::Millis{expected});
  pauses.reset();
  CHECK(pauses.next() == events::Millis{50});
}
