// Several tenders for one checkout (decisions.md 5.11): a gift card of 300 and a card of 700. History by history, near
// misses included.
#include "events/rules/session_life.h"
#include "events/state/snapshot.h"
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

#include <array>

using namespace mayfly::testing;

namespace {

constexpr std::array<TenderAsked, 2> gift_and_card = {{{"gifts", "g", 300}, {"sim", "tok", 700}}};
constexpr std::array<TenderAsked, 3> three = {{{"gifts", "g", 300}, {"points", "p", 200}, {"sim", "tok", 500}}};

Said complete(Scenario& s, std::span<const TenderAsked> payments, Minor expected = 1000) {
  CheckoutComplete c{};
  c.expected_total_minor = expected;
  c.payments = payments;
  return s(CommandType::checkout_complete, c);
}
Scenario first_asked(std::span<const TenderAsked> payments = gift_and_card) {
  Scenario s;
  s.active(1000);
  complete(s, payments);
  s.reserved("c-r1");
  return s;
}
Scenario second_asked(std::span<const TenderAsked> payments = gift_and_card) {
  auto s = first_asked(payments);
  s.authorized(300);
  return s;
}
/// The order is placed, and the first is being captured.
Scenario first_turn() {
  auto s = second_asked();
  s.authorized(700, "c-p2");
  return s;
}
/// The cart and its session, asleep and awake again.
void sleep(Scenario& s) {
  std::string cart;
  std::string session;
  append_cart(cart, *s.cart);
  append_session(session, *s.session);
  auto* memory = std::pmr::get_default_resource();
  s.cart.emplace(std::get<Cart>(decode_cart("c", cart, memory)));
  s.session.emplace(std::get<Session>(decode_session(session, memory)));
  std::string again;
  append_session(again, *s.session);
  CHECK(again == session);
  again.clear();
  append_cart(again, *s.cart);
  CHECK(again == cart);
}

}  // namespace

TEST_CASE("both are authorized, one after the other, then captured in that order") {
  Scenario s;
  s.active(1000);
  CHECK(joined(complete(s, gift_and_card)) == "checkout.started; inventory.reservation_requested; wait reservation 60");
  std::string reserving;
  append_cart(reserving, *s.cart);
  s.cart.emplace(std::get<Cart>(decode_cart("c", reserving, std::pmr::get_default_resource())));
  CHECK(joined(s.reserved("c-r1")) ==
        "payment.session_opened 300; payment.authorization_requested 300; wait authorization 120");
  CHECK(joined(s.authorized(300)) ==
        "payment.authorized 300; payment.session_opened 700; payment.authorization_requested 700; wait authorization "
        "120");
  sleep(s);
  CHECK(joined(s.authorized(700, "c-p2")) ==
        "payment.authorized 700; order.placed; inventory.commit_requested; payment.capture_requested 300; wait capture "
        "60");
  sleep(s);
  CHECK(joined(s.captured(300)) ==
        "payment.captured 300; payment.session_ended captured; payment.capture_requested 700; wait capture 60");
  sleep(s);
  CHECK(s.captured(300).empty());
  CHECK(joined(s.captured(700, "c-p2")) ==
        "payment.captured 700; payment.session_ended captured; checkout.completed; cart.converted paid");
  REQUIRE(s.ended);
  CHECK(s.ended->order_session == 1);
  CHECK(s.ended->further == 1);
  CHECK(s.captured(300).empty());
  CHECK(s.captured(700, "c-p2").empty());
  CHECK(joined(s.refunded(700, "c-p2")) == "payment.refunded 700");
}

TEST_CASE("a tender that is captured at once waits for its turn") {
  auto s = first_asked();
  CHECK(s.captured(300).front() == "payment.authorized 300");
  CHECK(joined(s.captured(700, "c-p2")) ==
        "payment.authorized 700; order.placed; inventory.commit_requested; payment.captured 300; "
        "payment.session_ended captured; payment.captured 700; payment.session_ended captured; checkout.completed; "
        "cart.converted paid");
  auto much = second_asked();
  CHECK(much.captured(310).empty());
  CHECK(joined(much.authorized(700, "c-p2")) ==
        "payment.authorized 700; order.placed; inventory.commit_requested; payment.captured 310; "
        "payment.refund_requested 10; wait refund 120");
  CHECK(joined(much.refunded(10)) ==
        "payment.refunded 10; payment.session_ended captured; payment.capture_requested 700; wait capture 60");
  auto part = second_asked();
  CHECK(part.captured(100).empty());
  CHECK(joined(part.authorized(700, "c-p2")) ==
        "payment.authorized 700; order.placed; inventory.commit_requested; payment.captured 100; "
        "payment.capture_requested 300; wait capture 60");
}

