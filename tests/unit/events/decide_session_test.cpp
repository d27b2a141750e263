// decisions.md 5 row by row, near misses included. The session's amount is 1999.
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

TEST_CASE("authorizing: what each reply says") {
  CHECK(Scenario().authorizing().authorized(1999) == order_of_1999);
  CHECK(Scenario().authorizing().authorized(2500)[0] == "payment.authorized 2500");
  CHECK(Scenario().authorizing().authorized(1998) == Said{"payment.authorized 1998", "payment.cancel_requested 1998",
                                                          "inventory.release_requested", "wait cancel 60"});
  CHECK(Scenario().authorizing().captured(1999) ==
        Said{"payment.authorized 1999", "order.placed", "inventory.commit_requested", "payment.captured 1999",
             "payment.session_ended captured", "checkout.completed", "cart.converted paid"});
  CHECK(Scenario().authorizing().captured(2100) == Said{"payment.authorized 2100", "order.placed",
                                                        "inventory.commit_requested", "payment.captured 2100",
                                                        "payment.refund_requested 101", "wait refund 120"});
  CHECK(Scenario().authorizing().captured(1998) == Said{"payment.captured 1998", "inventory.release_requested",
                                                        "payment.refund_requested 1998", "wait refund 120"});
  CHECK(Scenario().authorizing().status(StatusState::refunded, 1999, 1999, 1999) ==
        Said{"payment.captured 1999", "inventory.release_requested", "payment.refunded 1999",
             "payment.session_ended refunded", "checkout.reopened payment_short", "wait idle 86400"});
  CHECK(Scenario().authorizing().declined() == Said{"payment.declined 1999", "payment.session_ended declined",
                                                    "inventory.release_requested", "checkout.reopened payment_declined",
                                                    "wait idle 86400"});
  CHECK(Scenario().authorizing().canceled(0) == Said{"payment.canceled 0", "payment.session_ended canceled",
                                                     "inventory.release_requested",
                                                     "checkout.reopened payment_canceled", "wait idle 86400"});
  CHECK(Scenario().authorizing().status(StatusState::not_found).at(1) == "payment.session_ended canceled");
  CHECK(Scenario().authorizing().status(StatusState::pending) == Said{"wait pending 120"});
  CHECK(Scenario().authorizing().capture_failed(true) == Said{"!reply_unexpected"});
}

TEST_CASE("authorizing: a status after an hour voids the session, a millisecond before it does not") {
  Scenario s;
  s.authorizing();
  s.now.ms += 3'599'999;
  CHECK(s.status(StatusState::pending) == Said{"wait pending 120"});
  s.now.ms += 1;
  CHECK(s.status(StatusState::pending) ==
        Said{"payment.cancel_requested 0", "inventory.release_requested", "wait cancel 60"});
  CHECK(s.canceled(0).at(2) == "checkout.reopened payment_expired");
}

TEST_CASE("authorizing: an action is passed on once, for at most what is left of the hour, at least a second") {
  const auto action = [](Scenario& s, Text url, std::optional<std::int64_t> expires) {
    return s(CommandType::payment_requires_action, PaymentRequiresAction{"c-p1", url, expires});
  };
  Scenario s;
  s.authorizing();
  CHECK(action(s, "u1", {}) == Said{"payment.action_required 1999", "wait action 900"});
  CHECK(action(s, "u1", {}) == Said{});
  CHECK(action(s, "u2", 60) == Said{"payment.action_required 1999", "wait action 60"});
  s.now.ms += 3'599'999;
  CHECK(action(s, "u3", 60) == Said{"payment.action_required 1999", "wait action 1"});
}

TEST_CASE("authorizing: what is left of the hour counts from the record times, also where they stepped back") {
  Scenario s;
  s.authorizing();
  s.now.ms -= 700;
  s(CommandType::payment_requires_action, PaymentRequiresAction{"c-p1", "u", INT64_MAX});
  CHECK(s.last_wait.count == 3'600'700);
}

