#include "tools/front_door/keyed_exchange.h"

#include "unit/tools/decided_log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace mayfly;
using events::Offset;
using events::Stream;
using tools::KeyedOutcome;

namespace {

class SetTime final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {ms}; }
  std::atomic<std::int64_t> ms = 1'767'225'600'000;
};

/// A log of one partition whose engine is the test: it says one event of each command, or nothing.
struct KeyedWorld {
  void decide(Offset at) {
    if (!type.empty()) testing::say(store, at, "k1", type, data);
    testing::say_decided(store, at + 1);
  }

  [[nodiscard]] std::unique_ptr<events::LogClient> client() { return std::make_unique<adapters::MemoryClient>(store); }

  [[nodiscard]] std::unique_ptr<tools::KeyedExchange> door(tools::KeyBookLimits limits = {}) {
    auto book = std::make_unique<tools::KeyBook>(client(), events::HashKey{}, limits);
    CHECK(book->read_log(*client(), {}).ok());
    tools::CommandExchange::Clients clients{
        std::make_unique<testing::SendingClient>(store, [this](Offset at) { decide(at); }), client(), client()};
    return std::make_unique<tools::KeyedExchange>(std::move(clients), client(), std::move(book), clock);
  }

  [[nodiscard]] Offset commands() const { return store.ends(Stream::commands, 0).end; }

  SetTime clock;
  adapters::MemoryStore store{1, clock};
  std::string type = "cart.canceled";
  std::string data = "{}";
};

std::string ask(tools::KeyedExchange& door, const std::string& data = R"({"a":1,"b":2})", const std::string& id = "k1",
                const std::string& source = "/front/a") {
  std::promise<KeyedOutcome> promised;
  door.send({"c1", "cart.cancel", id, source, data, {}, {}}, events::Millis{300'000},
            [&](KeyedOutcome outcome) { promised.set_value(std::move(outcome)); });
  const auto keyed = promised.get_future().get();
  if (keyed.kind == KeyedOutcome::Kind::other_body) return "other body";
  if (keyed.kind == KeyedOutcome::Kind::in_flight) return "in flight";
  std::string text = keyed.outcome.repeated ? "repeated" : "new";
  if (!keyed.outcome.decided) text += " undecided";
  for (const auto& event : keyed.outcome.events) text += " " + event.type + " " + event.id;
  return text;
}

}  // namespace

TEST_CASE("a key stands for the first command with it, at every front door, and for no other body") {
  KeyedWorld world;
  const auto door = world.door();
  CHECK(ask(*door) == "new cart.canceled 0-0-0");
  CHECK(ask(*door) == "repeated cart.canceled 0-0-0");
  CHECK(ask(*door, R"({ "b": 2, "a": 1 })") == "repeated cart.canceled 0-0-0");
  CHECK(ask(*door, R"({"a":1,"b":3})") == "other body");
  const auto later = world.door();
  CHECK(ask(*later) == "repeated cart.canceled 0-0-0");
  CHECK(ask(*later, "{}") == "other body");
  CHECK(world.commands() == 1);
  CHECK(ask(*later, "{}", "k1", "/front/b") == "new cart.canceled 0-1-0");
}

TEST_CASE("a command that came to nothing has that answer again") {
  KeyedWorld world;
  world.type.clear();
  const auto door = world.door();
  CHECK(ask(*door) == "new");
  CHECK(ask(*world.door()) == "repeated");
  CHECK(world.commands() == 1);
}

TEST_CASE("a key is kept for 48 hours from its command's append time") {
  KeyedWorld world;
  const auto door = world.door();
  CHECK(ask(*door) == "new cart.canceled 0-0-0");
  world.clock.ms += tools::KeyedExchange::kept_for.count - 1;
  CHECK(ask(*door) == "repeated cart.canceled 0-0-0");
  world.clock.ms += 1;
  CHECK(ask(*door, "{}") == "new cart.canceled 0-1-0");
  CHECK(ask(*door, "{}") == "repeated cart.canceled 0-1-0");
}

TEST_CASE("a command that was refused for the moment is taken again") {
  KeyedWorld world;
  world.type = "command.rejected";
  world.data = R"({"code":"try_later","retry_after_s":30})";
  const auto door = world.door();
  CHECK(ask(*door) == "new command.rejected 0-0-0");
  world.data = R"({"code":"cart_unknown"})";
  CHECK(ask(*door) == "new command.rejected 0-1-0");
  CHECK(ask(*door) == "repeated command.rejected 0-1-0");
  CHECK(ask(*world.door()) == "repeated command.rejected 0-1-0");
}

TEST_CASE("of keys beyond the limit the oldest are forgotten") {
  KeyedWorld world;
  tools::KeyBook book(world.client(), events::HashKey{}, {2, 8, events::Millis{200}});
  for (Offset at = 0; at < 3; ++at) book.note({0, at}, book.hash("c1", "/front/a", std::to_string(at)));
  book.note({0, 2}, book.hash("c1", "/front/a", "2"));
  CHECK(book.places(0, book.hash("c1", "/front/a", "0")).empty());
  CHECK(book.places(0, book.hash("c1", "/front/a", "1")) == std::vector<Offset>{1});
  CHECK(book.places(0, book.hash("c1", "/front/a", "2")) == std::vector<Offset>{2});
}

TEST_CASE("what another front door appends is known without a restart") {
  KeyedWorld world;
  const auto other = world.door();
  CHECK(ask(*other) == "new cart.canceled 0-0-0");
  tools::KeyBook book(world.client(), events::HashKey{}, {1'000, 8, events::Millis{1}});
  book.follow();
  const auto key = book.hash("c1", "/front/a", "k1");
  while (book.places(0, key).empty()) std::this_thread::yield();
  CHECK(book.places(0, key) == std::vector<Offset>{0});
}

TEST_CASE("what a command came to is found among the events of many, and of one not decided that it is not") {
  KeyedWorld world;
  for (Offset at = 0; at < 3'000; ++at) {
    world.type = at % 3 == 0 ? "" : "cart.canceled";
    world.decide(at);
  }
  const auto log = world.client();
  for (const Offset at : {0, 1, 2, 1'500, 1'501, 2'998, 2'999}) {
    const auto found = tools::result_of_command(*log, {0, at});
    CHECK(found.decided);
    REQUIRE(found.events.size() == (at % 3 == 0 ? 0U : 1U));
    if (at % 3 != 0) CHECK(found.events.front().id == "0-" + std::to_string(at) + "-0");
  }
  const auto undecided = tools::result_of_command(*log, {0, 3'000});
  CHECK(undecided.status.ok());
  CHECK_FALSE(undecided.decided);
  CHECK(undecided.next_event == 2'000);
  CHECK(undecided.next_state == 3'000);
}
