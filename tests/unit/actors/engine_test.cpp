#include "actors/engine/engine.h"

#include "events/text/time_text.h"
#include "logs/faulty_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

using namespace mayfly;
using testing::said;

namespace {

struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  actors::EngineConfig config;
  std::vector<std::string> notices;

  actors::Census serve() {
    adapters::MemoryLog log(store);
    actors::Engine engine(log, clock, config, [this](const actors::Notice& n) { notices.emplace_back(n.name); });
    const auto result = engine.run_until_caught_up();
    CHECK(result.message == "");
    CHECK(result.end == actors::RunEnd::caught_up);
    return engine.census();
  }
};

}  // namespace

TEST_CASE("a whole checkout says the eighteen events of the contract less four lines") {
  World world;
  world.shop.whole_checkout("c1", 1999);
  const auto census = world.serve();
  CHECK(said(world.store) == std::vector<std::string>{"cart.created", "cart.line_added", "checkout.started",
                                                      "inventory.reservation_requested", "payment.session_opened",
                                                      "payment.authorization_requested", "payment.authorized",
                                                      "order.placed", "payment.capture_requested",
                                                      "inventory.commit_requested", "payment.captured",
                                                      "payment.session_ended", "checkout.completed", "cart.converted"});
  CHECK(census.commands == 6);
  CHECK(census.carts_open == 0);
  CHECK(census.sessions_open == 0);
  CHECK(census.epitaphs == 1);
}

TEST_CASE("when its cart has ended its newest state record is a tombstone") {
  World world;
  world.shop.whole_checkout("c1", 100);
  world.serve();
  const auto state = world.store.state(events::partition_of("c1", 2));
  REQUIRE(state.contains("c1"));
  CHECK(!state.at("c1").has_value());
}

TEST_CASE("a cart goes on where it was after another engine has taken over") {
  World world;
  world.shop.create("c1");
  world.shop.add("c1", "A", 2, 250);
  world.serve();
  world.shop.complete("c1", 500);
  world.serve();
  CHECK(said(world.store, "c1").back() == "inventory.reservation_requested");
  world.shop.reserved("c1");
  world.shop.paid("c1", "payment.authorized", 500);
  world.serve();
  world.shop.paid("c1", "payment.captured", 500);
  const auto census = world.serve();
  CHECK(said(world.store, "c1").back() == "cart.converted");
  CHECK(census.sessions_open == 0);
}

TEST_CASE("a repeated shop command says nothing, the same id with another body is refused") {
  World world;
  world.shop.send("c1", "cart.create", R"({"currency":"GBP"})", "one");
  world.shop.send("c1", "cart.create", R"({"currency":"GBP"})", "one");
  world.shop.send("c1", "cart.create", R"({"currency":"EUR"})", "one");
  world.serve();
  CHECK(said(world.store) == std::vector<std::string>{"cart.created", "command.rejected"});
}

TEST_CASE("a command refused as data_invalid is not remembered: its id may be used again, mended") {
  World world;
  const std::string one = R"({"kind":"fee","label":"f","amount_minor":1})";
  std::string too_many = one;
  for (int i = 1; i < 513; ++i) too_many += "," + one;
  world.shop.create("c1");
  world.shop.send("c1", "cart.adjust", R"({"adjustments":[)" + too_many + "]}", "same");
  world.shop.send("c1", "cart.adjust", R"({"adjustments":[)" + one + "]}", "same");
  world.serve();
  CHECK(said(world.store) == std::vector<std::string>{"cart.created", "command.rejected", "cart.adjusted"});
}

