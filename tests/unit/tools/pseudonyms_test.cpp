// A bundle's pseudonyms (tools/bundle/pseudonyms.h): no text about people stays, and every decision does.
#include "tools/bundle/pseudonyms.h"

#include "tools/replay/replay_partition.h"
#include "unit/tools/replay_shop.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace mayfly {

using namespace events;
using tools::Shop;

namespace {

const tools::Pseudonyms& pseudonyms() {
  static const tools::Pseudonyms all(HashKey{1, 2, 3});
  return all;
}

struct Said final : tools::ReplayedPartition::Watcher {
  bool watches(std::string_view) override { return true; }
  void decided(const tools::Replayed& told) override {
    for (const auto& event : told.events) lines.push_back(std::string(name(event.type)) + " " + event.data);
  }
  std::vector<std::string> lines;
};

}  // namespace

TEST_CASE("a pseudonym is as long as its text, the same for the same text, and keeps what JSON must escape") {
  const auto name = pseudonyms().of("Ann \"A\" Bo\xc3\xab");
  CHECK(name.size() == 12);
  CHECK(name.substr(4, 1) == "\"");
  CHECK(name.find("Ann") == std::string::npos);
  CHECK(name == pseudonyms().of("Ann \"A\" Bo\xc3\xab"));
  CHECK(name != tools::Pseudonyms(HashKey{9}).of("Ann \"A\" Bo\xc3\xab"));
  CHECK(pseudonyms().of_token("4242 4242 4242 4242") == "0000 0000 0000 0000");
  CHECK(is_card_number(pseudonyms().of_token("4242 4242 4242 4242")));
  CHECK_FALSE(is_card_number(pseudonyms().of_token("4242 4242 4242 4243")));
}

TEST_CASE("a text may be long") {
  constexpr std::size_t bytes = 4 << 20;  // a quarter of an hour, if each letter took a look at the whole text
  CHECK(pseudonyms().of(std::string(bytes, 'x')).size() == bytes);
}

TEST_CASE("what a text says decides where it stays, not the word before it") {
  for (const auto* value :
       {R"({"sku":"TEA","attributes":{"subject":"ANN","id":"ANN","type":"ANN","sku":"ANN","state":"ANN"}})",
        R"({"sku":"TEA","note":{"sku":"ANN","lines":[{"sku":"ANN"}]}})", R"({"skus":["TEA",{"sku":"TEA"},["ANN"]]})",
        R"({"sku":["ANN",{"sku":"ANN"}],"provider":"TEA"})",
        R"({"sku":"TEA","source":"ANN","subject":"ANN","why":"ANN"})",
        R"({"lines":[{"sku":"TEA"},"ANN"],"message":"ANN","code":"ANN","order_id":"ANN"})"}) {
    CAPTURE(value);
    const auto masked = pseudonyms().in_value(value, tools::Pseudonyms::By::anybody);
    CHECK(masked.find("ANN") == std::string::npos);
    CHECK(masked.find("TEA") != std::string::npos);
    CHECK(masked.size() == std::string_view(value).size());
  }
  const auto structured = pseudonyms().in_value(
      R"({"specversion":"1.0","subject":"c1","note":"ANN","data":{"sku":"TEA","subject":"ANN"},"also":{"sku":"ANN"}})",
      tools::Pseudonyms::By::envelope);
  CHECK(structured.find("ANN") == std::string::npos);
  for (const auto* kept : {"c1", "TEA", "1.0"}) CHECK(structured.find(kept) != std::string::npos);
}

TEST_CASE("a header stays where Mayfly knows its name") {
  const Header headers[] = {{"ce_id", "ANN1"}, {"x", "ANN2"}, {"mayfly.x", "ANN3"}, {"mayfly.retry_of", "ANN4"}};
  Record record;
  record.headers = headers;
  tools::MaskedRecord masked;
  std::string values;
  pseudonyms().mask(Stream::commands, record, masked);
  for (const auto& h : masked.record.headers) values.append(h.value).append(" ");
  for (const auto* kept : {"ANN1", "ANN4"}) CHECK(values.find(kept) != std::string::npos);
  for (const auto* gone : {"ANN2", "ANN3"}) CHECK(values.find(gone) == std::string::npos);
}

