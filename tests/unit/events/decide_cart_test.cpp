// decisions.md 1, 2, 3 and 4 row by row, near misses included: a cart while no session is concerned.
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

namespace {

Said add(Scenario& s, Text sku, std::int64_t quantity, Minor price, Text name = "", Text currency = "") {
  return s(CommandType::cart_add_line, CartAddLine{sku, quantity, price, name, currency});
}
Said change(Scenario& s, Text sku, std::int64_t quantity) {
  return s(CommandType::cart_change_quantity, CartChangeQuantity{sku, quantity});
}
Said adjust(Scenario& s, AdjustmentKind kind, Minor amount) {
  const Adjustment one[] = {{kind, "label", amount}};
  return s(CommandType::cart_adjust, CartAdjust{one});
}
constexpr Minor limit = 1'000'000'000'000'000;

}  // namespace

TEST_CASE("a cart that does not live") {
  const auto create = [](Text currency, std::optional<std::int64_t> expires) {
    Scenario s;
    return s(CommandType::cart_create, CartCreate{currency, "", expires});
  };
  CHECK(create("GBP", {}) == Said{"cart.created", "wait idle 86400"});
  CHECK(create("JPY", 60) == Said{"cart.created", "wait idle 60"});
  for (const auto* code : {"gbp", "XXX", "XAU", "DEM", "GB", "GBPS"})
    CHECK(create(code, {}) == Said{"!currency_unknown"});
  CHECK(create("GBP", 59) == Said{"!data_invalid"});
  CHECK(create("GBP", 31'536'000) == Said{"cart.created", "wait idle 2592000"});
  CHECK(create("GBP", 31'536'001) == Said{"!data_invalid"});
  Scenario closed;
  closed.settings.admission_closed = true;
  CHECK(closed(CommandType::cart_create, CartCreate{"GBP", "", {}}) == Said{"!try_later"});
  CHECK(Scenario().cancel() == Said{"!cart_unknown"});
  CHECK(Scenario().captured(5) == Said{"!cart_unknown", "payment.unmatched 5"});
  CHECK(Scenario().captured(0) == Said{"!cart_unknown"});
  CHECK(Scenario().refunded(5) == Said{"!cart_unknown", "payment.refunded 5"});
  CHECK(Scenario().refunded(5, "d-p1") == Said{"!cart_unknown"});
  CHECK(Scenario().canceled(5) == Said{"!cart_unknown", "payment.canceled 5"});
  CHECK(Scenario().canceled(0) == Said{"!cart_unknown", "payment.canceled 0"});
  CHECK(Scenario().canceled(5, "c-p0") == Said{"!cart_unknown"});
  CHECK(Scenario().declined() == Said{"!cart_unknown"});
  CHECK(Scenario().refund_failed(true) == Said{"!cart_unknown"});
  CHECK(Scenario().attempt_failed({}) == Said{"!cart_unknown"});
  CHECK(Scenario().disputed(5) == Said{"payment.disputed 5"});
  CHECK(Scenario().abandon() == Said{"!cart_unknown"});
}

TEST_CASE("a partition takes a million live carts") {
  Scenario s;
  s.live_carts = 1'000'000;
  CHECK(s(CommandType::cart_create, CartCreate{"GBP", "", {}}) == Said{"!too_many_carts"});
  s.live_carts = 999'999;
  CHECK(s(CommandType::cart_create, CartCreate{"GBP", "", {}}).front() == "cart.created");
}

TEST_CASE("a single minor unit is money, none is not") {
  CHECK(Scenario().captured(1) == Said{"!cart_unknown", "payment.unmatched 1"});
  const Invalid nothing{CommandType::payment_captured, "x", "c-p1", 0, "GBP"};
  CHECK(Scenario()(CommandType::payment_captured, nothing) == Said{"!data_invalid"});
  Scenario unpaid;
  unpaid.capturing().capture_failed(false);
  CHECK(unpaid.captured(1) == Said{"payment.captured 1"});
}

