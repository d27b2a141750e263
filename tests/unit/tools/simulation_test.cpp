// The simulated payment service: what it answers is what it has on its books, also after it was started again.
#include "tools/simulate/simulation.h"

#include "events/rules/identity.h"
#include "logs/memory_log.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/simulate/balance.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <optional>
#include <set>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;
using events::Millis;
using events::Timestamp;

constexpr Millis day{86'400'000};

class SetClock final : public events::Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return at; }
  Timestamp at{1'767'225'600'000};
};

Rates prompt() {
  Rates rates;
  rates.quickest = rates.slowest = {};
  return rates;
}

/// A log of two partitions, and a simulation that reads it.
struct World {
  explicit World(const Rates& rates = prompt(), std::uint64_t seed = 1, std::int64_t faster = 1)
      : rates_(rates), seed_(seed), faster_(faster) {
    start();
  }

  void start() {
    simulation.reset();
    simulation.emplace(client, Simulation::Wanted{true, true, rates_, seed_, faster_});
    REQUIRE(simulation->begin().ok());
  }
  /// An event of the cart c1, or of another in another partition. Its time is the clock's.
  void say(const std::string& type, Json data, events::Partition partition = 0) {
    const std::string cart = "c" + std::to_string(partition + 1);
    const std::string name = "dev.mayfly." + type + ".v1";
    const std::string id =
        std::to_string(partition) + "-" + std::to_string(++said_[static_cast<std::size_t>(partition)]) + "-0";
    const std::string key = "key of " + id;
    data.update({{"session_id", cart + "-p1"}, {"currency", "GBP"}});
    if (!data.contains("idempotency_key")) data["idempotency_key"] = key;
    const auto text = data.dump();
    const events::Header headers[] = {{"ce_type", name}, {"ce_id", id}, {"ce_correlationid", "why"}};
    const events::NewRecord record{events::Stream::events, partition, cart, text, headers};
    REQUIRE(client.append({&record, 1}).status.ok());
  }
  void ask(const std::string& type, Json data, events::Partition partition = 0) {
    say("payment." + type + "_requested", std::move(data), partition);
  }
  void step() {
    bool found = false;
    REQUIRE(simulation->step(clock.at, found).ok());
  }
  /// Type and what it says, of the commands that are new after a step.
  std::string answers() {
    step();
    std::string text;
    for (events::Partition p = 0; p < 2; ++p) text += answers_of(p);
    return text;
  }
  std::string answers_of(events::Partition p) {
    auto& read = read_[static_cast<std::size_t>(p)];
    const auto fetched = client.read(events::Stream::commands, p, read, read_at_once);
    read = fetched.next;
    std::string text;
    for (const auto& record : fetched.batch.records) {
      text += (text.empty() ? "" : ", ") + std::string(short_type(record).substr(std::string_view("payment.").size()));
      ids.insert(std::string(header(record, "ce_id")));
      const auto data = Json::parse(*record.value);
      for (const char* word : {"state", "retryable"}) {
        if (data.contains(word))
          text += " " + (data[word].is_string() ? data[word].get<std::string>() : data[word].dump());
      }
      for (const char* total : {"amount_minor", "authorized_minor", "captured_minor", "refunded_minor"}) {
        if (data.contains(total)) text += " " + std::to_string(data[total].get<int>());
      }
    }
    return text;
  }
  const ProviderAccount& account() { return simulation->provider().accounts().at("c1-p1"); }
  std::string books() {
    const auto& a = account();
    std::string text;
    for (const auto amount : {a.authorized, a.captured, a.canceled, a.refunded}) text += std::to_string(amount) + " ";
    return text;
  }

  SetClock clock;
  adapters::MemoryStore store{2, clock};
  adapters::MemoryClient client{store};
  std::optional<Simulation> simulation;
  std::set<std::string> ids;

 private:
  Rates rates_;
  std::uint64_t seed_;
  std::int64_t faster_;
  std::array<events::Offset, 2> read_{};
  std::array<int, 2> said_{};  // of each partition
};

Json of(std::int64_t amount, Json more = Json::object()) {
  more["amount_minor"] = amount;
  return more;
}

}  // namespace

