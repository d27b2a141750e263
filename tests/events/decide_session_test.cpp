// decisions.md 5 row by row, near misses included. The session's amount is 1999.
#include "events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

namespace {

const Said order = {"payment.authorized 1999", "order.placed", "payment.capture_requested 1999",
                    "inventory.commit_requested", "wait capture 60"};

Scenario canceling() {
  Scenario s;
  s.authorizing().cancel();
  return s;
}
/// Asked to refund 1000 of a session that was captured in part.
Scenario refunding() {
  Scenario s;
  s.authorizing().captured(1000);
  return s;
}
/// Asked to refund 101 of an order.
Scenario refunding_paid() {
  Scenario s;
  s.authorizing().captured(2100);
  return s;
}
template <class Before>
Scenario after(Scenario s, const Before& before) {
  before(s);
  return s;
}

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    CHECK(row.said == row.expected);
  }
}

}  // namespace

TEST_CASE("authorizing: what each reply says") {
  CHECK(Scenario().authorizing().authorized(1999) == order);
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
  CHECK(other.status(StatusState::pending) == Said{"payment.cancel_requested 0", "wait cancel 60"});
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
  CHECK(Scenario().capturing().status(StatusState::authorized, 1999) ==
        Said{"payment.capture_requested 1999", "wait capture 60"});
  CHECK(Scenario().capturing().status(StatusState::not_found) == Said{});
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
  CHECK(s.captured(1999, "c-p1") == Said{"payment.refund_requested 1999", "payment.unresolved 1999"});
  CHECK(s.canceled(1999, "c-p1") == Said{"payment.canceled 1999"});
  CHECK(s.authorized(1999, "c-p2") == order);
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

TEST_CASE("authorizing: rows and near misses") {
  const auto s = [] { return Scenario().authorizing(); };
  const auto at_end = [&](auto reply) {
    auto late = s();
    late.now.ms += 3'600'000;
    return reply(late);
  };
  const Said paid = {
      "payment.authorized 1999",        "order.placed",       "inventory.commit_requested", "payment.captured 1999",
      "payment.session_ended captured", "checkout.completed", "cart.converted paid"};
  const Said canceled = {"payment.canceled 0", "payment.session_ended canceled", "inventory.release_requested",
                         "checkout.reopened payment_canceled", "wait idle 86400"};
  const Said declined = {"payment.declined 1999", "payment.session_ended declined", "inventory.release_requested",
                         "checkout.reopened payment_declined", "wait idle 86400"};
  const Said expired = {"payment.cancel_requested 0", "inventory.release_requested", "wait cancel 60"};
  check({
      {"captured nothing", s().captured(0), {}},
      {"authorized nothing", s().authorized(0), {}},
      {"captured one",
       s().captured(1),
       {"payment.captured 1", "inventory.release_requested", "payment.refund_requested 1", "wait refund 120"}},
      {"captured one more",
       s().captured(2000),
       {"payment.authorized 2000", "order.placed", "inventory.commit_requested", "payment.captured 2000",
        "payment.refund_requested 1", "wait refund 120"}},
      {"a refund tells a capture, a capture an authorization",
       s().refunded(1999),
       {"payment.captured 1999", "inventory.release_requested", "payment.refunded 1999",
        "payment.session_ended refunded", "checkout.reopened payment_short", "wait idle 86400"}},
      {"captured in full, one refunded",
       s().status(StatusState::captured, 1999, 1999, 1),
       {"payment.captured 1999", "inventory.release_requested", "payment.refund_requested 1998", "wait refund 120"}},
      {"status captured", s().status(StatusState::captured, 0, 1999), paid},
      {"status authorized", s().status(StatusState::authorized, 1999), order},
      {"status authorized, one short",
       s().status(StatusState::authorized, 1998),
       {"payment.authorized 1998", "payment.cancel_requested 1998", "inventory.release_requested", "wait cancel 60"}},
      {"status authorized, of nothing", s().status(StatusState::authorized), {"wait pending 120"}},
      {"status pending, yet authorized", s().status(StatusState::pending, 1999), order},
      {"status declined holds no authorization", s().status(StatusState::declined, 1999), declined},
      {"status canceled holds no authorization", s().status(StatusState::canceled, 1999), canceled},
      {"status not_found holds no authorization", s().status(StatusState::not_found, 1999), canceled},
      {"status declined, yet captured", s().status(StatusState::declined, 0, 1999), paid},
      {"status requires_action", s().status(StatusState::requires_action), {"wait pending 120"}},
      {"status captured, of nothing", s().status(StatusState::captured), {"wait pending 120"}},
      {"status after an hour, authorized", at_end([](Scenario& l) { return l.status(StatusState::authorized, 1999); }),
       order},
      {"status after an hour, declined", at_end([](Scenario& l) { return l.status(StatusState::declined); }), declined},
      {"status after an hour, pending", at_end([](Scenario& l) { return l.status(StatusState::pending); }), expired},
      {"capture_failed", s().capture_failed(false), {"!reply_unexpected"}},
      {"cart.cancel", s().cancel(), {"payment.cancel_requested 0", "inventory.release_requested", "wait cancel 60"}},
  });
}

TEST_CASE("authorizing: a status that is not the end begins the tries anew, and doubt is told once") {
  Scenario s;
  s.authorizing().wait_ends(WaitKind::authorization);
  CHECK(s.wait_ends(WaitKind::status_try).back() == "wait status_try 120");
  CHECK(s.status(StatusState::pending) == Said{"wait pending 120"});
  CHECK(s.wait_ends(WaitKind::pending) == Said{"payment.status_requested 1999", "wait status_try 30"});
  CHECK(s.requires_action("u") == Said{"payment.action_required 1999", "wait action 900"});
  CHECK(s.wait_ends(WaitKind::action) == Said{"payment.status_requested 1999", "wait status_try 120"});
}

TEST_CASE("authorizing: an action may take as long as it is asked for, at most the hour, 900 s if it does not say") {
  const auto action = [](std::optional<std::int64_t> expires_s) {
    return Scenario().authorizing().requires_action("u", expires_s).back();
  };
  CHECK(action({}) == "wait action 900");
  CHECK(action(3599) == "wait action 3599");
  CHECK(action(3600) == "wait action 3600");
  CHECK(action(3601) == "wait action 3600");
  CHECK(action(1) == "wait action 1");
  CHECK(action(0) == "wait action 1");
  CHECK(action(-5) == "wait action 1");
  CHECK(action(INT64_MIN) == "wait action 1");
}

TEST_CASE("canceling: rows and near misses") {
  const auto s = canceling;
  const auto held = [&] { return after(s(), [](Scenario& c) { c.authorized(1999); }); };
  const auto stock = [] { return after(Scenario().authorizing(), [](Scenario& c) { c.rejected("c-r1"); }); };
  const Said canceled = {"payment.canceled 0", "payment.session_ended canceled", "cart.canceled"};
  check({
      {"authorized one", s().authorized(1), {"payment.authorized 1", "payment.cancel_requested 1", "wait cancel 60"}},
      {"authorized again", held().authorized(1999), {}},
      {"authorized less", held().authorized(1998), {}},
      {"authorized more",
       held().authorized(2000),
       {"payment.authorized 2000", "payment.cancel_requested 2000", "wait cancel 60"}},
      {"canceled, one short", held().canceled(1998), {}},
      {"canceled in full",
       held().canceled(1999),
       {"payment.canceled 1999", "payment.session_ended canceled", "cart.canceled"}},
      {"canceled more",
       held().canceled(2000),
       {"payment.canceled 2000", "payment.session_ended canceled", "cart.canceled"}},
      {"status canceled",
       held().status(StatusState::canceled),
       {"payment.canceled 1999", "payment.session_ended canceled", "cart.canceled"}},
      {"status not_found", s().status(StatusState::not_found), canceled},
      {"status declined, nothing held",
       s().status(StatusState::declined),
       {"payment.declined 1999", "payment.session_ended declined", "cart.canceled"}},
      {"status declined, money held",
       held().status(StatusState::declined),
       {"payment.cancel_requested 1999", "wait cancel 60"}},
      {"status authorized again",
       held().status(StatusState::authorized, 1999),
       {"payment.cancel_requested 1999", "wait cancel 60"}},
      {"captured nothing", s().captured(0), {}},
      {"captured one", s().captured(1), {"payment.captured 1", "payment.refund_requested 1", "wait refund 120"}},
      {"refunded one",
       s().refunded(1),
       {"payment.captured 1", "payment.refunded 1", "payment.session_ended refunded", "cart.canceled"}},
      {"requires_action", s().requires_action("u"), {}},
      {"capture_failed", s().capture_failed(false), {}},
      {"cart.cancel again", s().cancel(), {}},
      {"out of stock, canceled",
       stock().canceled(0),
       {"payment.canceled 0", "payment.session_ended canceled", "checkout.reopened out_of_stock", "wait idle 86400"}},
      {"out of stock, then cart.cancel: it is answered at the end",
       after(stock(), [](Scenario& c) { c.cancel(); }).canceled(0), canceled},
      {"its wait ends",
       s().wait_ends(WaitKind::cancel),
       {"payment.in_doubt 1999", "payment.status_requested 1999", "wait status_try 30"}},
      {"silence, nothing held: A is at risk",
       s().silence(WaitKind::cancel),
       {"payment.unresolved 1999", "payment.session_ended unresolved", "cart.canceled"}},
  });
}

TEST_CASE("capturing: rows and near misses") {
  const auto s = [] { return Scenario().capturing(); };
  const auto part = [&] { return after(s(), [](Scenario& c) { c.captured(1000); }); };
  const auto retry = [&] { return after(s(), [](Scenario& c) { c.capture_failed(true); }); };
  const Said paid = {"payment.captured 1999", "payment.session_ended captured", "checkout.completed",
                     "cart.converted paid"};
  const Said again = {"payment.capture_requested 1999", "wait capture 60"};
  check({
      {"one is refunded",
       s().refunded(1),
       {"payment.captured 1", "payment.refunded 1", "payment.unresolved 1 of the order",
        "payment.session_ended refunded", "cart.converted paid"}},
      {"nothing is refunded", s().refunded(0), {}},
      {"captured in two steps", part().captured(1999), paid},
      {"captured again", part().captured(1000), {}},
      {"captured less", part().captured(999), {}},
      {"status captured", s().status(StatusState::captured, 1999, 1999), paid},
      {"status captured in part, again", part().status(StatusState::captured, 1999, 1000), {}},
      {"status pending", s().status(StatusState::pending), again},
      {"status pending, captured in part", s().status(StatusState::pending, 1999, 1000), {"payment.captured 1000"}},
      {"status requires_action", s().status(StatusState::requires_action), {}},
      {"status declined", s().status(StatusState::declined), {}},
      {"status canceled",
       s().status(StatusState::canceled, 1999),
       {"payment.canceled 1999", "payment.unresolved 1999 of the order", "payment.session_ended canceled",
        "cart.converted unpaid"}},
      {"the rest is canceled",
       part().canceled(999),
       {"payment.canceled 999", "payment.unresolved 999 of the order", "payment.session_ended canceled",
        "cart.converted unpaid"}},
      {"the rest fails",
       part().capture_failed(false),
       {"payment.unresolved 999 of the order", "payment.session_ended capture_failed", "cart.converted unpaid"}},
      {"declined", s().declined(), {}},
      {"requires_action", s().requires_action("u"), {}},
      {"a retry waits, a definite failure comes", retry().capture_failed(false), {}},
      {"a retry waits, a status comes", retry().status(StatusState::authorized, 1999), again},
      {"asked again after that status, it fails a second time",
       after(retry(), [](Scenario& c) { c.status(StatusState::authorized, 1999); }).capture_failed(true),
       {"wait capture_retry 300"}},
      {"silence after a part",
       part().silence(WaitKind::capture),
       {"payment.unresolved 999 of the order", "payment.session_ended unresolved", "cart.converted unpaid"}},
      {"after a refund late replies are as to a paid order",
       after(s(), [](Scenario& c) { c.refunded(5); }).captured(1999),
       {}},
  });
}

TEST_CASE("refunding: rows and near misses") {
  const auto s = refunding;
  const auto paid = refunding_paid;
  const Said reopened = {"payment.refunded 1000", "payment.session_ended refunded", "checkout.reopened payment_short",
                         "wait idle 86400"};
  check({
      {"one short", s().refunded(999), {"payment.refunded 999"}},
      {"in full", s().refunded(1000), reopened},
      {"one more than was captured: it was captured, too",
       s().refunded(1001),
       {"payment.refunded 1001", "payment.session_ended refunded", "checkout.reopened payment_short",
        "wait idle 86400"}},
      {"status refunded", s().status(StatusState::refunded, 1000, 1000, 1000), reopened},
      {"refunded nothing", s().refunded(0), {}},
      {"refunded again", after(s(), [](Scenario& r) { r.refunded(400); }).refunded(400), {}},
      {"captured again", s().captured(1000), {}},
      {"one more is captured",
       s().captured(1001),
       {"payment.captured 1001", "payment.refund_requested 1 key 1001", "wait refund 120"}},
      {"status captured", s().status(StatusState::captured, 1000, 1000), {}},
      {"canceled", s().canceled(999), {}},
      {"declined", s().declined(), {}},
      {"authorized", s().authorized(1999), {}},
      {"capture_failed", s().capture_failed(false), {}},
      {"inventory rejects what was released", s().rejected("c-r1"), {}},
      {"cart.cancel: it is answered at the end",
       after(s(), [](Scenario& r) { CHECK(r.cancel().empty()); }).refunded(1000),
       {"payment.refunded 1000", "payment.session_ended refunded", "cart.canceled"}},
      {"silence",
       s().silence(WaitKind::refund),
       {"payment.unresolved 1000", "payment.session_ended unresolved", "checkout.reopened payment_short",
        "wait idle 86400"}},
      {"silence after a part",
       after(s(), [](Scenario& r) { r.refunded(999); }).silence(WaitKind::refund),
       {"payment.unresolved 1", "payment.session_ended unresolved", "checkout.reopened payment_short",
        "wait idle 86400"}},
      {"of an order: one short", paid().refunded(100), {"payment.refunded 100"}},
      {"of an order: in full",
       paid().refunded(101),
       {"payment.refunded 101", "payment.session_ended captured", "checkout.completed", "cart.converted paid"}},
      {"of an order: one too much",
       paid().refunded(102),
       {"payment.refunded 102", "payment.unresolved 1 of the order", "payment.session_ended captured",
        "checkout.completed", "cart.converted paid"}},
      {"of an order: cart.cancel", paid().cancel(), {"!order_placed"}},
      {"of an order: reserved R", paid().reserved("c-r1"), {}},
      {"of an order: rejected R", paid().rejected("c-r1"), {"!order_placed"}},
      {"of an order: silence",
       paid().silence(WaitKind::refund),
       {"payment.unresolved 101 of the order", "payment.session_ended unresolved", "checkout.completed",
        "cart.converted paid"}},
  });
}

TEST_CASE("refunding: what an order paid too much is asked about 48 times, what a reopened cart did four times") {
  const auto tries = [](Scenario s) {
    int count = 0;
    for (auto kind = WaitKind::refund; s.wait_ends(kind).back().starts_with("wait status_try"); ++count) {
      kind = WaitKind::status_try;
    }
    return count;
  };
  CHECK(tries(refunding()) == 4);
  CHECK(tries(refunding_paid()) == 48);
}

TEST_CASE("a reply in another currency is refused in every state, and only its money is told") {
  const auto status = [](Scenario s, Minor au, Minor ca, Text currency) {
    return s(CommandType::payment_status, PaymentStatus{"c-p1", StatusState::captured, au, ca, 0, "", currency});
  };
  for (const auto& s : {Scenario().authorizing(), canceling(), Scenario().capturing(), refunding()}) {
    CHECK(Scenario(s).captured(1999, "c-p1", "EUR") ==
          Said{"!currency_mismatch",
               "payment.unresolved 1999" + std::string(s.session->ledger.order_placed ? " of the order" : "")});
    CHECK(status(s, 0, 0, "EUR") == Said{"!currency_mismatch"});
    CHECK(Scenario(s)(CommandType::payment_refunded, PaymentRefunded{"c-p1", "pi", 9, "EUR"}) ==
          Said{"!currency_mismatch"});
  }
  CHECK(status(Scenario().authorizing(), 5, 7, "EUR").back() == "payment.unresolved 7");
  CHECK(status(Scenario().authorizing(), 7, 5, "EUR").back() == "payment.unresolved 7");
  auto unknown = Scenario().authorizing();
  unknown.captured(9, "c-p1", "ZZZ");
  CHECK(std::get<PaymentEvent>(unknown.events.at(1)).currency.view() == "XXX");
}

TEST_CASE("totals only rise, and the first reference is kept") {
  Scenario s;
  s.capturing();
  CHECK(s.session->reference == "pi");
  s(CommandType::payment_captured, PaymentCaptured{"c-p1", "other", 1000, "GBP"});
  CHECK(s.session->reference == "pi");
  s.captured(500);
  s.authorized(500);
  CHECK(s.session->ledger.captured_minor == 1000);
  CHECK(s.session->ledger.authorized_minor == 1999);
}

TEST_CASE("each request has its own time to be answered in, and asks under the amount of its key") {
  const auto request = [](const Scenario& s, EventType type) {
    for (const auto& event : s.events) {
      const auto* e = std::get_if<PaymentEvent>(&event);
      if (e != nullptr && e->type == type) return std::pair(e->answer_within.count / 1000, e->key_amount_minor);
    }
    return std::pair(std::int64_t{0}, Minor{0});
  };
  using Asked = std::pair<std::int64_t, Minor>;
  CHECK(request(Scenario().authorizing(), EventType::payment_authorization_requested) == Asked{120, 1999});
  CHECK(request(Scenario().capturing(), EventType::payment_capture_requested) == Asked{60, 1999});
  CHECK(request(after(canceling(), [](Scenario& s) { s.authorized(7); }), EventType::payment_cancel_requested) ==
        Asked{60, 7});
  CHECK(request(refunding(), EventType::payment_refund_requested) == Asked{120, 1000});
  auto doubt = Scenario().authorizing();
  for (const std::int64_t seconds : {30, 120, 600, 1800}) {
    doubt.wait_ends(WaitKind::status_try);
    CHECK(request(doubt, EventType::payment_status_requested) == Asked{seconds, 1999});
  }
  const auto stock = [](const Scenario& s) {
    return std::get<InventoryRequested>(s.events.back()).answer_within.count;
  };
  CHECK(stock(Scenario().reserving()) == 60'000);
  CHECK(stock(Scenario().capturing()) == 120'000);  // commit
  CHECK(stock(canceling()) == 120'000);             // release
}
