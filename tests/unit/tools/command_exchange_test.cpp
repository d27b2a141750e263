#include "tools/records/command_exchange.h"

#include "unit/tools/decided_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace mayfly;
using events::Offset;
using events::Stream;
using tools::CommandOutcome;

namespace {

class NoTime final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {1'767'225'600'000}; }
};

void wait_until(const std::function<bool()>& reached) {
  while (!reached()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// A log of one partition whose engine is the test: `decide` runs once a command is stored, before its writer knows it.
struct ExchangeWorld {
  class Reader final : public events::LogClient {
   public:
    explicit Reader(ExchangeWorld& world, bool looks_back = false)
        : world_(world), client_(world.store), looks_back_(looks_back) {}
    [[nodiscard]] std::int32_t partitions() const override { return 1; }
    events::Appended append(std::span<const events::NewRecord>) override { return {}; }
    events::Fetched read(Stream s, events::Partition p, Offset from, const events::PollLimits& l) override {
      if (s == Stream::events && looks_back_) {
        ++world_.looks_back;
        wait_until([&] { return !world_.history_hangs; });
      } else if (s == Stream::events) {
        world_.events_asked_from = from;
        world_.least_asked_from = std::min(world_.least_asked_from.load(), from);
        ++world_.events_asked;
      }
      if (s == Stream::commands && world_.reads_that_fail-- > 0)
        return {{}, from, {events::LogError::unavailable, "It is away."}};
      return client_.read(s, p, from, l);
    }
    events::StreamEnds ends(Stream s, events::Partition p) override { return client_.ends(s, p); }

   private:
    ExchangeWorld& world_;
    adapters::MemoryClient client_;
    const bool looks_back_;
  };

  /// What the command at that offset came to.
  void say(Offset of, const std::string& id, const std::string& type, const std::string& data = "{}") {
    testing::say(store, of, id, type, data);
  }
  void decided_to(Offset next) { testing::say_decided(store, next); }

  std::future<CommandOutcome> send(const std::string& id, const std::string& source = "/front/a",
                                   const std::string& data = "{}") {
    auto promised = std::make_shared<std::promise<CommandOutcome>>();
    exchange.send({"c1", "cart.cancel", id, source, data, {}, {}}, events::Millis{300'000},
                  [promised](CommandOutcome outcome) { promised->set_value(std::move(outcome)); });
    return promised->get_future();
  }

  NoTime clock;
  adapters::MemoryStore store{1, clock};
  std::function<void(Offset)> decide = [](Offset) {};
  std::atomic<Offset> events_asked_from = 0;
  std::atomic<Offset> least_asked_from = std::numeric_limits<Offset>::max();
  std::atomic<std::int64_t> events_asked = 0;
  std::atomic<int> reads_that_fail = 0;
  std::atomic<bool> history_hangs = false;
  std::atomic<int> looks_back = 0;
  tools::CommandExchange exchange{{std::make_unique<testing::SendingClient>(store, [this](Offset at) { decide(at); }),
                                   std::make_unique<Reader>(*this), std::make_unique<Reader>(*this, true)}};
};

std::string said(const CommandOutcome& outcome) {
  std::string text = outcome.decided ? "" : "undecided ";
  if (outcome.repeated) text += "repeated ";
  for (const auto& event : outcome.events) text += event.type + " " + event.id + " ";
  return text;
}

const std::string over = R"({"code":"cart_ended"})";

}  // namespace

TEST_CASE("events that were read before it was known who waits for them are found") {
  ExchangeWorld world;
  std::atomic<bool> decides = false;
  world.decide = [&](Offset at) {
    if (at == 1) {
      decides = true;
      world.say(1, "k1", "cart.canceled");
      wait_until([&] { return world.events_asked_from >= 1; });
    }
    if (at == 2) {
      const auto asked = world.events_asked.load();
      wait_until([&] { return world.events_asked >= asked + 2; });
      world.decided_to(3);
    }
  };
  auto other = world.send("other");  // it waits, so that events are being read
  wait_until([&] { return world.store.ends(Stream::commands, 0).end == 1; });
  auto first = world.send("k1");
  wait_until([&] { return decides.load(); });
  auto last = world.send("k2");  // it is stored once the reader has been told of the one before
  CHECK(said(first.get()) == "cart.canceled 0-1-0 ");
  CHECK(said(other.get()).empty());
  CHECK(said(last.get()).empty());
}

TEST_CASE("of two requests with one id each gets what its own came to, and the second the events of the first") {
  ExchangeWorld world;
  world.decide = [&](Offset at) {
    if (at == 0) return;
    world.say(0, "k1", "cart.canceled");
    world.say(1, "k1", "command.rejected", over);
    world.decided_to(2);
  };
  auto first = world.send("k1");
  auto second = world.send("k1");
  CHECK(said(first.get()) == "cart.canceled 0-0-0 ");
  CHECK(said(second.get()) == "repeated cart.canceled 0-0-0 ");
}

TEST_CASE("what was said before a command is not read for it") {
  ExchangeWorld world;
  for (int i = 0; i < 3; ++i) world.say(-1, "before", "cart.created");
  world.decide = [&](Offset at) {
    world.say(at, "k1", "cart.canceled");
    world.decided_to(at + 1);
  };
  CHECK(said(world.send("k1").get()) == "cart.canceled 0-0-0 ");
  CHECK(world.least_asked_from == 3);
}

TEST_CASE("who looks back holds up nobody else who waits") {
  ExchangeWorld world;
  world.decide = [&](Offset at) {
    world.say(at, "k" + std::to_string(at), at == 0 ? "command.rejected" : "cart.canceled", at == 0 ? over : "{}");
    world.decided_to(at + 1);
  };
  world.history_hangs = true;
  auto first = world.send("k0");
  wait_until([&] { return world.looks_back > 0; });
  CHECK(said(world.send("k1").get()) == "cart.canceled 0-1-0 ");
  world.history_hangs = false;
  CHECK(said(first.get()) == "command.rejected 0-0-0 ");
}

TEST_CASE("for a cart that is over, a repeat is the same words from the same source") {
  ExchangeWorld world;
  world.decide = [&](Offset at) {
    world.say(at, "k1", at == 0 ? "cart.canceled" : "command.rejected", at == 0 ? "{}" : over);
    world.decided_to(at + 1);
  };
  CHECK(said(world.send("k1").get()) == "cart.canceled 0-0-0 ");
  CHECK(said(world.send("k1", "/front/b").get()) == "command.rejected 0-1-0 ");
  CHECK(said(world.send("k1", "/front/a", R"({"x":1})").get()) == "command.rejected 0-2-0 ");
  world.reads_that_fail = 3;  // it is asked again until it answers
  CHECK(said(world.send("k1").get()) == "repeated cart.canceled 0-0-0 ");
}