TEST_CASE("texts are replaced wherever they stand, ids and numbers are not") {
  const auto masked = pseudonyms().in_value(
      R"({"sku":"TEA","na\u006de":"Ann","customer_id":"bob","payment":{"token":"tok_9","provider":"pay"},)"
      R"("adjustments":[{"kind":"tax","label":"VAT"}],"reason":"declined","url":"https://a.example","message":"for Eve","email":["eve@b.example"]})",
      tools::Pseudonyms::By::anybody);
  for (const auto* gone : {"Ann", "bob", "tok_9", "VAT", "a.example", "Eve", "eve"})
    CHECK(masked.find(gone) == std::string::npos);
  for (const auto* kept : {"TEA", "pay", "tax", "declined"}) CHECK(masked.find(kept) != std::string::npos);
  CHECK(pseudonyms().in_value("Ann, not JSON", tools::Pseudonyms::By::anybody) == "xxxxxxxxxxxxx");
}

TEST_CASE("masked commands are decided to the masked events, byte for byte") {
  Shop shop;
  shop.send("c1", "cart.create", R"({"currency":"GBP","customer_id":"ann"})");
  shop.send("c1", "cart.add_line",
            R"({"sku":"TEA","quantity":1,"unit_price_minor":500,"name":"Tea \"no. 1\" \u00e9\t"})");
  shop.send("c1", "cart.add_line", R"({"sku":"CUP","quantity":1,"unit_price_minor":0,"name":"4242424242424242 Ann"})");
  shop.send("c1", "cart.adjust", R"({"adjustments":[{"kind":"tax","label":"VAT of Ann","amount_minor":0}]})");
  const std::string pay = R"({"expected_total_minor":500,"payment":{"provider":"pay","token":")";
  shop.send("c1", "checkout.complete", pay + R"(4242424242424242"}})");
  shop.send("c1", "checkout.complete", pay + R"(tok_ann"}})");
  shop.send("c1", "inventory.reserved", R"({"reservation_id":"c1-r1"})");
  const std::string session = R"({"session_id":"c1-p1","reference":"pay_1",)";
  for (int twice = 0; twice < 2; ++twice) {
    shop.send("c1", "payment.requires_action", session + R"("url":"https://bank.example/ann"})");
  }
  shop.send("c1", "payment.declined", session + R"("reason":"Ann has no money","retryable":false})");
  shop.send("c1", "cart.cancel", R"({"reason":"Ann says so"})");
  shop.send("c3", "cart.create", R"({"currency":"GBP"})");
  shop.send(
      "c3", "cart.set_line",
      R"({"sku":"TEA","quantity":1,"unit_price_minor":500,"line_id":"l1","attributes":{"for":"Ann 4242424242424242",)"
      R"("4242424242424242":"Ann"}})");
  shop.send("c3", "checkout.complete", pay + R"(tok_ann","capture":"on_command","settles_within_s":86400}})");
  shop.send("c3", "inventory.reserved", R"({"reservation_id":"c3-r1"})");
  shop.send("c3", "payment.pending", R"({"session_id":"c3-p1","reference":"pay_1"})");
  shop.send("c2", "cart.create", "[\"Ann\"]");
  for (const std::string cart : {"c4", "c5"}) {
    shop.send(cart, "cart.create", R"({"currency":"GBP"})");
    shop.send(
        cart, "cart.add_line",
        R"({"sku":"TEA","quantity":1,"unit_price_minor":5,"line_id":"l1","name":"Ann's","attributes":{"a":"Ann"}})");
  }
  shop.send("c4", "cart.merge", R"({"into":"c3"})");  // which is in a checkout
  shop.serve();
  shop.send("c4", "cart.merge", R"({"into":"c5"})");
  shop.serve();

  tools::ReplayedPartition partition("mayfly", 0, 1);
  Said said;
  tools::MaskedRecord masked;
  for (const auto& record : shop.store.records(Stream::commands, 0)) {
    pseudonyms().mask(Stream::commands, record, masked);
    CHECK(masked.record.value->find("Ann") == Bytes::npos);
    partition.take(masked.record, &said);
  }
  std::vector<std::string> recorded;
  for (const auto& record : shop.store.records(Stream::events, 0)) {
    pseudonyms().mask(Stream::events, record, masked);
    for (const auto& h : record.headers) {
      if (h.name == "ce_type")
        recorded.push_back(std::string(name(*event_type_from_ce_type(h.value))) + " " +
                           std::string(*masked.record.value));
    }
  }
  CHECK(recorded.size() > 18);
  CHECK(said.lines == recorded);
}

}  // namespace mayfly