TEST_CASE("the card is declined: the gift card is released, then the checkout is reopened") {
  auto s = second_asked();
  CHECK(joined(s.declined("c-p2")) ==
        "payment.declined 700; payment.session_ended declined; inventory.release_requested; "
        "payment.cancel_requested 300; wait cancel 60");
  sleep(s);
  CHECK(joined(s.captured(700, "c-p2")) == "payment.refund_requested 700 late; payment.unresolved 700");
  CHECK(joined(s.canceled(300)) ==
        "payment.canceled 300; payment.session_ended canceled; checkout.reopened payment_declined; wait idle 86400");
  CHECK(complete(s, gift_and_card).front() == "checkout.started");
  s.reserved("c-r2");
  CHECK(s.authorized(300, "c-p3").front() == "payment.authorized 300");
  CHECK(joined(s.captured(300)) == "payment.refund_requested 300 late; payment.unresolved 300");
}

TEST_CASE("the newest is released first, and what was captured is given back") {
  auto s = second_asked(three);
  s.authorized(200, "c-p2");
  CHECK(s.captured(300).empty());
  CHECK(joined(s.declined("c-p3")) ==
        "payment.declined 500; payment.session_ended declined; inventory.release_requested; "
        "payment.cancel_requested 200; wait cancel 60");
  CHECK(joined(s.canceled(200, "c-p2")) ==
        "payment.canceled 200; payment.session_ended canceled; payment.captured 300; payment.refund_requested 300; "
        "wait refund 120");
  CHECK(joined(s.refunded(300)) ==
        "payment.refunded 300; payment.session_ended refunded; checkout.reopened payment_declined; wait idle 86400");
}

TEST_CASE("the gift card is gone while the card waits: the card is void") {
  auto s = second_asked();
  CHECK(joined(s.canceled(300)) == "payment.cancel_requested 0; inventory.release_requested; wait cancel 60");
  CHECK(s.canceled(300).empty());
  CHECK(joined(s.canceled(0, "c-p2")) ==
        "payment.canceled 0; payment.session_ended canceled; payment.cancel_requested 300; wait cancel 60");
  CHECK(s.canceled(300).back() == "wait idle 86400");
  for (const auto state : {StatusState::declined, StatusState::not_found}) {
    auto other = second_asked();
    CHECK(other.status(state).front() == "payment.cancel_requested 0");
  }
  auto refunded = second_asked();
  CHECK(refunded.refunded(300).front() == "payment.cancel_requested 0");
  auto told = second_asked();
  CHECK(told.status(StatusState::authorized, 300).empty());
  auto placed = first_turn();
  CHECK(placed.canceled(700, "c-p2").empty());
}

TEST_CASE("a capture of the card fails: the order stays, and somebody must look") {
  auto s = first_turn();
  s.captured(300);
  CHECK(joined(s(CommandType::payment_capture_failed, PaymentCaptureFailed{"c-p2", "broken", false, "", ""})) ==
        "payment.unresolved 700 of the order; payment.session_ended capture_failed; cart.converted unpaid");
  CHECK(joined(s.captured(700, "c-p2")) == "payment.captured 700");
  auto first = first_turn();
  CHECK(joined(first.capture_failed(false)) ==
        "payment.unresolved 300 of the order; payment.session_ended capture_failed; payment.capture_requested 700; "
        "wait capture 60");
  CHECK(joined(first.captured(300)) == "payment.captured 300");
  CHECK(joined(first.captured(700, "c-p2")) ==
        "payment.captured 700; payment.session_ended captured; cart.converted unpaid");
}

TEST_CASE("one was given back: the order is neither completed nor unpaid") {
  auto s = first_turn();
  CHECK(s.refunded(700, "c-p2").empty());
  CHECK(joined(s.captured(300)) ==
        "payment.captured 300; payment.session_ended captured; payment.captured 700; payment.refunded 700; "
        "payment.unresolved 700 of the order; payment.session_ended refunded; cart.converted paid");
}