TEST_CASE("the simulated provider says of a payment what it did with it") {
  struct Row {
    const char* asked;
    std::int64_t amount;
    const char* answer;
  };
  const std::pair<const char*, std::vector<Row>> histories[] = {
      {"captured and given back",
       {{"authorization", 500, "authorized 500"},
        {"status", 500, "status authorized 500 0 0"},
        {"capture", 500, "captured 500"},
        {"status", 500, "status captured 500 500 0"},
        {"refund", 200, "refunded 200"},
        {"status", 500, "status captured 500 500 200"},
        {"refund", 300, "refunded 500"},
        {"status", 500, "status refunded 500 500 500"},
        {"cancel", 500, "captured 500"}}},
      {"canceled",
       {{"authorization", 500, "authorized 500"},
        {"cancel", 500, "canceled 500"},
        {"status", 500, "status canceled 500 0 0"},
        {"capture", 500, "capture_failed false"},
        {"authorization", 500, "status canceled 500 0 0"}}},
      {"not begun, and never begun later",
       {{"status", 500, "status not_found 0 0 0"}, {"authorization", 500, "status not_found 0 0 0"}}},
      {"canceled before it was begun", {{"cancel", 0, "canceled 0"}, {"authorization", 500, "status canceled 0 0 0"}}},
  };
  for (const auto& history : histories) {
    CAPTURE(history.first);
    World world;
    for (const auto& row : history.second) {
      world.ask(row.asked, of(row.amount));
      CHECK(world.answers() == row.answer);
    }
  }
}

TEST_CASE("one idempotency key has one success, and is answered again") {
  World world;
  world.ask("authorization", of(500));
  for (int i = 0; i < 2; ++i) world.ask("capture", of(500, {{"idempotency_key", "capture"}}));
  for (int i = 0; i < 2; ++i) world.ask("refund", of(100, {{"idempotency_key", "refund"}}));
  CHECK(world.answers() == "authorized 500, captured 500, captured 500, refunded 100, refunded 100");
}

