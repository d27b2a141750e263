// decisions.md 4 and 6 row by row, near misses included: words about reservations and sessions that nobody waits for.
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

namespace {

/// Canceled while its first session was open: W is none.
Scenario canceled_cart() {
  Scenario s;
  s.authorizing().cancel();
  s.canceled(0);
  return s;
}
/// Its first session was declined, the second is open.
Scenario second_session() {
  Scenario s;
  s.authorizing().declined();
  s.complete(1999);
  s.reserved("c-r2");
  return s;
}
Scenario unpaid_cart() {
  auto s = second_session();
  s.authorized(1999, "c-p2");
  s(CommandType::payment_capture_failed, PaymentCaptureFailed{"c-p2", "broken", false, "", ""});
  return s;
}
Scenario free_cart() {
  Scenario s;
  s.active(0).complete(0, false);
  s.reserved("c-r1");
  return s;
}
Scenario expired_cart() {
  Scenario s;
  s.active().wait_ends(WaitKind::idle);
  return s;
}
Scenario merged_cart() {
  Scenario s;
  s.active()(CommandType::cart_merge, CartMerge{"d"});
  s(CommandType::cart_merge_answered, CartMergeAnswered{"d", s.cart->merge, {}});
  return s;
}
PaymentEvent payment(const Scenario& s, std::size_t i) { return std::get<PaymentEvent>(s.events.at(i)); }

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(std::string(row.name));
    CHECK(joined(row.said) == joined(row.expected));
  }
}

}  // namespace

TEST_CASE("late words about a paid order: its own session is done, another one's money goes back") {
  Scenario s;
  s.authorizing().declined();
  s.complete(1999);
  s.reserved("c-r2");
  s.authorized(1999, "c-p2");
  CHECK(s.captured(1999, "c-p2").back() == "cart.converted paid");
  CHECK(s.complete(1999) == Said{"!already_converted"});
  CHECK(s.captured(1999, "c-p2") == Said{});
  CHECK(s.refunded(1999, "c-p2") == Said{"payment.refunded 1999"});
  CHECK(s.captured(1999, "c-p1") == Said{"payment.refund_requested 1999 late", "payment.unresolved 1999 of the order"});
  CHECK(s.authorized(7, "c-p1") == Said{"payment.cancel_requested 7", "payment.unresolved 7 of the order"});
  CHECK(s.status(StatusState::captured, 9, 9, 4, "c-p1").front() == "payment.refund_requested 5 late");
  CHECK(s.status(StatusState::refunded, 9, 9, 9, "c-p1") == Said{"payment.refunded 9"});
  CHECK(s.canceled(3, "c-p1") == Said{"payment.canceled 3"});
  CHECK(s.declined("c-p1") == Said{"payment.declined 0"});
  CHECK(s.captured(5, "c-p3") == Said{"!session_unknown", "payment.unresolved 5"});
  CHECK(s.reserved("c-r2") == Said{});
  CHECK(s.reserved("c-r1") == Said{"inventory.release_requested"});
  CHECK(s.rejected("c-r2") == Said{"!order_placed"});
  CHECK(s.rejected("c-r1") == Said{});
}

TEST_CASE("late words about an unpaid order: a capture, a cancel and a refund are told, nothing is asked") {
  Scenario s;
  s.capturing().capture_failed(false);
  CHECK(s.captured(1999) == Said{"payment.captured 1999"});
  CHECK(s.authorized(1999) == Said{});
  CHECK(s.canceled(1999) == Said{"payment.canceled 1999"});
  CHECK(s.refunded(1999) == Said{"payment.refunded 1999"});
}