TEST_CASE("abandoned: the cart is free at once, and late money goes back") {
  auto s = second_asked();
  CHECK(joined(s.abandon()) ==
        "payment.cancel_requested 0; payment.unresolved 700, abandoned; payment.session_ended abandoned; "
        "payment.cancel_requested 300; payment.unresolved 300, abandoned; payment.session_ended abandoned; "
        "inventory.release_requested; checkout.reopened abandoned; wait idle 86400");
  CHECK_FALSE(s.session);
  CHECK(joined(s.canceled(300)) == "payment.canceled 300");
  auto captured = second_asked();
  captured.captured(300);
  CHECK(joined(captured.abandon()) ==
        "payment.cancel_requested 0; payment.unresolved 700, abandoned; payment.session_ended abandoned; "
        "payment.captured 300; payment.refund_requested 300; payment.unresolved 300, abandoned; "
        "payment.session_ended abandoned; inventory.release_requested; checkout.reopened abandoned; wait idle 86400");
  auto back = second_asked(three);
  back.authorized(200, "c-p2");
  back.declined("c-p3");
  CHECK(joined(back.abandon()) ==
        "payment.unresolved 200, abandoned; payment.session_ended abandoned; payment.cancel_requested 300; "
        "payment.unresolved 300, abandoned; payment.session_ended abandoned; checkout.reopened payment_declined; "
        "wait idle 86400");
  CHECK(first_turn().abandon() == Said{"!order_placed"});
}

TEST_CASE("canceled, out of stock, silent: each held tender is released before the cart goes on") {
  auto s = second_asked();
  CHECK(joined(s.cancel()) == "payment.cancel_requested 0; inventory.release_requested; wait cancel 60");
  s.canceled(0, "c-p2");
  CHECK(joined(s.canceled(300)) == "payment.canceled 300; payment.session_ended canceled; cart.canceled");
  auto stock = second_asked();
  stock.rejected("c-r1");
  CHECK(stock.canceled(0, "c-p2").back() == "wait cancel 60");
  CHECK(stock.cancel().empty());
  CHECK(stock.canceled(300).back() == "cart.canceled");
  auto silent = second_asked();
  CHECK(joined(silent.silence(WaitKind::authorization)) ==
        "payment.cancel_requested 0; payment.unresolved 700; payment.session_ended unresolved; "
        "inventory.release_requested; payment.cancel_requested 300; wait cancel 60");
  CHECK(joined(silent.silence(WaitKind::cancel)) ==
        "payment.unresolved 300; payment.session_ended unresolved; checkout.reopened payment_unknown; wait idle 86400");
}

TEST_CASE("what is refused: other sums, a card number, replies in another currency or of a mistaken unit") {
  Scenario s;
  s.active(1000);
  constexpr std::array<TenderAsked, 2> less = {{{"gifts", "g", 300}, {"sim", "tok", 699}}};
  constexpr std::array<TenderAsked, 2> card = {{{"gifts", "g", 300}, {"sim", "4111 1111 1111 1111", 700}}};
  CHECK(complete(s, less) == Said{"!data_invalid"});
  CHECK(complete(s, gift_and_card, 999) == Said{"!total_mismatch"});
  CHECK(complete(s, card) == Said{"!card_number_refused"});
  auto held = second_asked();
  CHECK(joined(held.captured(300, "c-p1", "EUR")) == "!currency_mismatch; payment.unresolved 300");
  CHECK(joined(held.captured(3000)) == "!amount_implausible; payment.unresolved 3000");
  CHECK(joined(held.disputed(300)) == "payment.disputed 300");
  CHECK(held.capture({}, false, "c-p1") == Said{"!capture_unexpected"});
  CHECK(held.captured(100, "c-p3").front() == "!session_unknown");
  CHECK(first_turn().capture({}, false, "c-p2") == Said{"!capture_in_progress"});
}

TEST_CASE("a payment of several tenders may take as long as all of them, one after the other") {
  const auto s = second_asked();
  auto alone = *s.session;
  alone.tenders.clear();
  CHECK(longest_life(s.settings, *s.session).count == 2 * longest_life(s.settings, alone).count);
}