TEST_CASE("a deadline fires at the tick that covers the record which set it, not before") {
  World world;
  const auto p = events::partition_of("c1", 2);
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.complete("c1", 100);  // offset 2 sets the reservation's wait of 60 s
  world.shop.tick(p, world.clock.time, 1);
  world.clock.time.ms += 3'600'000;
  world.shop.tick(p, world.clock.time, 2);  // starts it
  world.serve();
  CHECK(said(world.store, "c1").back() == "inventory.reservation_requested");
  world.clock.time.ms += 59'999;
  world.shop.tick(p, world.clock.time, 3);
  world.serve();
  CHECK(said(world.store, "c1").back() == "inventory.reservation_requested");
  world.clock.time.ms += 1;
  world.shop.tick(p, world.clock.time, 4);
  world.serve();
  CHECK(said(world.store, "c1").back() == "checkout.reopened");
}

TEST_CASE("a tick that is over a minute off is ignored with an alert, a minute is taken") {
  for (const std::int64_t off_ms : {-60'001, -60'000, 60'000, 60'001}) {
    CAPTURE(off_ms);
    World world;
    const auto p = events::partition_of("c1", 2);
    world.shop.create("c1");
    world.shop.tick(p, world.clock.time, 0);
    world.clock.time.ms += 86'400'000;
    world.shop.tick(p, world.clock.time + events::Millis{off_ms}, 1);
    world.serve();
    const bool taken = off_ms == -60'000 || off_ms == 60'000;
    CHECK(said(world.store, "c1").back() == (taken ? "cart.expired" : "cart.created"));
    CHECK(world.store.records(events::Stream::alerts, p).size() == (taken ? 0 : 1));
  }
}

TEST_CASE("a tick that is not the engine's changes nothing, whatever it says, and raises an alert") {
  const auto p = events::partition_of("c1", 2);
  const struct {
    const char* of;
    const char* source;
    std::optional<std::string_view> key;
  } rows[] = {{"a producer", "/shop", {}},
              {"another engine", "/mayfly/other", {}},
              {"a source that begins like the engine's", "/mayfly/mayfly/", {}},
              {"nobody", "", {}},
              {"the engine's source, with a key", "/mayfly/mayfly", "c1"},
              {"the dead letters' tool, which sets nothing", "/mayfly/deadletters", {}}};
  for (const auto& row : rows) {
    CAPTURE(row.of);
    World world;
    const auto at = [&] {
      const auto text = events::to_text(world.clock.time);
      return R"({"at":")" + std::string(text.data(), text.size()) + "\"";
    };
    world.shop.create("c1");
    world.shop.tick(p, at() + R"(,"through":0,"settings":{"admission_closed":true,"live_carts":0,"cart_life_s":1}})",
                    row.source, row.key);
    world.clock.time.ms += 3'600'000;
    world.shop.tick(p, at() + R"(,"through":1})", row.source, row.key);
    world.shop.create("c1");
    std::string other = "d0";
    for (int i = 1; events::partition_of(other, 2) != p; ++i) other = "d" + std::to_string(i);
    world.shop.create(other);
    world.serve();
    CHECK(said(world.store, other) == std::vector<std::string>{"cart.created"});
    CHECK(said(world.store, "c1") == std::vector<std::string>{"cart.created", "command.rejected"});
    const auto alerts = world.store.records(events::Stream::alerts, p);
    REQUIRE(alerts.size() == 2);
    CHECK(alerts[0].value->find("tick_ignored") != std::string_view::npos);
  }
}

TEST_CASE("payments that a person must look at are counted, those that settle by themselves are not") {
  World world;
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.complete("c1", 100);
  world.shop.reserved("c1");
  world.shop.send("c1", "checkout.abandon", "{}");  // asks for the cancel; the money may still come
  adapters::MemoryLog log(world.store);
  actors::Engine engine(log, world.clock, world.config, nullptr);
  CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  const auto unresolved = [&engine] {
    return engine.census().events_by_type[static_cast<std::size_t>(events::EventType::payment_unresolved)];
  };
  CHECK(unresolved() == 1);
  CHECK(engine.census().payments_unresolved == 0);
  world.shop.paid("c1", "payment.captured", 100);
  CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  CHECK(unresolved() == 2);
  CHECK(engine.census().payments_unresolved == 1);
  CHECK(world.store.records(events::Stream::alerts, events::partition_of("c1", world.store.partitions())).size() == 1);
}