TEST_CASE("late words about a session whose cart is canceled") {
  const auto s = canceled_cart;
  const auto failed = [](Scenario over) { return over.capture_failed(true); };
  check({
      {"captured", s().captured(5), {"payment.refund_requested 5 late", "payment.unresolved 5"}},
      {"captured nothing", s().captured(0), {}},
      {"status: captured - refunded is one",
       s().status(StatusState::captured, 9, 9, 8),
       {"payment.refund_requested 1 late", "payment.unresolved 1"}},
      {"status: captured - refunded is none", s().status(StatusState::captured, 9, 9, 9), {}},
      {"status pending, captured all the same",
       s().status(StatusState::pending, 9, 5, 0),
       {"payment.refund_requested 5 late", "payment.unresolved 5"}},
      {"authorized", s().authorized(7), {"payment.cancel_requested 7", "payment.unresolved 7"}},
      {"status authorized",
       s().status(StatusState::authorized, 7),
       {"payment.cancel_requested 7", "payment.unresolved 7"}},
      {"canceled", s().canceled(7), {"payment.canceled 7"}},
      {"status canceled", s().status(StatusState::canceled, 7), {"payment.canceled 7"}},
      {"refunded", s().refunded(7), {"payment.refunded 7"}},
      {"status refunded", s().status(StatusState::refunded, 7, 7, 7), {"payment.refunded 7"}},
      {"status pending", s().status(StatusState::pending, 7), {}},
      {"status requires_action", s().status(StatusState::requires_action), {}},
      {"status declined", s().status(StatusState::declined), {"payment.declined 0"}},
      {"status declined, captured all the same",
       s().status(StatusState::declined, 9, 9, 0),
       {"payment.refund_requested 9 late", "payment.unresolved 9"}},
      {"status not_found, captured all the same",
       s().status(StatusState::not_found, 9, 9, 0),
       {"payment.refund_requested 9 late", "payment.unresolved 9"}},
      {"status not_found", s().status(StatusState::not_found), {"payment.canceled 0"}},
      {"declined", s().declined(), {"payment.declined 0"}},
      {"status refund_pending",
       s().status(StatusState::refund_pending, 9, 9, 4),
       {"payment.unresolved 5, refund_pending"}},
      {"status refund_pending, the least that can be",
       s().status(StatusState::refund_pending, 9, 9, 8),
       {"payment.unresolved 1, refund_pending"}},
      {"status refund_pending, nothing is left", s().status(StatusState::refund_pending, 9, 9, 9), {}},
      {"refund_failed", s().refund_failed(true, 7), {"payment.unresolved 7, refund_failed"}},
      {"disputed", s().disputed(7), {"payment.disputed 7"}},
      {"disputed, a session beyond the newest", s().disputed(7, "c-p9"), {"payment.disputed 7"}},
      {"attempt_failed", s().attempt_failed({}), {}},
      {"checkout.abandon", s().abandon(), {"!cart_ended"}},
      {"capture_failed", failed(s()), {}},
      {"requires_action", s().requires_action("u"), {}},
      {"beyond the newest", s().captured(5, "c-p2"), {"!session_unknown", "payment.unresolved 5"}},
      {"beyond the newest, no money", s().refunded(5, "c-p2"), {"!session_unknown"}},
      {"beyond the newest, the larger of two amounts",
       s().status(StatusState::captured, 4, 9, 0, "c-p2"),
       {"!session_unknown", "payment.unresolved 9"}},
      {"malformed", s().authorized(5, "c-p01"), {"!session_unknown", "payment.unresolved 5"}},
      {"number 0", s().authorized(5, "c-p0"), {"!session_unknown", "payment.unresolved 5"}},
      {"another cart's", s().authorized(5, "d-p1"), {"!session_unknown", "payment.unresolved 5"}},
      {"reserved", s().reserved("c-r1"), {"inventory.release_requested"}},
      {"reserved beyond R", s().reserved("c-r2"), {"!reservation_unknown"}},
      {"reserved 0", s().reserved("c-r0"), {"!reservation_unknown"}},
      {"rejected", s().rejected("c-r1"), {}},
      {"rejected beyond R", s().rejected("c-r2"), {"!reservation_unknown"}},
      {"checkout.complete, not converted", s().complete(1999), {"!cart_ended"}},
      {"cart.cancel", s().cancel(), {"!cart_ended"}},
  });
}

