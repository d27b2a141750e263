// The page's search, and the readers behind the page that stop, wait and go on.
#include "tools/serve/cart_search.h"

#include "events/rules/identity.h"
#include "logs/memory_log.h"
#include "tools/funds/funds_reader.h"
#include "tools/funds/funds_watch.h"
#include "tools/records/paced_client.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace mayfly;
using nlohmann::json;

namespace {

struct StoppedClock final : events::Clock {
  [[nodiscard]] events::Timestamp now() const override { return {5'000}; }
};

/// A log of one shop: what commands and events say of a cart.
class Shop {
 public:
  explicit Shop(std::int32_t partitions = 2) : store(partitions, clock) {}
  void says(events::Stream stream, const std::string& cart, const std::string& type, const std::string& data) {
    const std::string ce_type = "dev.mayfly." + type + ".v1";
    const std::vector<events::Header> headers = {{"ce_id", "1"}, {"ce_type", ce_type}, {"ce_sequence", "1"}};
    store.append({stream, events::partition_of(cart, store.partitions()), cart, data, headers});
  }
  void event(const std::string& cart, const std::string& type, const std::string& data) {
    says(events::Stream::events, cart, type, data);
  }
  json search(const std::string& id) {
    adapters::MemoryClient client(store);
    return json::parse(tools::search_cart(client, id).json);
  }
  StoppedClock clock;
  adapters::MemoryStore store;
};

struct ShopWithAnOrder : Shop {
  ShopWithAnOrder();
};
ShopWithAnOrder::ShopWithAnOrder() {
  event("c1", "cart.created", R"({"currency":"GBP","expires_after_s":60})");
  event("c1", "payment.session_opened", R"({"session_id":"c1-p1","amount_minor":998,"currency":"GBP"})");
  event("c1", "payment.authorization_requested", R"({"session_id":"c1-p1","token":"tok_secret"})");
  event("c1", "order.placed", R"({"order_id":"o-c1","session_id":"c1-p1"})");
  event("c2", "cart.created", R"({"currency":"EUR","expires_after_s":60})");
  says(events::Stream::commands, "c1", "payment.authorized", R"({"session_id":"c1-p1","reference":"pi_77"})");
}

}  // namespace

TEST_CASE("a search finds a cart by its own id and by all that belongs to it") {
  ShopWithAnOrder shop;
  struct Row {
    const char* id;
    const char* cart;  // null: not found
    const char* relation;
  };
  const std::vector<Row> rows = {{"c1", "c1", ""},
                                 {"c2", "c2", ""},
                                 {"o-c1", "c1", "o-c1 is the order of this cart"},
                                 {"c1-p1", "c1", "c1-p1 is payment session 1 of this cart"},
                                 {"pi_77", "c1", "a command of this cart has pi_77"},
                                 {"o-c2", nullptr, nullptr},
                                 {"c1-p9", nullptr, nullptr},
                                 {"pi_78", nullptr, nullptr}};
  for (const auto& row : rows) {
    CAPTURE(row.id);
    const auto found = shop.search(row.id);
    CHECK(found["found"] == (row.cart != nullptr));
    if (row.cart == nullptr) {
      CHECK_FALSE(found["why"].get<std::string>().empty());
      continue;
    }
    CHECK(found["state"]["cart"] == row.cart);
    CHECK(found["relation"] == row.relation);
    CHECK(found["events"][0]["type"] == "cart.created");
  }
}

TEST_CASE("a search shows no token, and of very many events the newest") {
  ShopWithAnOrder shop;
  CHECK(shop.search("c1").dump().find("tok_secret") == std::string::npos);
  for (int i = 0; i < 600; ++i) shop.event("c2", "cart.line_added", R"({"sku":"A"})");
  const auto found = shop.search("c2");
  CHECK(found["events"].size() == tools::most_search_events);
  CHECK(found["left_out"] == 101);
}

TEST_CASE("a search that may not read on says why") {
  ShopWithAnOrder shop;
  adapters::MemoryClient client(shop.store);
  tools::PacedClient stopped(client, [] { return std::string("time is up"); });
  const auto answer = tools::search_cart(stopped, "c1");
  CHECK_FALSE(answer.status.ok());
  CHECK(json::parse(answer.json)["why"] == "time is up");
}

TEST_CASE("money at risk that is read in parts is what is read at once, however often it is stopped") {
  Shop shop(3);
  const auto opens = [&](int i) {
    const auto cart = "c" + std::to_string(i);
    const auto session = R"({"session_id":")" + cart + R"(-p1","amount_minor":100,"currency":"GBP"})";
    shop.event(cart, "payment.session_opened", session);
    if (i % 2 == 0) shop.event(cart, "payment.session_ended", session);
    if (i % 3 == 0) shop.event(cart, "payment.in_doubt", session);
  };
  adapters::MemoryClient client(shop.store);
  tools::FundsWatch watch;
  CHECK(watch.read_percent() == 0);
  for (int i = 0; i < 40; ++i) {
    opens(i);
    int reads = 0;
    tools::PacedClient once(client, [&] { return std::string(reads++ == 0 ? "" : "later"); });
    const auto status = watch.read_on(once);
    CHECK((status.ok() || status.message == "later"));
  }
  CHECK(watch.read_on(client).ok());
  CHECK(watch.read_percent() == 100);
  std::vector<tools::Risk> at_once;
  std::vector<events::Position> cut;
  REQUIRE(tools::read_risks(client, "", at_once, cut).ok());
  const auto in_parts = tools::totals_of(watch.risks({5'000}));
  REQUIRE(in_parts.size() == tools::totals_of(at_once).size());
  for (const auto& [of, total] : tools::totals_of(at_once)) {
    CHECK(in_parts.at(of).rows == total.rows);
    CHECK(in_parts.at(of).amount_minor == total.amount_minor);
  }
}

namespace {

/// Behind the last record of each partition lies the mark of a transaction, as on Kafka.
class MarkedClient final : public events::LogClient {
 public:
  explicit MarkedClient(adapters::MemoryStore& store) : of_(store) {}
  [[nodiscard]] std::int32_t partitions() const override { return of_.partitions(); }
  events::Appended append(std::span<const events::NewRecord>) override { return {}; }
  events::Fetched read(events::Stream s, events::Partition p, events::Offset from,
                       const events::PollLimits& limits) override {
    auto fetched = of_.read(s, p, from, limits);
    if (fetched.batch.records.empty()) fetched.next = of_.ends(s, p).end + 1;
    return fetched;
  }
  events::StreamEnds ends(events::Stream s, events::Partition p) override {
    auto ends = of_.ends(s, p);
    ++ends.end;
    return ends;
  }

 private:
  adapters::MemoryClient of_;
};

}  // namespace

TEST_CASE("money at risk is read to the end where the mark of a transaction lies there") {
  Shop shop;
  shop.event("c1", "payment.session_opened", R"({"session_id":"c1-p1","amount_minor":998,"currency":"GBP"})");
  MarkedClient client(shop.store);
  tools::FundsWatch watch;
  REQUIRE(watch.read_on(client).ok());
  CHECK(watch.read_percent() == 100);
  CHECK(watch.risks({5'000}).size() == 1);
}