TEST_CASE("a cart holds 256 KiB of skus and names as escaped JSON, to the byte, in new and in known lines") {
  CHECK(escaped_bytes("a \x1f\"\\\n") == 1 + 1 + 6 + 2 + 2 + 2);
  const std::string name(256, '\x01');
  Scenario s;
  s.active(0);
  change(s, "A", 0);
  std::int64_t left = 256 * 1024;
  for (int i = 100; left >= 2 * (3 + 256 * 6); ++i) {
    add(s, std::to_string(i), 1, 0, name);
    left -= 3 + 256 * 6;
  }
  const auto bytes = static_cast<std::size_t>(left - 1);  // of the name, beside the sku
  const std::string full = std::string(bytes / 6, '\x01') + std::string(bytes % 6, 'x');
  CHECK(add(s, "B", 1, 0, full + "x") == Said{"!cart_full"});
  CHECK(add(s, "B", 1, 0, full).front() == "cart.line_added");
  CHECK(add(s, "B", 1, 0, full + "x") == Said{"!cart_full"});
  CHECK(add(s, "B", 1, 0, "x").front() == "cart.line_added");
  CHECK(add(s, "B", 1, 0, full).front() == "cart.line_added");
  CHECK(add(s, "C", 1, 0) == Said{"!cart_full"});
}

TEST_CASE("a line beyond the limit is refused though a discount would pay for it, and so is a removal that it needs") {
  Scenario s;
  s.active(100);
  adjust(s, AdjustmentKind::discount, limit + 100);
  CHECK(s.cart->total_minor() == -limit);
  CHECK(add(s, "B", 1, limit + 1) == Said{"!amount_out_of_range"});
  CHECK(add(s, "B", 1, limit).front() == "cart.line_added");
  CHECK(change(s, "A", 0).front() == "cart.line_removed");
  CHECK(change(s, "B", 0) == Said{"!amount_out_of_range"});
  CHECK(s(CommandType::cart_remove_line, CartRemoveLine{"B"}) == Said{"!amount_out_of_range"});
}