TEST_CASE("an order that is captured on command is taken in parts, and the last one releases the rest") {
  World world;
  world.ask("authorization", of(1'000, {{"capture", "on_command"}}));
  world.ask("capture", of(400));
  CHECK(world.answers() == "authorized 1000, captured 400");
  CHECK(world.books() == "1000 400 0 0 ");
  world.ask("capture", of(250, {{"final", true}}));
  CHECK(world.answers() == "captured 650");
  CHECK(world.books() == "1000 650 350 0 ");
}

TEST_CASE("a method that settles is pending for days, and then authorized or declined") {
  for (const bool declines : {false, true}) {
    Rates rates = prompt();
    World world(rates);
    world.ask("authorization", of(500, {{"settles_within_s", 10 * 86'400}}));
    CHECK(world.answers() == "pending");
    world.ask("status", of(500));
    CHECK(world.answers() == "status pending 0 0 0");
    if (declines) world.ask("cancel", of(0));
    if (declines) CHECK(world.answers() == "canceled 0");
    world.clock.at = world.clock.at + Millis{10 * day.count};
    CHECK(world.answers() == (declines ? "" : "authorized 500"));
  }
}

TEST_CASE("a buyer whose first attempt fails is asked, told, and pays in the end") {
  Rates rates = prompt();
  rates.pending = rates.attempt_fails = 100;
  std::set<std::string> said;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(rates, seed);
    world.ask("authorization", of(500));
    said.insert(world.answers());
    world.clock.at = world.clock.at + day;
    CHECK(world.answers() == "authorized 500");
  }
  CHECK(said == std::set<std::string>{"", "requires_action, attempt_failed"});  // half of them need the buyer
}

TEST_CASE("a dispute is opened on a later day and decided on another") {
  Rates rates = prompt();
  rates.dispute = 100;
  World world(rates);
  world.ask("authorization", of(500));
  world.ask("capture", of(500));
  CHECK(world.answers() == "authorized 500, captured 500");
  world.clock.at = world.clock.at + Millis{8 * day.count};
  CHECK(world.answers() == "disputed opened 500");
  world.clock.at = world.clock.at + Millis{8 * day.count};
  const auto decided = world.answers();
  CHECK_MESSAGE((decided == "disputed won 500" || decided == "disputed lost 500"), decided);
}

TEST_CASE("where time is faster, disputes are too") {
  Rates rates = prompt();
  rates.dispute = 100;
  World world(rates, 1, 86'400);
  world.ask("authorization", of(500));
  world.ask("capture", of(500));
  CHECK(world.answers() == "authorized 500, captured 500");
  world.clock.at = world.clock.at + Millis{16'000};  // 16 days
  const auto disputed = world.answers();
  CHECK_MESSAGE(disputed.starts_with("disputed opened 500, disputed "), disputed);
}

TEST_CASE("what is left of a hold is released on demand, and the answer says what stays captured") {
  World world;
  world.ask("authorization", of(1'000, {{"capture", "on_command"}}));
  world.ask("capture", of(400));
  CHECK(world.answers() == "authorized 1000, captured 400");
  world.ask("cancel", of(600));
  CHECK(world.answers() == "status canceled 1000 400 0");
  CHECK(world.books() == "1000 400 600 0 ");
}

TEST_CASE("a buyer may add something to a payment that may be more, and it is captured with the last part") {
  Rates rates = prompt();
  rates.extra = 100;
  World world(rates);
  world.ask("authorization", of(500, {{"extra_up_to_minor", 1}, {"capture", "on_command"}}));
  world.ask("capture", of(200));
  world.ask("capture", of(300));
  CHECK(world.answers() == "authorized 501, captured 200, captured 501");
}

TEST_CASE("a refund that fails moves no money, and its key is not used up") {
  Rates rates = prompt();
  rates.refund_fails = 100;
  World world(rates);
  world.ask("authorization", of(500));
  world.ask("capture", of(500));
  (void)world.answers();
  world.ask("refund", of(300));
  const auto answer = world.answers();
  CHECK_MESSAGE(answer.starts_with("refund_failed "), answer);
  CHECK(world.books() == "500 500 0 0 ");
}

TEST_CASE("a payment that takes days may be told of again, unasked, and may come too late") {
  Rates rates = prompt();
  rates.told_again = 100;
  World world(rates);
  world.ask("authorization", of(500, {{"settles_within_s", 86'400}}));
  CHECK(world.answers() == "pending");
  world.clock.at = world.clock.at + day;
  CHECK(world.answers() == "authorized 500, status authorized 500 0 0");

  rates.never_settles = 100;
  World late(rates);
  late.ask("authorization", of(500, {{"settles_within_s", 86'400}}));
  CHECK(late.answers() == "pending");
  late.clock.at = late.clock.at + day;
  CHECK(late.answers().empty());
  late.clock.at = late.clock.at + day;
  CHECK(late.answers().starts_with("authorized 500"));
}

TEST_CASE("a warehouse that rejects says how much it has") {
  Rates rates = prompt();
  rates.out_of_stock = 100;
  World world(rates);
  const Json lines = {{{"sku", "A"}, {"line_id", "x"}, {"quantity", 1}}, {{"sku", "B"}, {"quantity", 1}}};
  world.say("inventory.reservation_requested",
            {{"reservation_id", "c1-r1"}, {"hold_until", "2026-01-01T03:00:00.000Z"}, {"lines", lines}});
  world.step();
  const auto partition = events::partition_of("c1", 2);
  const auto fetched = world.client.read(events::Stream::commands, partition, 0, read_at_once);
  REQUIRE(fetched.batch.records.size() == 1);
  const auto said = Json::parse(*fetched.batch.records.front().value);
  CHECK(said.at("available") == Json{{{"sku", "A"}, {"line_id", "x"}, {"quantity", 0}}});
}

TEST_CASE("what silence, doubles and declines do is told by the rates") {
  const std::pair<int Rates::*, const char*> rows[] = {{&Rates::silence, ""},
                                                       {&Rates::duplicate, "authorized 500, authorized 500"},
                                                       {&Rates::decline, "declined true"},
                                                       {&Rates::auto_capture, "captured 500"}};
  for (const auto& row : rows) {
    Rates rates = prompt();
    rates.*row.first = 100;
    World world(rates);
    world.ask("authorization", of(500));
    CHECK(world.answers() == row.second);
  }
}

TEST_CASE("answers come out of order when they take different times") {
  Rates rates = prompt();
  rates.slowest = Millis{10'000};
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(rates, seed);
    world.ask("authorization", of(500));
    world.ask("capture", of(500));
    world.step();
    world.clock.at = world.clock.at + Millis{10'000};
    orders.insert(world.answers());
  }
  CHECK(orders == std::set<std::string>{"authorized 500, captured 500", "captured 500, authorized 500"});
}

TEST_CASE("a simulation that is started again has the same books, and answers what it had not answered") {
  Rates rates = prompt();
  rates.slowest = Millis{60'000};
  rates.wrong_amount = rates.duplicate = rates.silence = rates.pending = 30;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    World world(rates, seed);
    for (const char* type : {"authorization", "authorization", "capture", "refund"}) world.ask(type, of(500));
    world.step();
    REQUIRE(world.simulation->keep().ok());
    const auto books = world.simulation->provider().accounts().contains("c1-p1") ? world.books() : "none";
    const auto waiting = world.simulation->waiting();
    world.start();
    world.step();
    CHECK((world.simulation->provider().accounts().contains("c1-p1") ? world.books() : "none") == books);
    CHECK(world.simulation->waiting() == waiting);
    world.clock.at = world.clock.at + day;
    (void)world.answers();
    const auto ids = world.ids;
    REQUIRE(world.simulation->keep().ok());
    world.start();
    CHECK(world.answers().empty());  // all was answered before
    CHECK(world.ids == ids);
  }
}

TEST_CASE("what was pending is decided at its time, whether it was looked at then or when the next request came") {
  Rates rates = prompt();
  rates.pending = 100;
  rates.capture_fails = rates.silence = 50;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    std::vector<std::string> books;
    for (const bool looked_at : {true, false}) {
      World world(rates, seed);
      world.ask("authorization", of(500));
      world.ask("authorization", of(500));
      world.step();
      world.clock.at = world.clock.at + day;
      if (looked_at) world.step();
      world.ask("capture", of(500));
      world.step();
      books.push_back(world.simulation->provider().accounts().contains("c1-p1") ? world.books() : "none");
    }
    CHECK(books[0] == books[1]);
  }
}

TEST_CASE("what becomes of a request depends on the seed and the request alone, not on what others ask") {
  Rates rates = prompt();
  rates.wrong_amount = rates.silence = rates.auto_capture = 50;
  std::set<std::string> all;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    std::vector<std::string> books;
    for (const int others : {0, 1, 3}) {
      World world(rates, seed);
      for (int i = 0; i < others; ++i) world.ask("authorization", of(700), 1);
      world.step();
      for (const char* type : {"authorization", "authorization", "capture", "refund"}) world.ask(type, of(500));
      world.step();
      books.push_back(world.simulation->provider().accounts().contains("c1-p1") ? world.books() : "none");
    }
    CHECK(books[0] == books[1]);
    CHECK(books[0] == books[2]);
    all.insert(books[0]);
  }
  CHECK(all.size() > 5);  // and seeds differ
}

TEST_CASE("what is pending in one partition is not decided because another partition is read again") {
  Rates rates = prompt();
  World world(rates);
  world.ask("authorization", of(500), 1);
  CHECK(world.answers() == "authorized 500");
  REQUIRE(world.simulation->keep().ok());
  world.ask("authorization", of(500, {{"settles_within_s", 86'400}}), 0);
  world.start();
  CHECK(world.answers() == "pending");
  CHECK(world.account().pending_until);
  world.clock.at = world.clock.at + day;
  CHECK(world.answers() == "authorized 500");
}

TEST_CASE("a simulation that was killed before it kept its position answers again, under the same ids") {
  World world;
  world.ask("authorization", of(500));
  CHECK(world.answers() == "authorized 500");
  const auto ids = world.ids;
  const events::Position first{0, 0};
  REQUIRE(world.client.keep_group_positions("simulate.provider.warehouse", events::Stream::events, {&first, 1}).ok());
  world.start();
  CHECK(world.answers() == "authorized 500");
  CHECK(world.ids == ids);
}

TEST_CASE("the balance names the session whose money is neither an order's, nor given back, nor listed") {
  ProviderAccount a;
  a.currency = "GBP";
  a.authorized = 1'000;
  a.captured = 600;
  a.canceled = 100;
  a.refunded = 50;
  struct Row {
    std::int64_t order;
    std::int64_t listed;
    std::int64_t loose;
    bool even;
  };
  const Row rows[] = {{550, 300, 0, true},  {550, 299, 0, false}, {549, 301, 1, true},
                      {549, 300, 1, false}, {0, 850, 550, true},  {0, 849, 550, false}};
  for (const auto& row : rows) {
    Risk risk;
    risk.session = "s";
    risk.amount_minor = row.listed;
    std::vector<std::string> wrong;
    const auto sums = balance({{"s", a}}, {{"s", row.order}}, {risk}, wrong).at("GBP");
    CHECK(sums.authorized == sums.captured + sums.released + sums.held);
    CHECK(sums.captured == sums.completed + sums.refunded + sums.loose);
    CHECK(sums.held == 300);
    CHECK(sums.loose == row.loose);
    CHECK(wrong.empty() == row.even);
  }
  a.refunded = 601;
  std::vector<std::string> wrong;
  (void)balance({{"s", a}}, {}, {}, wrong);
  CHECK(wrong.size() == 1);
}

}  // namespace mayfly::tools
