// decisions.md 2.1, 2.5 to 2.8, 2.13, 2.14 for what contract 1.1 gives a line: an id, attributes, a price for more than
// one, adjustments of its own. Near misses beside each row.
#include "events/wire/event_json.h"
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

namespace {

const Said added = {"cart.line_added", "wait idle 86400"};
const Said changed = {"cart.quantity_changed", "wait idle 86400"};
const Said removed = {"cart.line_removed", "wait idle 86400"};
const Said adjusted = {"cart.adjusted", "wait idle 86400"};
constexpr Minor limit = 1'000'000'000'000'000;

CartAddLine line(Text sku, Text line_id, std::int64_t quantity, Minor price, std::int64_t per_quantity = 1,
                 std::optional<Text> attributes = {}, Text name = "") {
  return {sku, quantity, price, name, "", line_id, per_quantity, attributes};
}
Said add(Scenario& s, const CartAddLine& line) { return s(CommandType::cart_add_line, line); }
Said set(Scenario& s, const CartAddLine& line) { return s(CommandType::cart_set_line, CartSetLine{line}); }
Said change(Scenario& s, Text sku, Text line_id, std::int64_t quantity) {
  return s(CommandType::cart_change_quantity, CartChangeQuantity{sku, quantity, line_id});
}
Said remove(Scenario& s, Text sku, Text line_id) {
  return s(CommandType::cart_remove_line, CartRemoveLine{sku, line_id});
}
Said adjust(Scenario& s, const std::vector<Adjustment>& all) { return s(CommandType::cart_adjust, CartAdjust{all}); }
Scenario created() {
  Scenario s;
  s(CommandType::cart_create, CartCreate{"GBP", "", {}});
  return s;
}
/// What a cart with one line of that quantity and price costs.
Minor cost(std::int64_t quantity, Minor price, std::int64_t per_quantity) {
  auto s = created();
  return add(s, line("A", "", quantity, price, per_quantity)) == added ? s.cart->total_minor() : -1;
}

}  // namespace

