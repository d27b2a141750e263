#include "tools/connect/delivery.h"

#include "events/rules/identity.h"
#include "events/text/time_text.h"
#include "logs/memory_log.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

using namespace mayfly;
using adapters::HttpCall;
using adapters::HttpCalled;
using events::Millis;
using events::Stream;
using events::Timestamp;
using Json = nlohmann::json;

namespace {

class SetClock final : public events::Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return at; }
  Timestamp at{1'767'225'600'000};
};

HttpCalled status(int code, std::string body = {}, adapters::HttpHeaders headers = {}) {
  return {code, std::move(headers), std::move(body), {}};
}

/// A client that fails, if it is told to, in what it writes.
class FailingClient final : public events::LogClient {
 public:
  explicit FailingClient(adapters::MemoryStore& store) : client_(store) {}
  [[nodiscard]] std::int32_t partitions() const override { return client_.partitions(); }
  events::Appended append(std::span<const events::NewRecord> records) override {
    return fault.ok() ? client_.append(records) : events::Appended{{}, fault};
  }
  events::Fetched read(Stream s, events::Partition p, events::Offset from, const events::PollLimits& l) override {
    return client_.read(s, p, from, l);
  }
  events::StreamEnds ends(Stream s, events::Partition p) override { return client_.ends(s, p); }
  events::GroupPositions group_positions(std::string_view group, Stream s) override {
    return client_.group_positions(group, s);
  }
  events::LogStatus keep_group_positions(std::string_view group, Stream s,
                                         std::span<const events::Position> next) override {
    return fault.ok() ? client_.keep_group_positions(group, s, next) : fault;
  }
  events::LogStatus fault;

 private:
  adapters::MemoryClient client_;
};

/// A log, an address, and a delivery from one to the other that goes on when it is told to.
struct World {
  explicit World(tools::DeliveryConfig made = {}, std::int32_t partitions = 1)
      : store(partitions, clock), config(std::move(made)) {
    config.name = "shop";
    config.url_text = "http://receiver/";
    if (config.types.empty()) config.types = {"inventory.reservation_requested", "order.placed"};
    config.keys = {"a key"};
    start();
  }

  void start() {
    delivery.emplace(
        config, client, clock,
        [this](HttpCall call, auto done) {
          Json event = Json::parse(call.body);
          sent.push_back(event["id"]);
          waiting.emplace(event["id"], std::move(done));
          calls.push_back(std::move(call));
        },
        [this](const std::string& sentence) { said += sentence + "\n"; }, 1);
    REQUIRE(delivery->begin().ok());
    step();
  }

  void append(const std::string& id, const std::string& cart, const std::string& type = "order.placed",
              const std::string& data = "{}", events::Partition partition = 0) {
    const std::string full = "dev.mayfly." + type + ".v1";
    const events::Header headers[] = {{"ce_specversion", "1.0"}, {"ce_id", id},
                                      {"ce_type", full},         {"ce_subject", cart},
                                      {"ce_sequence", "4"},      {"content-type", "application/json"},
                                      {"ce_correlationid", "x1"}};
    store.append({Stream::events, partition, cart, data, headers});
  }

  void step() {
    bool found = true;
    while (found) REQUIRE(delivery->step(found).ok());
  }
  void answer(const std::string& id, HttpCalled called) {
    auto of_id = waiting.extract(id);
    REQUIRE(!of_id.empty());
    of_id.mapped()(std::move(called));
    step();
  }
  void pass(Millis time) {
    clock.at = clock.at + time;
    step();
  }
  [[nodiscard]] events::Offset kept() {
    const auto positions = client.group_positions("connect.shop", Stream::events);
    return positions.next.empty() ? -1 : positions.next.front().offset;
  }
  [[nodiscard]] Json alert() const {
    const auto records = store.records(Stream::alerts, 0);
    return records.size() == 1 ? Json::parse(*records.front().value) : Json();
  }

  SetClock clock;
  adapters::MemoryStore store;
  FailingClient client{store};
  tools::DeliveryConfig config;
  std::vector<std::string> sent;  // ids
  std::vector<HttpCall> calls;
  std::multimap<std::string, std::function<void(HttpCalled)>> waiting;
  std::string said;
  std::optional<tools::Delivery> delivery;
};

tools::DeliveryConfig that_takes_replies() {
  tools::DeliveryConfig config;
  config.replies = {"inventory"};
  return config;
}

const std::string reserved = R"({"type":"inventory.reserved","data":{"reservation_id":"c1-r1"}})";

}  // namespace