TEST_CASE(
    "a flood of bad ticks is twenty alerts of a partition and minute, and one that says how many were held back") {
  World world;
  adapters::MemoryLog log(world.store);
  actors::Engine engine(log, world.clock, world.config, nullptr);
  for (int i = 0; i < 5'000; ++i) world.shop.tick(0, "{}", "/somebody");
  world.shop.tick(1, "{}", "/somebody");
  engine.run_until_caught_up();
  CHECK(world.store.records(events::Stream::alerts, 0).size() == 20);
  CHECK(world.store.records(events::Stream::alerts, 1).size() == 1);
  CHECK(engine.census().alerts_held_back == 4'980);
  world.clock.time.ms += 60'000;
  world.shop.tick(0, "{}", "/somebody");
  engine.run_until_caught_up();
  const auto alerts = world.store.records(events::Stream::alerts, 0);
  REQUIRE(alerts.size() == 22);
  CHECK(alerts[20].value->find("4980 more alerts of this name were held back") != std::string_view::npos);
  std::set<std::string_view> ids;
  for (const auto& alert : alerts) ids.insert(alert.headers[1].value);
  CHECK(ids.size() == alerts.size());
}

TEST_CASE("alerts of several carts at one tick have ids of their own") {
  World world;
  const auto p = events::partition_of("c1", 2);
  std::vector<std::string> carts;
  for (int i = 0; carts.size() < 3; ++i) {
    if (const auto id = "c" + std::to_string(i); events::partition_of(id, 2) == p) carts.push_back(id);
  }
  for (const auto& cart : carts) {
    world.shop.create(cart);
    world.shop.add(cart, "A", 1, 100);
    world.shop.complete(cart, 100);
    world.shop.reserved(cart);
  }
  const auto last = static_cast<events::Offset>(world.store.records(events::Stream::commands, p).size()) - 1;
  for (int tick = 0; tick < 2 * 5; ++tick) {  // an authorization and four status requests without an answer
    world.clock.time.ms += 3'600'000;
    world.shop.tick(p, world.clock.time, last + tick);
  }
  world.serve();
  std::set<std::string> ids;
  for (const auto& alert : world.store.records(events::Stream::alerts, p)) {
    for (const auto& h : alert.headers) {
      if (h.name == "ce_id") ids.emplace(h.value);
    }
  }
  CHECK(world.store.records(events::Stream::alerts, p).size() == carts.size());
  CHECK(ids.size() == carts.size());
}

TEST_CASE("a tick fires a thousand deadlines, by time and id, the next one the rest") {
  World world;
  const auto p = events::partition_of("c1", 2);
  std::vector<std::string> carts;
  for (int n = 0; carts.size() < 1'001; ++n) {
    const auto cart = "c" + std::to_string(n);
    if (events::partition_of(cart, 2) == p) carts.push_back(cart);
  }
  for (auto cart = carts.rbegin(); cart != carts.rend(); ++cart) world.shop.create(*cart);
  world.shop.tick(p, world.clock.time, 1'000);
  world.clock.time.ms += 86'400'000;
  world.shop.tick(p, world.clock.time, 1'001);
  CHECK(world.serve().carts_open == 1);
  std::sort(carts.begin(), carts.end());
  CHECK(said(world.store, carts.back()).back() == "cart.created");
  world.shop.tick(p, world.clock.time, 1'002);
  CHECK(world.serve().carts_open == 0);
}

TEST_CASE("an unreadable record is a dead letter and the next record is served") {
  World world;
  world.shop.send("c1", "cart.create", "{");
  world.shop.create("c1");
  world.serve();
  CHECK(said(world.store) == std::vector<std::string>{"command.dead_lettered", "cart.created"});
  CHECK(world.store.records(events::Stream::deadletters, events::partition_of("c1", 2)).size() == 1);
}

TEST_CASE("a command that kills its actor twice is decided at the third try as if nothing had been") {
  World undisturbed;
  undisturbed.shop.whole_checkout("c1", 700);
  undisturbed.serve();
  World world;
  int deaths = 0;
  world.config.before_decide = [&](std::string_view, events::Position at) {
    if (at.offset == 4 && ++deaths <= 2) throw std::runtime_error("planted");
  };
  world.shop.whole_checkout("c1", 700);
  const auto census = world.serve();
  CHECK(census.restarts == 2);
  CHECK(testing::written(world.store) == testing::written(undisturbed.store));
}

TEST_CASE("a session that its cart has closed is not one that died, while the next decides in the same chain") {
  World world;
  world.config.choose = [](std::size_t) { return std::size_t{0}; };  // its end is seen before the next has decided
  auto& shop = world.shop;
  shop.create("c1");
  shop.add("c1", "A", 1, 700);
  shop.complete("c1", 700);
  shop.reserved("c1");
  shop.send("c1", "payment.declined", R"({"session_id":"c1-p1","reason":"card_declined","retryable":true})");
  shop.complete("c1", 700);
  shop.reserved("c1", 2);
  shop.paid("c1", "payment.authorized", 700, 2);
  shop.paid("c1", "payment.captured", 700, 2);
  const auto census = world.serve();
  CHECK(census.restarts == 0);
  CHECK(census.sessions_started == 2);
  const auto words = said(world.store);
  CHECK(std::count(words.begin(), words.end(), "payment.session_ended") == 2);
  CHECK(std::count(words.begin(), words.end(), "order.placed") == 1);
}

TEST_CASE("a command that kills its actor three times is a dead letter and its cart lives on") {
  World world;
  world.config.before_decide = [](std::string_view, events::Position at) {
    if (at.offset == 1) throw std::runtime_error("planted");
  };
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.add("c1", "B", 1, 100);
  const auto census = world.serve();
  CHECK(said(world.store) == std::vector<std::string>{"cart.created", "command.dead_lettered", "cart.line_added"});
  CHECK(census.restarts == 3);
  CHECK(census.dead_letters == 1);
  CHECK(census.carts_open == 1);
}

TEST_CASE("a cart.create that keeps killing its actor leaves no cart, and a second one may make it") {
  World world;
  world.config.before_decide = [](std::string_view, events::Position at) {
    if (at.offset == 0) throw std::runtime_error("planted");
  };
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  world.shop.create("c1");
  world.shop.add("c1", "A", 1, 100);
  const auto census = world.serve();
  CHECK(said(world.store) ==
        std::vector<std::string>{"command.dead_lettered", "command.rejected", "cart.created", "cart.line_added"});
  CHECK(census.carts_open == 1);
}

TEST_CASE("batches and segments of any size say the same bytes") {
  std::string expected;
  for (const std::size_t batch : {1UL, 2UL, 7UL, 1000UL}) {
    World world;
    world.config.batch_records = batch;
    world.config.awake_carts = batch % 2;
    for (int cart = 0; cart < 20; ++cart) {
      const std::string id = "cart-" + std::to_string(cart);
      world.shop.whole_checkout(id, 100 + cart);
      world.shop.create(id);                          // cart_ended
      world.shop.complete(id, 100);                   // already_converted
      world.shop.reserved(id, 1);                     // nothing
      world.shop.paid(id, "payment.captured", 5, 2);  // session_unknown
      if (cart % 3 == 0) {
        world.shop.tick(0, world.clock.time, 10);
        world.shop.tick(1, world.clock.time, 10);
      }
    }
    world.serve();
    const auto all = testing::written(world.store);
    if (expected.empty()) expected = all;
    CHECK(all == expected);
  }
}

TEST_CASE("when the engine is gone no actor is left") {
  testing::SetClock clock;
  adapters::MemoryStore store(2, clock);
  testing::Shop shop(store);
  for (int i = 0; i < 50; ++i) {
    const std::string id = "cart-" + std::to_string(i);
    shop.create(id);
    shop.add(id, "A", 1, 100);
    shop.complete(id, 100);
    shop.reserved(id);
  }
  adapters::MemoryLog log(store);
  actors::Engine engine(log, clock, {}, nullptr);
  engine.run_until_caught_up();
  auto census = engine.census();
  CHECK(census.carts_started == 50);
  CHECK(census.sessions_started == 50);
  CHECK(census.sessions_open == 50);
  CHECK(census.carts_open == 50);
  CHECK(census.carts_awake == 50);
}

TEST_CASE("a cart at every limit at once is served, and the next line is refused") {
  World world;
  world.shop.create("full");
  for (int i = 0; i < 2000; ++i) {  // 2,000 lines of 130 bytes of text: just under 256 KiB
    world.shop.send("full", "cart.add_line",
                    R"({"sku":"sku-)" + std::to_string(10'000 + i) + R"(","quantity":1,"unit_price_minor":1,"name":")" +
                        std::string(121, 'n') + "\"}");
  }
  world.shop.send("full", "cart.add_line", R"({"sku":"one-more","quantity":1,"unit_price_minor":1})");
  std::string adjustments;
  for (int i = 0; i < 16; ++i) {
    adjustments += std::string(i > 0 ? "," : "") + R"({"kind":"fee","label":"f","amount_minor":1})";
  }
  world.shop.send("full", "cart.adjust", R"({"adjustments":[)" + adjustments + "]}");
  world.shop.complete("full", 2016);
  world.shop.reserved("full");
  world.shop.paid("full", "payment.authorized", 2016);
  world.shop.paid("full", "payment.captured", 2016);
  const auto census = world.serve();
  CHECK(census.rejections == 1);
  CHECK(said(world.store, "full").back() == "cart.converted");
  CHECK(census.carts_open == 0);
}

TEST_CASE("a record of 64 KiB is read and one byte more is a dead letter with its bytes kept") {
  World world;
  const auto filled = [](std::size_t size) {
    std::string data = R"({"currency":"GBP","ignored":")";
    data.resize(size - 2, 'x');
    return data + "\"}";
  };
  world.shop.send("c1", "cart.create", filled(65'536));
  world.shop.send("c1", "cart.create", filled(65'537));
  world.serve();
  CHECK(said(world.store) == std::vector<std::string>{"cart.created", "command.dead_lettered"});
  const auto letters = world.store.records(events::Stream::deadletters, events::partition_of("c1", 2));
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].value == filled(65'537));
}

TEST_CASE("a record of any size becomes a dead letter that every log takes, and the next record is served") {
  struct Row {
    const char* name;
    std::size_t key_bytes, value_bytes, header_bytes, headers;
  };
  constexpr std::size_t least_a_topic_takes = 1'000'000;  // docs/kafka.md
  const Row rows[] = {{"a large value", 2, 1'060'000, 0, 0},
                      {"a value that compresses well", 2, 3'000'000, 0, 0},
                      {"a large header", 2, 10, 1'100'000, 1},
                      {"many small headers", 2, 10, 100, 11'000},
                      {"a large key", 1'060'000, 10, 0, 0},
                      {"all of it", 900'000, 1'000'000, 500'000, 2},
                      {"empty headers without end", 2, 10, 0, 100'000}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    World world;
    const std::string key(row.key_bytes, 'k');
    const std::string value(row.value_bytes, 'v');
    const std::string header(row.header_bytes, 'h');
    const std::vector<events::Header> headers(row.headers, events::Header{"x", header});
    const auto partition = events::partition_of("c1", 2);
    world.store.append({events::Stream::commands, partition, key, value, headers});
    world.shop.create("c1");
    world.serve();
    CHECK(said(world.store) == std::vector<std::string>{"command.dead_lettered", "cart.created"});
    const auto letters = world.store.records(events::Stream::deadletters, partition);
    REQUIRE(letters.size() == 1);
    std::size_t bytes = letters[0].key->size() + letters[0].value->size();
    std::vector<std::pair<std::string, std::string>> told;
    for (const auto& h : letters[0].headers) {
      bytes += h.name.size() + h.value.size() + 20;
      if (h.name.starts_with("mayfly.")) told.emplace_back(h.name, h.value);
    }
    CHECK(bytes < least_a_topic_takes);
    REQUIRE(told.size() == 11);
    CHECK(told[0] == std::pair<std::string, std::string>{"mayfly.key_bytes", std::to_string(row.key_bytes)});
    CHECK(told[1] == std::pair<std::string, std::string>{"mayfly.value_bytes", std::to_string(row.value_bytes)});
    CHECK(told[2].first == "mayfly.value_sha256");
    CHECK(told[2].second.size() == (row.value_bytes > 262'144 ? 64 : 0));
    CHECK(told[3] == std::pair<std::string, std::string>{"mayfly.headers_bytes",
                                                         std::to_string(row.headers * (1 + row.header_bytes))});
    CHECK(told[6] == std::pair<std::string, std::string>{"mayfly.offset", "0"});
  }
}

TEST_CASE("a card number that lies where a dead letter's value is cut is masked all the same") {
  for (std::size_t before = 262'144 - 20; before <= 262'144; ++before) {
    World world;
    const auto partition = events::partition_of("c1", 2);
    const std::string value = std::string(before, ' ') + "4111111111111111" + std::string(100'000, ' ');
    world.store.append({events::Stream::commands, partition, "c1", value, {}});
    world.serve();
    const auto letters = world.store.records(events::Stream::deadletters, partition);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].value->size() == 262'144);
    CHECK(letters[0].value->find_first_of("0123456789") == std::string::npos);
  }
}

TEST_CASE("no card number is kept of a dead letter") {
  World world;
  world.shop.send("c1", "cart.create", R"({"note":"4111 1111 1111 1111)");
  world.serve();
  const auto letters = world.store.records(events::Stream::deadletters, events::partition_of("c1", 2));
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].value == R"({"note":"**** **** **** ****)");
}

TEST_CASE("commits that are aborted or whose answer is lost change nothing of what is said in the end") {
  const auto fill = [](World& world) {
    for (int i = 0; i < 30; ++i) world.shop.whole_checkout("cart-" + std::to_string(i), 100 + i);
  };
  World undisturbed;
  fill(undisturbed);
  undisturbed.serve();
  World world;
  world.config.batch_records = 10;
  world.config.first_pause = world.config.most_pause = {};
  fill(world);
  adapters::MemoryLog inner(world.store);
  adapters::FaultyLog log(inner);
  using adapters::Fault;
  log.script({Fault::none, Fault::aborted, Fault::lost_answer, Fault::lost_request, Fault::none, Fault::lost_answer,
              Fault::aborted, Fault::aborted});
  actors::Engine engine(log, world.clock, world.config, nullptr);
  CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  CHECK(engine.census().commit_failures == 6);
  CHECK(testing::written(world.store) == testing::written(undisturbed.store));
}

TEST_CASE("a merged cart's lines are added to the other cart, in order, in whichever partition it lies") {
  for (const std::string into : {"c2", "c3", "c4"}) {
    World world;
    world.shop.create("c1");
    world.shop.add("c1", "A", 2, 100);
    world.shop.add("c1", "B", 1, 50);
    world.shop.create(into);
    world.shop.send("c1", "cart.merge", R"({"into":")" + into + "\"}");
    const auto census = world.serve();
    const auto of_source = said(world.store, "c1");
    CHECK(std::vector<std::string>(of_source.end() - 2, of_source.end()) ==
          std::vector<std::string>{"cart.merge_started", "cart.merged"});
    CHECK(said(world.store, into) == std::vector<std::string>{"cart.created", "cart.line_added", "cart.line_added"});
    CHECK(census.carts_open == 1);
  }
}

TEST_CASE("a merge that is refused leaves all lines where they are") {
  for (const std::string into : {"c2", "c3", "c4"}) {
    World world;
    for (const std::string& cart : {std::string("c1"), into}) {
      world.shop.create(cart);
      world.shop.add(cart, "A", 2, 100);
    }
    world.shop.complete(into, 200);
    world.shop.send("c1", "cart.merge", R"({"into":")" + into + "\"}");
    world.shop.send(into, "cart.merge", R"({"into":"c1"})");
    world.shop.send("nobody's friend", "cart.create", R"({"currency":"GBP"})");
    world.shop.send("nobody's friend", "cart.merge", R"({"into":"nobody"})");
    const auto census = world.serve();
    CHECK(said(world.store, "c1").back() == "cart.merge_refused");
    CHECK(said(world.store, into).back() == "command.rejected");
    CHECK(said(world.store, "nobody") == std::vector<std::string>{"command.rejected"});
    CHECK(said(world.store, "nobody's friend").back() == "cart.merge_refused");
    CHECK(census.carts_open == 3);
  }
}

TEST_CASE("carts that are merged into each other keep their lines") {
  for (const std::string other : {"c2", "c3", "c4"}) {
    World world;
    for (const std::string& cart : {std::string("c1"), other}) {
      world.shop.create(cart);
      world.shop.add(cart, "A", 2, 100);
    }
    world.serve();
    world.shop.send("c1", "cart.merge", R"({"into":")" + other + "\"}");
    world.shop.send(other, "cart.merge", R"({"into":"c1"})");
    const auto census = world.serve();
    CHECK(census.carts_open == 2);
    for (const std::string& cart : {std::string("c1"), other}) {
      const auto events = said(world.store, cart);
      CHECK(std::vector<std::string>(events.begin() + 2, events.end()) ==
            std::vector<std::string>{"cart.merge_started", "command.rejected", "cart.merge_refused"});
    }
  }
}

TEST_CASE("lines that a cart takes after the other waits no more stand in both only with an alert") {
  for (const bool touched : {false, true}) {
    CAPTURE(touched);
    World world;
    world.shop.create("c1");
    world.shop.add("c1", "A", 2, 100);
    world.shop.create("c2");
    world.serve();
    // The offer is not decided: as if it was set aside.
    world.config.withheld = [&](events::Position, std::string_view cart) {
      return cart == "c2" ? std::optional(events::DeadLetterReason::keeps_failing) : std::nullopt;
    };
    world.shop.send("c1", "cart.merge", R"({"into":"c2"})");
    world.serve();
    world.config.withheld = {};
    const auto home = events::partition_of("c1", world.store.partitions());
    const auto merge = world.store.ends(events::Stream::commands, home).end;
    for (int i = 0; i < 2; ++i) {  // begins, ends
      world.shop.tick(home, world.clock.time, merge);
      world.serve();
      world.clock.time.ms += 901'000;
    }
    world.shop.tick(home, world.clock.time, merge);
    world.serve();
    CHECK(said(world.store, "c1").back() == "cart.merge_refused");
    if (touched) world.shop.add("c1", "B", 1, 5);

    const auto there = events::partition_of("c2", world.store.partitions());
    std::optional<events::Record> offer;
    const auto commands = world.store.records(events::Stream::commands, there);
    for (const auto& record : commands) {
      for (const auto& h : record.headers) {
        if (h.value == "dev.mayfly.cart.merge_offered.v1") offer = record;
      }
    }
    REQUIRE(offer);
    const std::vector<events::Header> headers(offer->headers.begin(), offer->headers.end());
    world.store.append({events::Stream::commands, there, offer->key, offer->value, headers});
    world.serve();
    CHECK(said(world.store, "c2").back() == "cart.line_added");
    CHECK(said(world.store, "c1").back() == (touched ? "command.rejected" : "cart.merged"));
    int alerts = 0;
    for (events::Partition p = 0; p < world.store.partitions(); ++p) {
      for (const auto& alert : world.store.records(events::Stream::alerts, p)) {
        alerts += alert.value->find(R"("alert":"merge_over")") != std::string_view::npos ? 1 : 0;
      }
    }
    CHECK(alerts == (touched ? 1 : 0));
  }
}