TEST_CASE("authorizing: silence is asked about four times, then handed to a person") {
  Scenario s;
  s.authorizing();
  CHECK(s.wait_ends(WaitKind::authorization) ==
        Said{"payment.in_doubt 1999", "payment.status_requested 1999", "wait status_try 30"});
  CHECK(s.wait_ends(WaitKind::status_try) == Said{"payment.status_requested 1999", "wait status_try 120"});
  CHECK(s.wait_ends(WaitKind::status_try).back() == "wait status_try 600");
  CHECK(s.wait_ends(WaitKind::status_try).back() == "wait status_try 1800");
  CHECK(s.wait_ends(WaitKind::status_try) == Said{"payment.cancel_requested 0", "payment.unresolved 1999",
                                                  "payment.session_ended unresolved", "inventory.release_requested",
                                                  "checkout.reopened payment_unknown", "wait idle 86400"});
}

TEST_CASE("canceling: a cancel that crosses an authorization or a capture loses no money") {
  const auto begin = [](Scenario& s) { s.authorizing().cancel(); };
  Scenario crossed;
  begin(crossed);
  CHECK(crossed.authorized(1999) == Said{"payment.authorized 1999", "payment.cancel_requested 1999", "wait cancel 60"});
  CHECK(crossed.canceled(0) == Said{});
  CHECK(crossed.canceled(1999) == Said{"payment.canceled 1999", "payment.session_ended canceled", "cart.canceled"});
  Scenario captured;
  begin(captured);
  CHECK(captured.captured(1999) == Said{"payment.captured 1999", "payment.refund_requested 1999", "wait refund 120"});
  CHECK(captured.refunded(1999) == Said{"payment.refunded 1999", "payment.session_ended refunded", "cart.canceled"});
  Scenario declined;
  begin(declined);
  CHECK(declined.declined() == Said{"payment.declined 1999", "payment.session_ended declined", "cart.canceled"});
  Scenario other;
  begin(other);
  CHECK(other.status(StatusState::pending) == Said{});
  other.wait_ends(WaitKind::cancel);
  CHECK(other.status(StatusState::pending) == Said{"payment.cancel_requested 0"});
  CHECK(other.capture_failed(true) == Said{});
}

TEST_CASE("canceling: a decline of what is authorized ends nothing, and silence ends unresolved") {
  Scenario s;
  s.authorizing().authorized(500);
  CHECK(s.declined() == Said{});
  for (int i = 0; i < 4; ++i) CHECK(s.wait_ends(WaitKind::cancel).back().starts_with("wait status_try"));
  CHECK(s.wait_ends(WaitKind::status_try) == Said{"payment.unresolved 500", "payment.session_ended unresolved",
                                                  "checkout.reopened partial_authorization", "wait idle 86400"});
}

TEST_CASE("canceling: a single minor unit that is authorized is what is at risk, not the session's amount") {
  Scenario s;
  s.authorizing().authorized(1);
  for (int i = 0; i < 4; ++i) s.wait_ends(WaitKind::cancel);
  CHECK(s.wait_ends(WaitKind::status_try).front() == "payment.unresolved 1");
}

TEST_CASE("capturing: what each reply says") {
  CHECK(Scenario().capturing().captured(1999) ==
        Said{"payment.captured 1999", "payment.session_ended captured", "checkout.completed", "cart.converted paid"});
  CHECK(Scenario().capturing().captured(1998) == Said{"payment.captured 1998"});
  CHECK(Scenario().capturing().captured(2000) ==
        Said{"payment.captured 2000", "payment.refund_requested 1", "wait refund 120"});
  CHECK(Scenario().capturing().status(StatusState::refunded, 1999, 1999, 5) ==
        Said{"payment.captured 1999", "payment.refunded 5", "payment.unresolved 5 of the order",
             "payment.session_ended refunded", "cart.converted paid"});
  CHECK(Scenario().capturing().canceled(1999) == Said{"payment.canceled 1999", "payment.unresolved 1999 of the order",
                                                      "payment.session_ended canceled", "cart.converted unpaid"});
  CHECK(Scenario().capturing().status(StatusState::authorized, 1999) == Said{});
  CHECK(Scenario().capturing().status(StatusState::not_found) ==
        Said{"payment.canceled 1999", "payment.unresolved 1999 of the order", "payment.session_ended canceled",
             "cart.converted unpaid"});
  CHECK(Scenario().capturing().authorized(1999) == Said{});
  CHECK(Scenario().capturing().cancel() == Said{"!order_placed"});
}