TEST_CASE("late words about an order that is not paid") {
  const auto s = unpaid_cart;
  const auto create = [](Scenario over) { return over(CommandType::cart_create, CartCreate{"GBP", "", {}}); };
  check({
      {"W: captured", s().captured(1999, "c-p2"), {"payment.captured 1999"}},
      {"W: captured one", s().captured(1, "c-p2"), {"payment.captured 1"}},
      {"W: captured nothing", s().captured(0, "c-p2"), {}},
      {"W: status captured", s().status(StatusState::captured, 9, 9, 0, "c-p2"), {"payment.captured 9"}},
      {"W: authorized", s().authorized(1999, "c-p2"), {}},
      {"W: canceled", s().canceled(1999, "c-p2"), {"payment.canceled 1999"}},
      {"W: status canceled", s().status(StatusState::canceled, 7, 0, 0, "c-p2"), {"payment.canceled 7"}},
      {"W: status canceled, captured one", s().status(StatusState::canceled, 7, 1, 0, "c-p2"), {"payment.captured 1"}},
      {"W: refunded", s().refunded(1999, "c-p2"), {"payment.refunded 1999"}},
      {"W: refunded nothing", s().refunded(0, "c-p2"), {}},
      {"W: declined", s().declined("c-p2"), {"payment.declined 0"}},
      {"W: status declined, captured one", s().status(StatusState::declined, 0, 1, 0, "c-p2"), {"payment.captured 1"}},
      {"W: status not_found, captured one",
       s().status(StatusState::not_found, 0, 1, 0, "c-p2"),
       {"payment.captured 1"}},
      {"W: status not_found", s().status(StatusState::not_found, 0, 0, 0, "c-p2"), {"payment.canceled 0"}},
      {"W: status authorized", s().status(StatusState::authorized, 7, 0, 0, "c-p2"), {}},
      {"W: refund_failed", s().refund_failed(false, 7, "c-p2"), {"payment.unresolved 7 of the order, refund_failed"}},
      {"W: disputed", s().disputed(7, "c-p2"), {"payment.disputed 7"}},
      {"checkout.abandon", s().abandon(), {"!already_converted"}},
      {"the session before: captured",
       s().captured(9),
       {"payment.refund_requested 9 late", "payment.unresolved 9 of the order"}},
      {"the session before: authorized",
       s().authorized(9),
       {"payment.cancel_requested 9", "payment.unresolved 9 of the order"}},
      {"reserved R", s().reserved("c-r2"), {}},
      {"reserved before", s().reserved("c-r1"), {"inventory.release_requested"}},
      {"rejected R", s().rejected("c-r2"), {"!order_placed"}},
      {"rejected before", s().rejected("c-r1"), {}},
      {"checkout.complete", s().complete(1999), {"!already_converted"}},
      {"cart.create", create(s()), {"!cart_ended"}},
  });
}

TEST_CASE("late words about carts that never opened a session") {
  for (const auto& s : {free_cart(), expired_cart(), merged_cart()}) {
    CHECK(Scenario(s).captured(5) == Said{"!session_unknown", "payment.unresolved 5"});
    CHECK(Scenario(s).captured(0) == Said{"!session_unknown"});
    CHECK(Scenario(s).cancel() == Said{"!cart_ended"});
  }
  check({
      {"free: checkout.complete", free_cart().complete(0), {"!already_converted"}},
      {"free: reserved R", free_cart().reserved("c-r1"), {}},
      {"free: rejected R", free_cart().rejected("c-r1"), {"!order_placed"}},
      {"expired: checkout.complete", expired_cart().complete(1999), {"!cart_ended"}},
      {"expired: reserved, R is none", expired_cart().reserved("c-r1"), {"!reservation_unknown"}},
      {"merged: checkout.complete", merged_cart().complete(1999), {"!cart_ended"}},
      {"never heard of: reserved", Scenario().reserved("c-r1"), {"!cart_unknown"}},
      {"never heard of: status with money",
       Scenario().status(StatusState::authorized, 5, 4),
       {"!cart_unknown", "payment.unmatched 5"}},
  });
}

