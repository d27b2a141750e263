#include "actors/crash/flight_recorder.h"

#include "actors/engine/engine.h"
#include "logs/memory_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>

using namespace mayfly;
using actors::Deciding;
using actors::FlightRecorder;

namespace {

/// The file, and processes that come and go on it. A copy of it is what a killed process leaves.
struct File {
  std::vector<std::byte> bytes = std::vector<std::byte>(FlightRecorder::bytes);
  FlightRecorder open() { return {bytes, nullptr}; }
};

/// A process that dies while it decides these.
void die_deciding(File& file, const std::vector<std::pair<events::Position, std::string>>& under_decision) {
  File left;
  {
    FlightRecorder recorder = file.open();
    std::vector<std::thread> threads;
    std::vector<std::unique_ptr<Deciding>> held(under_decision.size());
    for (std::size_t i = 0; i < under_decision.size(); ++i) {
      const auto& one = under_decision[i];
      std::thread([&] { held[i] = std::make_unique<Deciding>(recorder, one.first, one.second); }).join();
    }
    left.bytes = file.bytes;
  }
  file.bytes = left.bytes;
}

}  // namespace

TEST_CASE("how many records were in flight when the process died is known once, and not after a clean end") {
  File file;
  { file.open().in_flight(20); }
  CHECK(file.open().died_with() == 0);
  File left;
  {
    FlightRecorder recorder = file.open();
    recorder.in_flight(20);
    left.bytes = file.bytes;
  }
  CHECK(left.open().died_with() == 20);
  CHECK(left.open().died_with() == 0);
}

TEST_CASE("a clean end suspects nobody, nor does a decision that ended") {
  File file;
  {
    FlightRecorder recorder = file.open();
    const Deciding deciding(recorder, {1, 42}, "c1");
  }
  CHECK(file.open().nobody_suspected());
  die_deciding(file, {});
  CHECK(file.open().nobody_suspected());
}

TEST_CASE("exactly what was under decision is suspected, and condemned after the third death") {
  File file;
  for (int deaths = 1; deaths <= 3; ++deaths) {
    die_deciding(file, {{{1, 42}, "c1"}});
    FlightRecorder recorder = file.open();
    REQUIRE(recorder.suspects().size() == 1);
    CHECK(recorder.suspects()[0].deaths == static_cast<std::uint32_t>(deaths));
    CHECK(recorder.condemned({1, 42}, "c1") == (deaths == 3));
    for (const auto& [at, cart] : {std::pair{events::Position{1, 41}, "c1"}, {{2, 42}, "c1"}, {{1, 42}, "c2"}}) {
      CHECK(!recorder.condemned(at, cart));
    }
  }
}

TEST_CASE("a record that two threads had at once, as cart and session may, dies once") {
  File file;
  die_deciding(file, {{{1, 42}, "c1"}, {{1, 42}, "c1"}});
  const auto suspects = file.open().suspects();
  REQUIRE(suspects.size() == 1);
  CHECK(suspects[0].deaths == 1);
}

TEST_CASE("the next suspect of a partition is found from an offset on, until the partition has passed it") {
  File file;
  die_deciding(file, {{{1, 42}, "c1"}, {{1, 50}, "c2"}, {{2, 7}, "c3"}});
  FlightRecorder recorder = file.open();
  CHECK(recorder.next_suspect(1, 0) == 42);
  CHECK(recorder.next_suspect(1, 43) == 50);
  CHECK(recorder.next_suspect(3, 0) == std::nullopt);
  recorder.passed(1, 43);
  CHECK(recorder.next_suspect(1, 0) == 50);
  recorder.passed(1, 51);
  recorder.passed(2, 8);
  CHECK(recorder.nobody_suspected());
}

TEST_CASE("a death of another record does not count against one that was decided and committed") {
  File file;
  die_deciding(file, {{{1, 42}, "c1"}});
  file.open().passed(1, 43);
  die_deciding(file, {{{1, 43}, "c1"}});
  REQUIRE(file.open().suspects().size() == 1);
  CHECK(file.open().suspects()[0].offset == 43);
  CHECK(file.open().suspects()[0].deaths == 1);
}

TEST_CASE("only the thread that is blamed is suspected") {
  File file;
  File left;
  {
    FlightRecorder recorder = file.open();
    std::unique_ptr<Deciding> innocent;
    std::thread([&] { innocent = std::make_unique<Deciding>(recorder, events::Position{0, 1}, "c1"); }).join();
    const Deciding guilty(recorder, {0, 2}, "c2");
    const auto threads = recorder.look();
    REQUIRE(threads.size() == 2);
    CHECK(threads[1].marks % 2 == 1);
    recorder.blame_only(1);
    left.bytes = file.bytes;
  }
  file.bytes = left.bytes;
  const auto suspects = file.open().suspects();
  REQUIRE(suspects.size() == 1);
  CHECK(suspects[0].offset == 2);
}

TEST_CASE("a file that is none of ours is begun anew") {
  File file;
  for (auto& b : file.bytes) b = std::byte{0x5a};
  CHECK(file.open().nobody_suspected());
}