TEST_CASE("capturing: a failed capture is tried again twice, the third failure leaves the order unpaid") {
  Scenario s;
  s.capturing();
  CHECK(s.capture_failed(true) == Said{"wait capture_retry 60"});
  CHECK(s.capture_failed(true) == Said{});  // the retry is running
  CHECK(s.wait_ends(WaitKind::capture_retry) == Said{"payment.capture_requested 1999", "wait capture 60"});
  CHECK(s.capture_failed(true) == Said{"wait capture_retry 300"});
  CHECK(s.wait_ends(WaitKind::capture_retry).front() == "payment.capture_requested 1999");
  CHECK(s.capture_failed(true) ==
        Said{"payment.unresolved 1999 of the order", "payment.session_ended capture_failed", "cart.converted unpaid"});
  CHECK(Scenario().capturing().capture_failed(false).back() == "cart.converted unpaid");
}

TEST_CASE("capturing: silence is asked about 48 times before the order is left unpaid") {
  Scenario s;
  s.capturing();
  CHECK(s.wait_ends(WaitKind::capture).front() == "payment.in_doubt 1999");
  for (int i = 1; i < 48; ++i) CHECK(s.wait_ends(WaitKind::status_try).front() == "payment.status_requested 1999");
  CHECK(s.wait_ends(WaitKind::status_try) ==
        Said{"payment.unresolved 1999 of the order", "payment.session_ended unresolved", "cart.converted unpaid"});
}

TEST_CASE("refunding: what is owed is asked back, more if more is captured, and too much is told") {
  Scenario s;
  s.authorizing().captured(1000);
  CHECK(s.refunded(400) == Said{"payment.refunded 400"});
  CHECK(s.captured(1500) == Said{"payment.captured 1500", "payment.refund_requested 500 key 1500", "wait refund 120"});
  CHECK(s.refunded(1499) == Said{"payment.refunded 1499"});
  CHECK(s.refunded(1500) == Said{"payment.refunded 1500", "payment.session_ended refunded",
                                 "checkout.reopened payment_short", "wait idle 86400"});
  Scenario paid;
  paid.authorizing().captured(2100);
  CHECK(paid.refunded(150) == Said{"payment.refunded 150", "payment.unresolved 49 of the order",
                                   "payment.session_ended captured", "checkout.completed", "cart.converted paid"});
}

TEST_CASE("a reply in another currency, of no session or of the session before moves no money") {
  Scenario s;
  s.authorizing();
  CHECK(s.authorized(1999, "c-p1", "EUR") == Said{"!currency_mismatch", "payment.unresolved 1999"});
  CHECK(s.authorized(1999, "c-p2") == Said{"!session_unknown", "payment.unresolved 1999"});
  CHECK(s.authorized(1999, "c-p0") == Said{"!session_unknown", "payment.unresolved 1999"});
  CHECK(s.declined("d-p1") == Said{"!session_unknown"});
  s.declined();
  s(CommandType::checkout_complete, CheckoutComplete{1999, true, "sim", "tok"});
  s(CommandType::inventory_reserved, InventoryReserved{"c-r2"});
  CHECK(s.authorized(1999, "c-p1") == Said{"payment.cancel_requested 1999", "payment.unresolved 1999"});
  CHECK(s.captured(1999, "c-p1") == Said{"payment.refund_requested 1999 late", "payment.unresolved 1999"});
  CHECK(s.canceled(1999, "c-p1") == Said{"payment.canceled 1999"});
  CHECK(s.authorized(1999, "c-p2") == order_of_1999);
}

TEST_CASE("inventory's word while a session is open") {
  const auto rejected = [](Scenario& s) {
    return s(CommandType::inventory_rejected, InventoryRejected{"c-r1", {}, "sold out"});
  };
  const auto reserved = [](Scenario& s) { return s(CommandType::inventory_reserved, InventoryReserved{"c-r1"}); };
  Scenario authorizing;
  authorizing.authorizing();
  CHECK(reserved(authorizing) == Said{});
  CHECK(rejected(authorizing) == Said{"payment.cancel_requested 0", "inventory.release_requested", "wait cancel 60"});
  CHECK(rejected(authorizing) == Said{});
  CHECK(reserved(authorizing) == Said{"inventory.release_requested"});
  Scenario placed;
  placed.capturing();
  CHECK(reserved(placed) == Said{});
  CHECK(rejected(placed) == Said{"!order_placed"});
}