TEST_CASE(
    "an event is sent as a CloudEvent with the headers of Standard Webhooks, the same each time but for the time") {
  World world;
  world.append("0-1-0", "c1", "order.placed", R"({"order_id":"o-c1"})");
  world.step();
  world.answer("0-1-0", status(500));
  world.pass(Millis{60'000});
  REQUIRE(world.calls.size() == 2);
  const auto& first = world.calls[0];
  CHECK(Json::parse(first.body) == Json{{"specversion", "1.0"},
                                        {"id", "0-1-0"},
                                        {"type", "dev.mayfly.order.placed.v1"},
                                        {"subject", "c1"},
                                        {"sequence", "4"},
                                        {"correlationid", "x1"},
                                        {"datacontenttype", "application/json"},
                                        {"data", {{"order_id", "o-c1"}}}});
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& call = world.calls[i];
    CHECK(call.body == first.body);
    const auto time_s = 1'767'225'600 + 60 * static_cast<std::int64_t>(i);
    CHECK(call.headers == adapters::HttpHeaders{
                              {"Content-Type", "application/cloudevents+json; charset=utf-8"},
                              {"webhook-id", "0-1-0"},
                              {"webhook-timestamp", std::to_string(time_s)},
                              {"webhook-signature", tools::webhook_signature({"a key"}, "0-1-0", time_s, call.body)}});
  }
}

TEST_CASE("an id that no engine has made adds no header") {
  World world;
  world.append("1\r\nx-admin: yes", "c1");
  world.step();
  REQUIRE(world.calls.size() == 1);
  CHECK(world.calls[0].headers[1] == std::pair<std::string, std::string>{"webhook-id", R"(1\x0d\x0ax-admin: yes)"});
  CHECK(Json::parse(world.calls[0].body)["id"] == R"(1\x0d\x0ax-admin: yes)");
}

TEST_CASE("only events of the types asked for are sent, and the position passes the others") {
  World world;
  world.append("1", "c1", "cart.created");
  world.append("2", "c1", "order.placed");
  world.append("3", "c1", "cart.converted");
  world.step();
  CHECK(world.sent == std::vector<std::string>{"2"});
  world.answer("2", status(204));
  CHECK(world.kept() == 3);
}

TEST_CASE("a cart's next event is sent when the one before was taken, however often that one fails, and others go on") {
  World world;
  world.append("a1", "a");
  world.append("a2", "a");
  world.append("b1", "b");
  world.append("b2", "b");
  world.step();
  CHECK(world.sent == std::vector<std::string>{"a1", "b1"});
  for (int i = 0; i < 3; ++i) {
    world.answer("a1", status(500));
    world.pass(Millis{60'000});
  }
  world.answer("b1", status(200));
  world.answer("b2", status(200));
  CHECK(world.sent == std::vector<std::string>{"a1", "b1", "a1", "a1", "a1", "b2"});
  CHECK(world.kept() == -1 + 1);  // a1 is not done
  world.answer("a1", status(200));
  CHECK(world.sent.back() == "a2");
}

TEST_CASE("a partition that has more than there is room for does not hold up the others") {
  World world({}, 2);
  for (int i = 0; i < 3'000; ++i) world.append(std::to_string(i), std::to_string(i));
  world.step();
  world.append("other", "other", "order.placed", "{}", 1);
  while (world.sent.back() != "other") {
    world.clock.at = world.clock.at + Millis{1};
    world.answer(world.waiting.begin()->first, status(200));
  }
  CHECK(world.sent.size() < 1'200);
}

TEST_CASE("a delivery that ends before an answer comes sends all that is not done again") {
  World world;
  for (const char* id : {"1", "2", "3"}) world.append(id, id);
  world.step();
  world.answer("1", status(200));
  world.answer("3", status(200));
  world.pass(Millis{1'000});
  CHECK(world.kept() == 1);
  world.sent.clear();
  world.start();
  CHECK(world.sent == std::vector<std::string>{"2", "3"});
}

TEST_CASE("a reply in the answer is in the log before the event counts as delivered, with an id made of the event's") {
  World world(that_takes_replies());
  world.append("0-4-1", "c1", "inventory.reservation_requested", R"({"reservation_id":"c1-r1"})");
  world.step();
  world.answer("0-4-1", status(200, reserved));
  const auto commands = world.store.records(Stream::commands, 0);
  REQUIRE(commands.size() == 1);
  std::map<std::string, std::string> headers;
  for (const auto& h : commands[0].headers) headers.emplace(h.name, h.value);
  CHECK(commands[0].key == "c1");
  CHECK(*commands[0].value == R"({"reservation_id":"c1-r1"})");
  CHECK(headers["ce_id"] == "0-4-1");
  CHECK(headers["ce_source"] == "/connect/shop");
  CHECK(headers["ce_type"] == "dev.mayfly.inventory.reserved.v1");
  CHECK(headers["ce_correlationid"] == "x1");
  CHECK(world.kept() == 1);
}

TEST_CASE("an answer whose body is no reply that may be given is a failure, and nothing of it is written") {
  for (const char* body : {"OK", "[]", "{}", R"({"type":"inventory.reserved"})", R"({"type":5,"data":{}})",
                           R"({"type":"cart.cancel","data":{}})", R"({"type":"payment.captured","data":{}})",
                           R"({"type":"inventory.taken","data":{}})", R"({"type":"inventory.reserved","data":{}})",
                           R"({"type":"inventory.reserved","data":{"reservation_id":5}})"}) {
    CAPTURE(body);
    World world(that_takes_replies());
    world.append("1", "c1");
    world.step();
    world.answer("1", status(200, body));
    CHECK(world.store.records(Stream::commands, 0).empty());
    CHECK(world.delivery->counts().failed == 1);
    world.pass(Millis{60'000});
    CHECK(world.sent.size() == 2);
    world.answer("1", status(200, " \n"));  // no reply at all
    CHECK(world.delivery->counts().delivered == 1);
  }
}

TEST_CASE("where no replies are asked for a body is not read") {
  World world;
  world.append("1", "c1");
  world.step();
  world.answer("1", status(200, reserved));
  CHECK(world.store.records(Stream::commands, 0).empty());
  CHECK(world.delivery->counts().delivered == 1);
}

TEST_CASE("an event is tried until its deadline, the last time at it, then it is parked and the cart goes on") {
  World world;
  const auto deadline = events::to_text(world.clock.at + Millis{90'000});
  const std::string data = R"({"deadline":")" + std::string(deadline.data(), deadline.size()) + "\"}";
  world.append("1", "c1", "inventory.reservation_requested", data);
  world.append("2", "c1");
  world.step();
  int attempts = 0;
  while (world.alert().is_null()) {
    ++attempts;
    world.answer("1", status(503));
    if (!world.alert().is_null()) break;
    while (world.waiting.empty()) world.pass(Millis{100});
    REQUIRE(world.clock.at <= Timestamp{1'767'225'600'000} + Millis{90'000});
  }
  CHECK(world.clock.at == Timestamp{1'767'225'600'000} + Millis{90'000});
  CHECK(attempts > 2);
  CHECK(world.alert()["alert"] == "delivery_parked");
  CHECK(world.alert()["delivery"] == "shop:0:0");
  const std::string message = world.alert()["message"];
  CHECK(message.find("inventory.reservation_requested 1 of cart c1 (attempts: " + std::to_string(attempts)) !=
        std::string::npos);
  CHECK(message.find("answered 503") != std::string::npos);
  CHECK(world.said.find("parked: ") != std::string::npos);
  CHECK(world.sent.back() == "2");
  world.answer("2", status(200));
  CHECK(world.kept() == 2);
}

TEST_CASE("what nobody asks for again is tried for the configured time, and not until its deadline") {
  tools::DeliveryConfig config;
  config.types = {"inventory.commit_requested"};
  config.retry_for = Millis{3'600'000};
  World world(config);
  const auto deadline = events::to_text(world.clock.at);
  world.append("1", "c1", "inventory.commit_requested",
               R"({"deadline":")" + std::string(deadline.data(), deadline.size()) + "\"}");
  world.step();
  world.answer("1", status(503));
  CHECK(world.alert().is_null());
  world.pass(Millis{3'600'000});
  world.answer("1", status(503));
  CHECK(world.alert()["alert"] == "delivery_parked");
}

TEST_CASE("an event that comes after its deadline is tried once") {
  World world;
  world.append("1", "c1", "inventory.reservation_requested", R"({"deadline":"2020-01-01T00:00:00.000Z"})");
  world.step();
  CHECK(world.sent.size() == 1);
  world.answer("1", status(503));
  CHECK(world.alert()["alert"] == "delivery_parked");
}

TEST_CASE("a request that is refused for good is parked at once") {
  for (const int code : {400, 410, 422}) {
    World world;
    world.append("1", "c1");
    world.step();
    world.answer("1", status(code, "no\x1b[2J"));
    CHECK(world.alert()["message"].get<std::string>().find("answered " + std::to_string(code) + R"(: no\x1b[2J)") !=
          std::string::npos);
  }
}

TEST_CASE("Retry-After is waited for, and where it lies beyond the deadline the event is parked") {
  World world;
  world.append("1", "c1");
  world.step();
  world.answer("1", status(429, "", {{"retry-after", "3600"}}));
  world.pass(Millis{3'599'999});
  CHECK(world.sent.size() == 1);
  world.pass(Millis{1});
  CHECK(world.sent.size() == 2);
  world.answer("1", status(503, "", {{"retry-after", "86400"}}));
  CHECK(world.alert()["message"].get<std::string>().find("Retry-After beyond its deadline") != std::string::npos);
}

TEST_CASE("a log that is away while a reply or an alert is written is said once, and what it was of is done later") {
  for (const auto& answer : {status(200, reserved), status(410)}) {
    CAPTURE(answer.status);
    World world(that_takes_replies());
    world.append("1", "c1");
    world.append("2", "c1");
    world.step();
    world.client.fault = {events::LogError::unavailable, "The log is away."};
    world.answer("1", HttpCalled(answer));
    world.pass(Millis{1'000});
    CHECK(world.sent == std::vector<std::string>{"1", "1"});
    world.answer("1", HttpCalled(answer));
    CHECK(world.kept() == 0);
    world.client.fault = {};
    world.pass(Millis{1'000});
    world.answer("1", HttpCalled(answer));
    CHECK(world.sent == std::vector<std::string>{"1", "1", "1", "2"});
    CHECK(world.store.records(Stream::commands, 0).size() + world.store.records(Stream::alerts, 0).size() == 1);
    const std::string away = "The log is away. This is tried again.\n";
    CHECK(world.said.find(away) == 0);
    CHECK(world.said.find(away, 1) == std::string::npos);
    CHECK(world.said.find("the log answers again\n") != std::string::npos);
  }
}

TEST_CASE("a log that is full ends the delivery, and nothing counts as delivered") {
  World world(that_takes_replies());
  world.append("1", "c1");
  world.step();
  world.client.fault = {events::LogError::full, "No space."};
  auto of_id = world.waiting.extract("1");
  of_id.mapped()(status(200, reserved));
  bool found = false;
  CHECK(world.delivery->step(found).error == events::LogError::full);
  CHECK(world.delivery->counts().delivered == 0);
}

TEST_CASE("what was parked is tried once where it is asked for, whatever its deadline") {
  World world;
  world.append("1", "c1", "inventory.reservation_requested", R"({"deadline":"2020-01-01T00:00:00.000Z"})");
  for (const int code : {200, 503}) {
    std::vector<std::string> sent;
    tools::Delivery again(
        world.config, world.client, world.clock,
        [&](const HttpCall& call, const auto& done) {
          sent.push_back(Json::parse(call.body)["id"]);
          done(status(code));
        },
        [](auto&&...) {}, 1);
    CHECK(again.run_again({{0, 0}}, {}).ok());
    CHECK(sent == std::vector<std::string>{"1"});
    CHECK(again.counts().delivered == (code == 200 ? 1 : 0));
    CHECK(again.counts().parked == (code == 200 ? 0 : 1));
    CHECK(again.run_again({{0, 1}}, {}).error == events::LogError::invalid);
    CHECK(again.run_again({{9, 0}}, {}).error == events::LogError::invalid);
  }
  CHECK(world.kept() == 0);
}

TEST_CASE("a table that begins at the end sends nothing that was there, also after a restart") {
  tools::DeliveryConfig config;
  config.from_end = true;
  World world(config);
  CHECK(world.kept() == 0);
  world.append("1", "c1");
  world.start();  // as after a kill before the first event was read
  CHECK(world.sent == std::vector<std::string>{"1"});
}

TEST_CASE("a position that does not change is written once an hour, so that no broker forgets it") {
  World world;
  world.append("1", "c1", "cart.created");
  world.step();
  const events::Position forgotten{0, 0};
  REQUIRE(world.client.keep_group_positions("connect.shop", Stream::events, {&forgotten, 1}).ok());
  world.pass(Millis{3'599'999});
  CHECK(world.kept() == 0);
  world.pass(Millis{1});
  CHECK(world.kept() == 1);
}

TEST_CASE("figures say what came of events, what waits since when, and how far the log is ahead") {
  World world;
  world.append("1", "c1");
  const auto appended = world.clock.at;
  world.pass(Millis{5'000});
  world.append("2", "c1");
  world.append("3", "c2", "cart.created");
  world.pass(Millis{5'000});
  auto figures = world.delivery->figures();
  CHECK(figures.waiting == 2);
  CHECK(figures.lag_records == 3);
  REQUIRE(figures.oldest);
  CHECK(figures.oldest->ms == appended.ms);
  world.answer("1", status(503));
  world.pass(Millis{5'000});
  world.answer("1", status(200));
  world.answer("2", status(410));
  world.pass(Millis{5'000});
  figures = world.delivery->figures();
  CHECK(figures.counts.delivered == 1);
  CHECK(figures.counts.failed == 2);
  CHECK(figures.counts.parked == 1);
  CHECK(figures.waiting == 0);
  CHECK(figures.lag_records == 0);
  CHECK(!figures.oldest);
}

TEST_CASE("a group beyond the log's end is refused") {
  World world;
  const events::Position beyond{0, 5};
  REQUIRE(world.client.keep_group_positions("connect.shop", Stream::events, {&beyond, 1}).ok());
  tools::Delivery other(
      world.config, world.client, world.clock, [](auto&&...) {}, [](auto&&...) {}, 1);
  CHECK(other.begin().error == events::LogError::corrupt);
}