TEST_CASE("more suspects than there are places keep those that died most often") {
  File file;
  die_deciding(file, {{{0, 1}, "c1"}});
  die_deciding(file, {{{0, 1}, "c1"}});
  for (int i = 0; i < 300; ++i) die_deciding(file, {{{1, i}, "c"}});
  FlightRecorder recorder = file.open();
  CHECK(recorder.suspects().size() == FlightRecorder::most_suspects);
  CHECK(recorder.next_suspect(0, 0) == 1);
}

// --- with an engine ------------------------------------------------------------------------------------------------

namespace {

/// Notes how many records a poll may give.
class AskedLog final : public events::Log {
 public:
  AskedLog(events::Log& inner, std::vector<std::size_t>* asked) : inner_(inner), asked_(asked) {}
  [[nodiscard]] std::int32_t partitions() const override { return inner_.partitions(); }
  events::Polled poll(const events::PollLimits& limits) override {
    if (asked_ != nullptr) asked_->push_back(limits.records);
    return inner_.poll(limits);
  }
  events::Restored restore(events::Partition p, const std::function<void(events::Bytes, events::Bytes)>& f) override {
    return inner_.restore(p, f);
  }
  void start(events::Partition p, events::Offset from) override { inner_.start(p, from); }
  events::CommitResult commit(const events::Commit& commit) override { return inner_.commit(commit); }
  events::LogStatus append(const events::NewRecord& record) override { return inner_.append(record); }

 private:
  events::Log& inner_;
  std::vector<std::size_t>* asked_;
};

/// A log with a whole checkout of each of three carts in one partition.
struct Served {
  testing::SetClock clock;
  adapters::MemoryStore store{1, clock};
  testing::Shop shop{store};
  Served() {
    for (const auto* cart : {"c1", "c2", "c3"}) shop.whole_checkout(cart, 100);
  }
  std::vector<std::size_t>* poll_limits = nullptr;  // of records, as the engine asks
  actors::Census serve(FlightRecorder& flight) {
    adapters::MemoryLog memory(store);
    AskedLog log(memory, poll_limits);
    actors::EngineConfig config;
    config.flight = &flight;
    actors::Engine engine(log, clock, config, nullptr);
    CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    return engine.census();
  }
};

}  // namespace

TEST_CASE("a command the process died of three times becomes a dead letter, its cart and all others go on") {
  File file;
  for (int i = 0; i < 3; ++i) die_deciding(file, {{{0, 7}, "c2"}});  // cart.add_line
  Served world;
  FlightRecorder flight = file.open();
  const auto census = world.serve(flight);
  const auto keeps_failing = static_cast<std::size_t>(events::DeadLetterReason::keeps_failing);
  CHECK(census.dead_letters_by_reason[keeps_failing] == 1);
  CHECK(census.dead_letters == 1);
  CHECK(census.commands == 18);
  CHECK(testing::said(world.store, "c1").back() == "cart.converted");
  CHECK(testing::said(world.store, "c3").back() == "cart.converted");
  CHECK(census.carts_open == 1);
  CHECK(flight.nobody_suspected());
}

TEST_CASE("a cart whose commands the process keeps dying of is quarantined, as one whose actor keeps dying") {
  File file;
  for (int i = 0; i < 3; ++i) die_deciding(file, {{{0, 7}, "c2"}, {{0, 8}, "c2"}, {{0, 9}, "c2"}});
  Served world;
  FlightRecorder flight = file.open();
  const auto census = world.serve(flight);
  const auto letters = [&](events::DeadLetterReason reason) {
    return census.dead_letters_by_reason[static_cast<std::size_t>(reason)];
  };
  CHECK(letters(events::DeadLetterReason::keeps_failing) == 2);
  CHECK(letters(events::DeadLetterReason::quarantined) == 3);  // the third that killed, and the two behind it
  CHECK(census.carts_quarantined == 1);
  CHECK(testing::said(world.store, "c3").back() == "cart.converted");
}

TEST_CASE("an engine whose process died with many records in flight begins with half as many") {
  File file;
  FlightRecorder dying = file.open();
  dying.in_flight(8);
  File left{file.bytes};
  Served world;
  std::vector<std::size_t> asked;
  world.poll_limits = &asked;
  FlightRecorder flight = left.open();
  world.serve(flight);
  CHECK(asked.front() == 4);
  CHECK(asked.back() > 4);
}

TEST_CASE("what is suspected is decided as if nothing had been, and forgotten when it is committed") {
  Served undisturbed;
  FlightRecorder fresh;
  undisturbed.serve(fresh);
  File file;
  die_deciding(file, {{{0, 0}, "c1"}, {{0, 7}, "c2"}});
  die_deciding(file, {{{0, 7}, "c2"}, {{0, 8}, "c2"}, {{0, 17}, "c3"}});
  Served world;
  FlightRecorder flight = file.open();
  CHECK(world.serve(flight).dead_letters == 0);
  CHECK(testing::written(world.store) == testing::written(undisturbed.store));
  CHECK(flight.nobody_suspected());
}