TEST_CASE("lines are added, changed and removed within their limits") {
  Scenario s;
  s.active(250);
  CHECK(add(s, "B", 1, 1, "", "EUR") == Said{"!currency_mismatch"});
  CHECK(add(s, "B", 0, 1) == Said{"!quantity_out_of_range"});
  CHECK(add(s, "B", -1, 1) == Said{"!quantity_out_of_range"});
  CHECK(add(s, "B", INT64_MAX, 1) == Said{"!quantity_out_of_range"});
  CHECK(add(s, "A", 1'000'000, 1) == Said{"!quantity_out_of_range"});
  CHECK(add(s, "A", 999'999, 1, "", "GBP") == Said{"cart.line_added", "wait idle 86400"});
  CHECK(s.cart->find("A")->quantity == 1'000'000);
  CHECK(s.cart->find("A")->name == "Tea");
  CHECK(s.cart->total_minor() == 1'000'000);
  CHECK(add(s, "B", 2, limit) == Said{"!amount_out_of_range"});
  CHECK(add(s, "B", 2, INT64_MAX) == Said{"!amount_out_of_range"});
  CHECK(add(s, "B", 1, limit) == Said{"!amount_out_of_range"});
  CHECK(add(s, "B", 1, limit - 1'000'000) == Said{"cart.line_added", "wait idle 86400"});
  CHECK(change(s, "C", 1) == Said{"!line_unknown"});
  CHECK(change(s, "A", -1) == Said{"!quantity_out_of_range"});
  CHECK(change(s, "A", 1'000'001) == Said{"!quantity_out_of_range"});
  CHECK(change(s, "A", 3) == Said{"cart.quantity_changed", "wait idle 86400"});
  CHECK(change(s, "A", 0) == Said{"cart.line_removed", "wait idle 86400"});
  CHECK(s(CommandType::cart_remove_line, CartRemoveLine{"A"}) == Said{"!line_unknown"});
  CHECK(s(CommandType::cart_remove_line, CartRemoveLine{"B"}) == Said{"cart.line_removed", "wait idle 86400"});
  CHECK(s.cart->total_minor() == 0);
  CHECK(s.cart->text_bytes == 0);
}

TEST_CASE("adjustments are replaced as a whole, discounts are taken off") {
  Scenario s;
  s.active(100);
  CHECK(adjust(s, AdjustmentKind::shipping, 50) == Said{"cart.adjusted", "wait idle 86400"});
  CHECK(s.cart->total_minor() == 150);
  CHECK(adjust(s, AdjustmentKind::discount, 101) == Said{"cart.adjusted", "wait idle 86400"});
  CHECK(s.cart->total_minor() == -1);
  CHECK(s.complete(-1) == Said{"!total_negative"});
  CHECK(adjust(s, AdjustmentKind::tax, limit) == Said{"!amount_out_of_range"});
  CHECK(adjust(s, AdjustmentKind::fee, INT64_MAX) == Said{"!amount_out_of_range"});
  const std::vector<Adjustment> one_too_many(513, {AdjustmentKind::fee, "f", 1});
  CHECK(s(CommandType::cart_adjust, CartAdjust{one_too_many}) == Said{"!data_invalid"});
}

TEST_CASE("adjustments beyond the limit are accepted where they cancel each other out, in any order") {
  const std::vector<Adjustment> canceling = {{AdjustmentKind::fee, "f", INT64_MAX},
                                             {AdjustmentKind::tax, "t", INT64_MAX},
                                             {AdjustmentKind::discount, "d", INT64_MAX},
                                             {AdjustmentKind::discount, "d", INT64_MAX - 5}};
  Scenario s;
  s.active(100);
  CHECK(s(CommandType::cart_adjust, CartAdjust{canceling}) == Said{"cart.adjusted", "wait idle 86400"});
  CHECK(s.cart->total_minor() == 105);
  CHECK(adjust(s, AdjustmentKind::fee, limit - 100).front() == "cart.adjusted");
  CHECK(adjust(s, AdjustmentKind::fee, limit - 99) == Said{"!amount_out_of_range"});
  CHECK(adjust(s, AdjustmentKind::discount, limit + 100).front() == "cart.adjusted");
  CHECK(adjust(s, AdjustmentKind::discount, limit + 101) == Said{"!amount_out_of_range"});
}

TEST_CASE("what is remembered: every decided shop command, refused ones too, but none whose data was invalid") {
  const auto refusal = [](Code code) {
    Decision d;
    d.events.emplace_back(CommandRejected{code, {}, false, {}, {}});
    return d;
  };
  const Command edit{CommandType::cart_adjust, CartAdjust{}, "i", {}};
  Decision accepted;
  accepted.events.emplace_back(CartAdjusted{{}, 0});
  CHECK(is_remembered(edit, accepted));
  CHECK(is_remembered(edit, refusal(Code::amount_out_of_range)));
  CHECK_FALSE(is_remembered(edit, refusal(Code::data_invalid)));
  CHECK(is_remembered({CommandType::checkout_complete, CheckoutComplete{}, "i", {}}, refusal(Code::cart_empty)));
  CHECK(is_remembered({CommandType::cart_cancel, CartCancel{}, "i", {}}, Decision{}));  // canceling already
  CHECK_FALSE(is_remembered({CommandType::payment_declined, PaymentDeclined{}, "i", {}}, accepted));
}

TEST_CASE("a checkout begins only for what the shop and the cart agree on") {
  Scenario empty;
  empty(CommandType::cart_create, CartCreate{"GBP", "", {}});
  CHECK(empty.complete(0) == Said{"!cart_empty"});
  Scenario s;
  s.active(1999);
  CHECK(s.complete(1998) == Said{"!total_mismatch"});
  CHECK(s.complete(1999, false) == Said{"!payment_missing"});
  CHECK(s.complete(1999, true, "4111 1111-1111 1111") == Said{"!card_number_refused"});
  CHECK(s.complete(1999, true, "4111111111111112") ==
        Said{"checkout.started", "inventory.reservation_requested", "wait reservation 60"});
  CHECK(s.complete(1999) == Said{"!checkout_in_progress"});
  CHECK(add(s, "B", 1, 1) == Said{"!checkout_in_progress"});
  CHECK(s(CommandType::cart_create, CartCreate{"GBP", "", {}}) == Said{"!cart_exists"});
}

TEST_CASE("the thirty-third checkout is refused") {
  Scenario s;
  s.active();
  for (int i = 0; i < 32; ++i) {
    CHECK(s.complete(1999).front() == "checkout.started");
    s.wait_ends(WaitKind::reservation);
  }
  CHECK(s.complete(1999) == Said{"!attempts_exhausted"});
}

TEST_CASE("of two reasons the first on the page is told") {
  const auto cart = [](Minor price) { return Scenario().active(price); };
  const auto with = [](Scenario s, const auto& command) { return command(s); };
  const auto adjusted = [&](Minor discount) {
    auto s = cart(1999);
    adjust(s, AdjustmentKind::discount, discount);
    return s;
  };
  const auto attempts = [] {
    Scenario s;
    s.active();
    for (int i = 0; i < 32; ++i) s.complete(1999), s.wait_ends(WaitKind::reservation);
    return s;
  }();
  const auto create = [](Text currency, std::int64_t expires_s, std::int64_t others, bool closed) {
    Scenario s;
    s.live_carts = others;
    s.settings.admission_closed = closed;
    return s(CommandType::cart_create, CartCreate{currency, "", expires_s});
  };
  constexpr const char* card = "4111111111111111";
  const Row rows[] = {
      {"create: currency, then expires", create("XXX", 59, 1'000'000, true), {"!currency_unknown"}},
      {"create: expires, then too many", create("GBP", 59, 1'000'000, true), {"!data_invalid"}},
      {"create: too many, then admission", create("GBP", 60, 1'000'000, true), {"!too_many_carts"}},
      {"create: admission", create("GBP", 60, 999'999, true), {"!try_later"}},
      {"add: currency, then quantity",
       with(cart(1), [](Scenario& s) { return add(s, "B", 0, limit + 1, "", "EUR"); }),
       {"!currency_mismatch"}},
      {"add: quantity, then amount",
       with(cart(1), [](Scenario& s) { return add(s, "B", 0, limit + 1); }),
       {"!quantity_out_of_range"}},
      {"change: no such sku, then quantity",
       with(cart(1), [](Scenario& s) { return change(s, "B", -1); }),
       {"!line_unknown"}},
      {"complete: total < 0, then mismatch", adjusted(2000).complete(7), {"!total_negative"}},
      {"complete: mismatch, then no payment", cart(1999).complete(2000, false), {"!total_mismatch"}},
      {"complete: mismatch, then a card", cart(1999).complete(2000, true, card), {"!total_mismatch"}},
      {"complete: a card, then attempts", Scenario(attempts).complete(1999, true, card), {"!card_number_refused"}},
      {"complete: no payment, then attempts", Scenario(attempts).complete(1999, false), {"!payment_missing"}},
      {"complete: a free cart needs no payment",
       adjusted(1999).complete(0, false),
       {"checkout.started", "inventory.reservation_requested", "wait reservation 60"}},
      {"complete: a free cart's card number is refused too",
       adjusted(1999).complete(0, true, card),
       {"!card_number_refused"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(row.said == row.expected);
  }
}

TEST_CASE("a known sku adds its quantity, and the newest price and name hold") {
  Scenario s;
  s.active(1999);
  CHECK(add(s, "A", 2, 5, "Coffee").front() == "cart.line_added");
  CHECK(s.cart->find("A")->quantity == 3);
  CHECK(s.cart->find("A")->name == "Coffee");
  CHECK(s.cart->total_minor() == 15);
}

TEST_CASE("the 2,001st line is refused, a known sku is not") {
  Scenario s;
  s.active(1);
  for (int i = 1; i < 2'000; ++i) REQUIRE(add(s, std::to_string(i), 1, 1).front() == "cart.line_added");
  CHECK(add(s, "B", 1, 1) == Said{"!cart_full"});
  CHECK(add(s, "A", 1, 1).front() == "cart.line_added");
}

TEST_CASE("a token is a card number only with 13 to 19 digits that fit Luhn's sum and nothing else in it") {
  for (const auto* token : {"4222222222222", "4111-1111-1111-1111", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
                            "6304000000000000000", "4111.1111.1111.1111", "4111/1111/1111/1111",
                            "4111\xC2\xA0"
                            "1111\xE2\x80\x93"
                            "1111 1111"})
    CHECK(Scenario().active().complete(1999, true, token) == Said{"!card_number_refused"});
  for (const auto* token :
       {"4222222222223", "424242424242", "63040000000000000000", "4111111111111111x", "tok_4111111111111111",
        "4111.1111.1111.1112", "4111.1111.1111.1111 12/27", "41111111-1111-1111-8111-411111111111"})
    CHECK(Scenario().active().complete(1999, true, token).front() == "checkout.started");
}

TEST_CASE("a repeat is known by its id and body among the last 32, replies and invalid commands never are") {
  Scenario s;
  s.active();
  const Command edit{CommandType::cart_cancel, CartCancel{}, "i", {7, 1}};
  CHECK(recognise(*s.cart, edit) == Seen::no);
  remember(*s.cart, {7, 1});
  CHECK(recognise(*s.cart, edit) == Seen::same);
  CHECK(recognise(*s.cart, {CommandType::cart_cancel, CartCancel{}, "i", {7, 2}}) == Seen::other_body);
  CHECK(recognise(*s.cart, {CommandType::cart_cancel, CartCancel{}, "i", {8, 1}}) == Seen::no);
  CHECK(recognise(*s.cart, {CommandType::payment_declined, PaymentDeclined{}, "i", {7, 1}}) == Seen::no);
  CHECK(recognise(*s.cart, {CommandType::cart_cancel, Invalid{}, "i", {7, 1}}) == Seen::no);
  for (std::uint64_t n = 100; n < 131; ++n) remember(*s.cart, {n, 1});
  CHECK(recognise(*s.cart, edit) == Seen::same);
  remember(*s.cart, {131, 1});
  CHECK(recognise(*s.cart, edit) == Seen::no);  // it counts as new
}

TEST_CASE("a checkout that runs takes no edit and no merge") {
  for (Scenario s : {Scenario().reserving(), Scenario().authorizing(), Scenario().capturing()}) {
    CHECK(add(s, "A", 1, 1) == Said{"!checkout_in_progress"});
    CHECK(change(s, "A", 2) == Said{"!checkout_in_progress"});
    CHECK(s(CommandType::cart_remove_line, CartRemoveLine{"A"}) == Said{"!checkout_in_progress"});
    CHECK(adjust(s, AdjustmentKind::fee, 1) == Said{"!checkout_in_progress"});
    CHECK(s(CommandType::cart_merge, CartMerge{"d"}) == Said{"!checkout_in_progress"});
    CHECK(s.complete(1999) == Said{"!checkout_in_progress"});
    CHECK(s(CommandType::cart_create, CartCreate{"GBP", "", {}}) == Said{"!cart_exists"});
  }
}

TEST_CASE("an active cart idles anew with each accepted shop command, not with a refused one or a reply") {
  Scenario s;
  s.active();
  CHECK(s(CommandType::cart_create, CartCreate{"GBP", "", {}}) == Said{"!cart_exists"});
  CHECK(s.complete(1) == Said{"!total_mismatch"});
  CHECK(s.captured(5) == Said{"!session_unknown", "payment.unresolved 5"});
  CHECK(change(s, "A", 1) == Said{"cart.quantity_changed", "wait idle 86400"});
}

TEST_CASE("a cart ends by cancel, merge or time") {
  Scenario s;
  CHECK(s.active().cancel() == Said{"cart.canceled"});
  CHECK(s.cancel() == Said{"!cart_ended"});
  CHECK(s.complete(1999) == Said{"!cart_ended"});
  Scenario merged;
  merged.active();
  CHECK(merged(CommandType::cart_merge, CartMerge{"c"}) == Said{"!merge_into_self"});
  CHECK(merged(CommandType::cart_merge, CartMerge{"\n"}) == Said{"!data_invalid"});
  CHECK(merged(CommandType::cart_merge, CartMerge{"d"}) == Said{"cart.merge_started", "wait merge 900"});
  CHECK(merged(CommandType::cart_merge_answered, CartMergeAnswered{"d", merged.cart->merge, {}}) ==
        Said{"cart.merged"});
  Scenario expired;
  CHECK(expired.active().wait_ends(WaitKind::idle) == Said{"cart.expired"});
  CHECK(s.ended->outcome == CartOutcome::canceled);
  CHECK(merged.ended->outcome == CartOutcome::merged);
  CHECK(expired.ended->outcome == CartOutcome::expired);
}

TEST_CASE("a cart idles at most until a year after its creation, by default") {
  Scenario s;
  s.settings = default_settings();
  s.active();
  s.now.ms += 31'536'000'000 - 5'000;
  CHECK(add(s, "B", 1, 1) == Said{"cart.line_added", "wait idle 5"});
  s.now.ms += 10'000;
  CHECK(add(s, "C", 1, 1) == Said{"cart.line_added", "wait idle 0"});  // a millisecond
}

TEST_CASE("a cart's first wait is at most its life, too") {
  Scenario s;
  s.settings.cart_life = 1_h;
  CHECK(s(CommandType::cart_create, CartCreate{"GBP", "", {}}) == Said{"cart.created", "wait idle 3600"});
}

TEST_CASE("reserving: what inventory and time say") {
  const auto reserved = [](Scenario& s, Text id) { return s(CommandType::inventory_reserved, InventoryReserved{id}); };
  Scenario s;
  s.reserving();
  for (const auto* id : {"c-r0", "c-r2", "c-p1", "d-r1", "c-r01", "c-r"})
    CHECK(reserved(s, id) == Said{"!reservation_unknown"});
  CHECK(reserved(s, "c-r1") ==
        Said{"payment.session_opened 1999", "payment.authorization_requested 1999", "wait authorization 120"});
  CHECK(s.cart->token.empty());
  Scenario late;
  late.reserving();
  CHECK(late.wait_ends(WaitKind::reservation) ==
        Said{"inventory.release_requested", "checkout.reopened reservation_timeout", "wait idle 86400"});
  CHECK(reserved(late, "c-r1") == Said{"inventory.release_requested"});
  Scenario out;
  out.reserving();
  CHECK(out(CommandType::inventory_rejected, InventoryRejected{"c-r1", {}, "x"}) ==
        Said{"checkout.reopened out_of_stock", "wait idle 86400"});
  CHECK(out(CommandType::inventory_rejected, InventoryRejected{"c-r1", {}, "x"}) == Said{});
  Scenario canceled;
  canceled.reserving();
  CHECK(canceled.cancel() == Said{"inventory.release_requested", "cart.canceled"});
  CHECK(reserved(canceled, "c-r1") == Said{"inventory.release_requested"});
}

TEST_CASE("a cart that costs nothing becomes an order without a payment session") {
  Scenario s;
  s.active(0);
  CHECK(s.complete(0, false).front() == "checkout.started");
  CHECK(s(CommandType::inventory_reserved, InventoryReserved{"c-r1"}) ==
        Said{"order.placed", "inventory.commit_requested", "checkout.completed", "cart.converted paid"});
}

TEST_CASE("data that cannot be used is refused wherever the cart is, and its money is told") {
  const Invalid reply{CommandType::payment_captured, "reference is missing", "c-p1", 700, "GBP"};
  for (Scenario s : {Scenario(), Scenario().active(), Scenario().authorizing()}) {
    CHECK(s(CommandType::payment_captured, reply) == Said{"!data_invalid", "payment.unresolved 700"});
    CHECK(s(CommandType::cart_cancel, Invalid{CommandType::cart_cancel, "x", "", {}, ""}) == Said{"!data_invalid"});
  }
}