TEST_CASE("two gift cards of one sku are two lines") {
  auto s = created();
  CHECK(add(s, line("GIFT", "a", 1, 2500)) == added);
  CHECK(add(s, line("GIFT", "b", 1, 10'000)) == added);
  CHECK(s.cart->lines.size() == 2);
  CHECK(s.cart->total_minor() == 12'500);
  CHECK(add(s, line("GIFT", "a", 1, 2600)) == added);  // both of a
  CHECK(s.cart->total_minor() == 2 * 2600 + 10'000);
  CHECK(add(s, line("GIFT", "", 1, 1)) == added);  // a third line, without an id
  CHECK(s.cart->lines.size() == 3);
  CHECK(add(s, line("GIFT", "", 1, 1)) == added);
  CHECK(s.cart->lines.size() == 3);
  CHECK(add(s, line("a", "", 1, 1)) == added);  // an id is no sku
  CHECK(s.cart->lines.size() == 4);
}

TEST_CASE("a line id names one line, whatever the sku") {
  auto s = created();
  add(s, line("GIFT", "a", 1, 2500));
  CHECK(add(s, line("CARD", "a", 1, 2500)) == Said{"!line_conflict"});
  CHECK(set(s, line("CARD", "a", 1, 2500)) == Said{"!line_conflict"});
  CHECK(set(s, line("CARD", "a", 0, 0)) == Said{"!line_conflict"});
  CHECK(change(s, "CARD", "a", 2) == Said{"!line_unknown"});
  CHECK(change(s, "GIFT", "", 2) == Said{"!line_unknown"});
  CHECK(change(s, "GIFT", "b", 2) == Said{"!line_unknown"});
  CHECK(change(s, "GIFT", "a", 2) == changed);
  CHECK(s.cart->total_minor() == 5000);
  CHECK(remove(s, "CARD", "a") == Said{"!line_unknown"});
  CHECK(remove(s, "GIFT", "") == Said{"!line_unknown"});
  CHECK(remove(s, "GIFT", "a") == removed);
  CHECK(add(s, line("CARD", "a", 1, 2500)) == added);  // it is free again
}

TEST_CASE("a price may be for more than one, and halves go to the even") {
  CHECK(cost(350, 2990, 1000) == 1046);  // 1046.5
  CHECK(cost(353, 2990, 1000) == 1055);  // 1055.47
  CHECK(cost(1, 1, 2) == 0);
  CHECK(cost(3, 1, 2) == 2);
  CHECK(cost(5, 1, 2) == 2);
  CHECK(cost(1, 1, 3) == 0);
  CHECK(cost(2, 1, 3) == 1);
  CHECK(cost(1, 1, 1'000'000) == 0);
  CHECK(cost(1'000'000, limit, 1'000'000) == limit);  // in between it is beyond 64 bits
  CHECK(cost(1'000'000, limit + 1, 1'000'000) == -1);
  CHECK(cost(1'000'000, INT64_MAX, 1'000'000) == -1);
  CHECK(cost(1, 2 * limit + 1, 2) == limit);  // half a minor unit above the limit: the even one is the limit
  CHECK(cost(1, 2 * limit + 2, 2) == -1);
  auto s = created();
  adjust(s, {{AdjustmentKind::discount, "all", 10}});
  CHECK(add(s, line("A", "", 2, limit + 1, 2)) == Said{"!amount_out_of_range"});  // the line, not the total
  CHECK(add(s, line("A", "", 2, limit, 2)) == added);
}

TEST_CASE("price and per_quantity hold together; a name and attributes stay until others are given") {
  auto s = created();
  add(s, line("TEA", "", 350, 2990, 1000, R"({"leaf":"green"})", "Tea"));
  CHECK(add(s, line("TEA", "", 150, 2990, 1000)) == added);
  CHECK(s.cart->total_minor() == 1495);
  CHECK(s.cart->attributes(s.cart->lines[0]) == R"({"leaf":"green"})");
  CHECK(s.cart->lines[0].name == "Tea");
  CHECK(add(s, line("TEA", "", 500, 3)) == added);
  CHECK(s.cart->total_minor() == 3000);  // per_quantity is 1 again
  CHECK(add(s, line("TEA", "", 1, 3, 1, "")) == added);
  CHECK(s.cart->attributes(s.cart->lines[0]).empty());
  CHECK(s.cart->extras.empty());  // and takes nothing any more
}

TEST_CASE("set_line says what the line shall be; what is absent is gone") {
  auto s = created();
  CHECK(set(s, line("TEA", "x", 0, 5)) == Said{"!line_unknown"});
  CHECK(set(s, line("TEA", "x", 2, 5, 1, R"({"a":"b"})", "Tea")) == added);
  CHECK(set(s, line("TEA", "x", 3, 4)) == changed);
  CHECK(s.cart->total_minor() == 12);
  CHECK(s.cart->lines[0].name.empty());
  CHECK(s.cart->attributes(s.cart->lines[0]).empty());
  CHECK(set(s, line("TEA", "x", -1, 4)) == Said{"!quantity_out_of_range"});
  CHECK(set(s, line("TEA", "x", 1'000'001, 4)) == Said{"!quantity_out_of_range"});
  CHECK(set(s, line("TEA", "x", 2, limit)) == Said{"!amount_out_of_range"});
  auto euros = line("TEA", "x", 1, 4);
  euros.currency = "EUR";
  CHECK(set(s, euros) == Said{"!currency_mismatch"});
  CHECK(set(s, line("TEA", "x", 1'000'000, 4)) == changed);
  CHECK(set(s, line("TEA", "x", 0, 4)) == removed);
  CHECK(s.cart->extras.empty());
  CHECK(s.cart->total_minor() == 0);
  CHECK(s.cart->text_bytes == 0);
}

TEST_CASE("a cart gets another customer, but not while a checkout runs") {
  auto s = created();
  CHECK(s(CommandType::cart_assign, CartAssign{"cu-7"}) == Said{"cart.assigned", "wait idle 86400"});
  CHECK(s.cart->customer_id == "cu-7");
  Scenario frozen;
  frozen.reserving();
  CHECK(frozen(CommandType::cart_assign, CartAssign{"cu-7"}) == Said{"!checkout_in_progress"});
  CHECK(set(frozen, line("A", "", 1, 1)) == Said{"!checkout_in_progress"});
  CHECK(Scenario()(CommandType::cart_assign, CartAssign{"cu-7"}) == Said{"!cart_unknown"});
  Scenario over;
  over.active().cancel();
  CHECK(over(CommandType::cart_assign, CartAssign{"cu-7"}) == Said{"!cart_ended"});
}

TEST_CASE("a tax that the prices contain is shown, not added") {
  auto s = created();
  add(s, line("A", "", 1, 1000));
  CHECK(adjust(s, {{AdjustmentKind::tax, "VAT", 160, true}}) == adjusted);
  CHECK(s.cart->total_minor() == 1000);
  CHECK(adjust(s, {{AdjustmentKind::tax, "VAT", INT64_MAX, true}}) == adjusted);
  CHECK(s.cart->total_minor() == 1000);
  CHECK(adjust(s, {{AdjustmentKind::tax, "VAT", 160}}) == adjusted);
  CHECK(s.cart->total_minor() == 1160);
  CHECK(adjust(s, {{AdjustmentKind::fee, "Deposit", 25, true}}) == adjusted);
  CHECK(adjust(s, {{AdjustmentKind::shipping, "Post", 25, true}}) == Said{"!data_invalid"});
  CHECK(adjust(s, {{AdjustmentKind::discount, "Staff", 25, true}}) == Said{"!data_invalid"});
  CHECK(s.cart->total_minor() == 1000);
}

TEST_CASE("an adjustment that is bound to a line goes with it, and no other does") {
  auto s = created();
  add(s, line("A", "", 1, 1000));
  add(s, line("GIFT", "a", 1, 2500));
  add(s, line("B", "", 1, 300));
  const std::vector<Adjustment> all = {{AdjustmentKind::discount, "of A", 100, false, "A", ""},
                                       {AdjustmentKind::fee, "wrapping", 50, false, "", "a"},
                                       {AdjustmentKind::tax, "of B", 7, false, "B", ""},
                                       {AdjustmentKind::shipping, "Post", 5}};
  CHECK(adjust(s, all) == adjusted);
  CHECK(s.cart->total_minor() == 3800 - 100 + 50 + 7 + 5);
  CHECK(remove(s, "A", "") == removed);
  CHECK(s.cart->total_minor() == 2800 + 50 + 7 + 5);
  CHECK(set(s, line("GIFT", "a", 0, 0)) == removed);
  CHECK(s.cart->total_minor() == 300 + 7 + 5);
  CHECK(change(s, "B", "", 0) == removed);
  CHECK(s.cart->total_minor() == 5);
  CHECK(s.cart->adjustments.size() == 1);
  CHECK(adjust(s, {{AdjustmentKind::fee, "x", 1, false, "B", ""}}) == Said{"!line_unknown"});
  add(s, line("B", "b", 1, 300));
  CHECK(adjust(s, {{AdjustmentKind::fee, "x", 1, false, "B", ""}}) == Said{"!line_unknown"});
  CHECK(adjust(s, {{AdjustmentKind::fee, "x", 1, false, "C", "b"}}) == Said{"!line_unknown"});
  CHECK(adjust(s, {{AdjustmentKind::fee, "x", 1, false, "B", "b"}}) == adjusted);
}

TEST_CASE("a line whose adjustments pay for the others is not removed beyond the limit") {
  auto s = created();
  add(s, line("A", "", 1, limit - 1));
  add(s, line("B", "", 1, 1));
  const auto adjustments = [](Minor of_b, Minor of_all) {
    return std::vector<Adjustment>{{AdjustmentKind::discount, "B", of_b, false, "B", ""},
                                   {AdjustmentKind::fee, "all", of_all}};
  };
  CHECK(adjust(s, adjustments(1, 2)) == Said{"!amount_out_of_range"});
  CHECK(adjust(s, adjustments(2, 2)) == adjusted);
  CHECK(remove(s, "B", "") == Said{"!amount_out_of_range"});
  CHECK(change(s, "B", "", 0) == Said{"!amount_out_of_range"});
  CHECK(remove(s, "A", "") == removed);
  CHECK(s.cart->total_minor() == 1);

  auto most = created();
  add(most, line("A", "", 1, limit));
  adjust(most, {{AdjustmentKind::discount, "all", 5}});
  add(most, line("B", "", 1, 5));
  CHECK(adjust(most, {{AdjustmentKind::discount, "B", 5, false, "B", ""}}) == adjusted);
  CHECK(remove(most, "B", "") == removed);
  CHECK(most.cart->total_minor() == limit);

  auto least = created();
  add(least, line("A", "", 1, 5));
  CHECK(adjust(least, {{AdjustmentKind::discount, "all", limit}}) == adjusted);
  CHECK(remove(least, "A", "") == removed);
  CHECK(least.cart->total_minor() == -limit);
}

TEST_CASE("512 adjustments and 32 KiB of labels, to the byte") {
  auto s = created();
  add(s, line("A", "", 1, 1000));
  std::vector<Adjustment> all(512, {AdjustmentKind::fee, "x", 1});
  CHECK(adjust(s, all) == adjusted);
  CHECK(s.cart->total_minor() == 1512);
  const std::string label(63, 'x');
  for (auto& one : all) one.label = label;
  all[0].label =
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
      "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
      "1234567890123456";
  REQUIRE(all[0].label.size() == 256);
  const std::string three(63 + 512 - 256 + 0, 'x');
  all[1].label = three;  // 510 x 63 + 256 + 319 = 32,705
  CHECK(adjust(s, all) == adjusted);
  const std::string rest(32 * 1024 - 510 * 63 - 256, 'x');
  all[1].label = rest;
  CHECK(adjust(s, all) == adjusted);
  const std::string more = rest + "x";
  all[1].label = more;
  CHECK(adjust(s, all) == Said{"!cart_full"});
  all.push_back({AdjustmentKind::fee, "x", 1});
  CHECK(adjust(s, all) == Said{"!data_invalid"});
}

TEST_CASE("line ids and attributes count in the 256 KiB") {
  auto s = created();
  const std::string attributes = "{\"a\":\"" + std::string(1000, 'x') + "\"}";
  std::int64_t left = 256 * 1024;
  for (int i = 100; left >= 2 * 1016; ++i) {
    REQUIRE(add(s, line("sku", std::to_string(i), 1, 0, 1, attributes)) == added);
    left -= 3 + 3 + std::ssize(attributes);
  }
  CHECK(s.cart->text_bytes == 256 * 1024 - left);
  const std::string full(static_cast<std::size_t>(left) - 4, 'x');
  CHECK(add(s, line("sku", "a", 1, 0, 1, full + "x")) == Said{"!cart_full"});
  CHECK(add(s, line("sku", "ab", 1, 0, 1, full)) == Said{"!cart_full"});
  CHECK(add(s, line("sku", "a", 1, 0, 1, full)) == added);
  CHECK(set(s, line("sku", "a", 1, 0, 1, full + "x")) == Said{"!cart_full"});
}

TEST_CASE("what a line has is in its events, in orders, in merges and in requests to the warehouse") {
  auto s = created();
  add(s, line("GIFT", "a", 2, 2500, 2, R"({"to":"Ann"})", "Card"));
  add(s, line("TEA", "", 1, 5));
  adjust(s, {{AdjustmentKind::tax, "VAT", 3, true, "", "a"}});
  const EventSurroundings round{"shop", "c", &*s.cart, {0, 1}, Timestamp{0}, s.settings, nullptr};
  const auto written = [&](const Event& event) {
    std::string data;
    append_event_data(data, event, round);
    return data;
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const std::string whole =
      R"([{"sku":"GIFT","quantity":2,"unit_price_minor":2500,"name":"Card","line_id":"a",)"
      R"("per_quantity":2,"attributes":{"to":"Ann"}},{"sku":"TEA","quantity":1,"unit_price_minor":5}])";
  CHECK(has(written(CartMerged{"d"}), whole));
  CHECK(has(written(OrderPlaced{0, {}}), whole));
  CHECK(has(written(OrderPlaced{0, {}}),
            R"([{"kind":"tax","label":"VAT","amount_minor":3,"sku":"GIFT","line_id":"a","included":true}])"));
  const Adjustment one[] = {{AdjustmentKind::tax, "VAT", 3, true, "", "a"}};
  CHECK(has(written(CartAdjusted{one, 5}),
            R"([{"kind":"tax","label":"VAT","amount_minor":3,"sku":"GIFT","line_id":"a","included":true}])"));
  CHECK(has(written(InventoryRequested{EventType::inventory_commit_requested, 1, true, 1_s}),
            R"([{"sku":"GIFT","quantity":2,"line_id":"a","attributes":{"to":"Ann"}},{"sku":"TEA","quantity":1}])"));
  CHECK(written(CartLineRemoved{"GIFT", 5, "a"}) == R"({"sku":"GIFT","line_id":"a","total_minor":5})");
  CHECK(written(CartAssigned{"cu-7"}) == R"({"customer_id":"cu-7"})");
  std::string offer;
  append_merge_offer_data(offer, *s.cart, 17);
  CHECK(offer.starts_with(R"({"from":"c","merge":17,"currency":"GBP","lines":[{"sku":"GIFT","quantity":2,)"
                          R"("unit_price_minor":2500,"name":"Card","line_id":"a","per_quantity":2,)"
                          R"("attributes":{"to":"Ann"}},)"));
}