TEST_CASE("a live cart takes words about the session and the reservation before like an ended one") {
  const auto active = [] {
    Scenario s;
    s.authorizing().declined();
    return s;
  };
  const auto reserving = [active] {
    auto s = active();
    s.complete(1999);
    return s;
  };
  const auto s = second_session;
  check({
      {"active: captured", active().captured(9), {"payment.refund_requested 9 late", "payment.unresolved 9"}},
      {"active: reserved R, nobody waits", active().reserved("c-r1"), {"inventory.release_requested"}},
      {"active: rejected R", active().rejected("c-r1"), {}},
      {"reserving: authorized", reserving().authorized(9), {"payment.cancel_requested 9", "payment.unresolved 9"}},
      {"reserving: reserved before", reserving().reserved("c-r1"), {"inventory.release_requested"}},
      {"reserving: rejected before", reserving().rejected("c-r1"), {}},
      {"paying: captured", s().captured(9), {"payment.refund_requested 9 late", "payment.unresolved 9"}},
      {"paying: declined", s().declined(), {"payment.declined 0"}},
      {"paying: refund_failed", s().refund_failed(true, 7), {"payment.unresolved 7, refund_failed"}},
      {"paying: disputed", s().disputed(7), {"payment.disputed 7"}},
      {"paying: canceled", s().canceled(9), {"payment.canceled 9"}},
      {"paying: reserved before", s().reserved("c-r1"), {"inventory.release_requested"}},
      {"paying: rejected before", s().rejected("c-r1"), {}},
      {"paying: reserved beyond R", s().reserved("c-r3"), {"!reservation_unknown"}},
  });
}

TEST_CASE("an amount's currency is the one it is given in, if in force; absent, the live cart's, else XXX") {
  auto live = second_session();
  live.canceled(9);
  CHECK(payment(live, 0).currency.view() == "GBP");
  live.authorized(9, "c-p1", "EUR");
  CHECK(payment(live, 1).currency.view() == "EUR");
  live.authorized(9, "c-p1", "ZZZ");
  CHECK(payment(live, 1).currency.view() == "XXX");
  auto over = canceled_cart();
  over.canceled(9);
  CHECK(payment(over, 0).currency.view() == "XXX");
  over.authorized(9, "c-p1", "EUR");
  CHECK(payment(over, 1).currency.view() == "EUR");
}

TEST_CASE("a late request has its whole time and its amount in its key") {
  auto s = canceled_cart();
  s.captured(9);
  CHECK(payment(s, 0).answer_within == Millis{120'000});
  CHECK(payment(s, 0).key_amount_minor == 9);
  s.reserved("c-r1");
  CHECK(std::get<InventoryRequested>(s.events.at(0)).answer_within == Millis{120'000});
  CHECK(std::get<InventoryRequested>(s.events.at(0)).number == 1);
}

TEST_CASE("a reply one tick after the deadline finds what the deadline left") {
  Scenario reservation;
  reservation.reserving().wait_ends(WaitKind::reservation);
  CHECK(reservation.reserved("c-r1") == Said{"inventory.release_requested"});
  Scenario idle = expired_cart();
  CHECK(idle.complete(1999) == Said{"!cart_ended"});

  Scenario authorization;
  authorization.authorizing().wait_ends(WaitKind::authorization);
  CHECK(authorization.authorized(1999).at(1) == "order.placed");  // in doubt, not given up
  Scenario unknown;
  unknown.authorizing().silence(WaitKind::authorization);
  CHECK(unknown.authorized(1999) == Said{"payment.cancel_requested 1999", "payment.unresolved 1999"});

  Scenario capture;
  capture.capturing().wait_ends(WaitKind::capture);
  CHECK(capture.captured(1999).back() == "cart.converted paid");
  Scenario unpaid;
  unpaid.capturing().silence(WaitKind::capture);
  CHECK(unpaid.captured(1999) == Said{"payment.captured 1999"});

  Scenario cancel;
  cancel.authorizing().cancel();
  cancel.wait_ends(WaitKind::cancel);
  CHECK(cancel.canceled(0).back() == "cart.canceled");
  Scenario uncanceled;
  uncanceled.authorizing().cancel();
  uncanceled.silence(WaitKind::cancel);
  CHECK(uncanceled.canceled(1999) == Said{"payment.canceled 1999"});

  Scenario refund;
  refund.authorizing().captured(1000);
  refund.wait_ends(WaitKind::refund);
  CHECK(refund.refunded(1000).front() == "payment.refunded 1000");
  Scenario unrefunded;
  unrefunded.authorizing().captured(1000);
  unrefunded.silence(WaitKind::refund);
  CHECK(unrefunded.refunded(1000) == Said{"payment.refunded 1000"});
}
