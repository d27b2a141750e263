// decisions.md 5: what lies next to its rows, in each state. The session's amount is 1999.
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

namespace {

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
    CAPTURE(std::string(row.name));
    CHECK(joined(row.said) == joined(row.expected));
  }
}

}  // namespace

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
      {"status authorized", s().status(StatusState::authorized, 1999), order_of_1999},
      {"status authorized, one short",
       s().status(StatusState::authorized, 1998),
       {"payment.authorized 1998", "payment.cancel_requested 1998", "inventory.release_requested", "wait cancel 60"}},
      {"status authorized, of nothing", s().status(StatusState::authorized), {"wait pending 120"}},
      {"status pending, yet authorized", s().status(StatusState::pending, 1999), order_of_1999},
      {"status declined holds no authorization", s().status(StatusState::declined, 1999), declined},
      {"status canceled holds no authorization", s().status(StatusState::canceled, 1999), canceled},
      {"status not_found holds no authorization", s().status(StatusState::not_found, 1999), canceled},
      {"status declined, yet captured", s().status(StatusState::declined, 0, 1999), paid},
      {"status requires_action", s().status(StatusState::requires_action), {"wait pending 120"}},
      {"status captured, of nothing", s().status(StatusState::captured), {"wait pending 120"}},
      {"status after an hour, authorized", at_end([](Scenario& l) { return l.status(StatusState::authorized, 1999); }),
       order_of_1999},
      {"status after an hour, declined", at_end([](Scenario& l) { return l.status(StatusState::declined); }), declined},
      {"status after an hour, pending", at_end([](Scenario& l) { return l.status(StatusState::pending); }), expired},
      {"capture_failed", s().capture_failed(false), {"!reply_unexpected"}},
      {"refund_failed", s().refund_failed(false), {"!reply_unexpected"}},
      {"status refund_pending, of nothing", s().status(StatusState::refund_pending), {"wait pending 120"}},
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
  const auto asked = [](Scenario c) { return after(std::move(c), [](Scenario& x) { x.wait_ends(WaitKind::cancel); }); };
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
      {"status declined, money held", asked(held()).status(StatusState::declined), {"payment.cancel_requested 1999"}},
      {"status authorized again",
       asked(held()).status(StatusState::authorized, 1999),
       {"payment.cancel_requested 1999"}},
      {"status authorized again, not asked about", held().status(StatusState::authorized, 1999), {}},
      {"two answers to one query",
       after(asked(held()), [](Scenario& c) { c.status(StatusState::authorized, 1999); })
           .status(StatusState::authorized, 1999),
       {}},
      {"refund_failed", s().refund_failed(true), {"!reply_unexpected"}},
      {"attempt_failed", s().attempt_failed({}), {}},
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
  const Said again = {"payment.capture_requested 1999"};
  const Said declined = {"payment.declined 1999", "payment.unresolved 1999 of the order",
                         "payment.session_ended declined", "cart.converted unpaid"};
  const auto asked = [](Scenario c) {
    return after(std::move(c), [](Scenario& x) { x.wait_ends(WaitKind::capture); });
  };
  check({
      {"one is refunded",
       s().refunded(1),
       {"payment.captured 1", "payment.refunded 1", "payment.unresolved 1999 of the order",
        "payment.session_ended refunded", "cart.converted paid"}},
      {"one of all is refunded",
       s().status(StatusState::captured, 1999, 1999, 1),
       {"payment.captured 1999", "payment.refunded 1", "payment.unresolved 1 of the order",
        "payment.session_ended refunded", "cart.converted paid"}},
      {"nothing is refunded", s().refunded(0), {}},
      {"captured in two steps", part().captured(1999), paid},
      {"captured again", part().captured(1000), {}},
      {"captured less", part().captured(999), {}},
      {"status captured", s().status(StatusState::captured, 1999, 1999), paid},
      {"status captured in part, again", part().status(StatusState::captured, 1999, 1000), {}},
      {"status captured in part, again, asked about", asked(part()).status(StatusState::captured, 1999, 1000), again},
      {"status captured, one more than before",
       asked(part()).status(StatusState::captured, 1999, 1001),
       {"payment.captured 1001"}},
      {"status pending", asked(s()).status(StatusState::pending), {}},
      {"status authorized", asked(s()).status(StatusState::authorized, 1999), again},
      {"status authorized, not asked about", s().status(StatusState::authorized, 1999), {}},
      {"status authorized, two answers to one query",
       after(asked(s()), [](Scenario& c) { c.status(StatusState::authorized, 1999); })
           .status(StatusState::authorized, 1999),
       {}},
      {"status captured, below what is asked", asked(s()).status(StatusState::captured, 1999, 0), again},
      {"status pending, captured in part", s().status(StatusState::pending, 1999, 1000), {"payment.captured 1000"}},
      {"status requires_action", s().status(StatusState::requires_action), {}},
      {"status declined", s().status(StatusState::declined), declined},
      {"status not_found",
       s().status(StatusState::not_found),
       {"payment.canceled 1999", "payment.unresolved 1999 of the order", "payment.session_ended canceled",
        "cart.converted unpaid"}},
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
      {"declined", s().declined(), declined},
      {"the rest is declined",
       part().declined(),
       {"payment.declined 1999", "payment.unresolved 999 of the order", "payment.session_ended declined",
        "cart.converted unpaid"}},
      {"refund_failed", s().refund_failed(true), {"!reply_unexpected"}},
      {"attempt_failed", s().attempt_failed({}), {}},
      {"requires_action", s().requires_action("u"), {}},
      {"a retry waits, a definite failure comes", retry().capture_failed(false), {}},
      {"a retry waits, a status comes", retry().status(StatusState::authorized, 1999), {}},
      {"asked again after a status, it fails",
       after(asked(s()), [](Scenario& c) { c.status(StatusState::authorized, 1999); }).capture_failed(true),
       {"wait capture_retry 60"}},
      {"a retry waits, the answer to the query before comes",
       after(asked(s()), [](Scenario& c) { c.capture_failed(true); }).status(StatusState::authorized, 1999),
       {}},
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
      {"refund_failed, not to be tried again",
       s().refund_failed(false, 1000),
       {"payment.unresolved 1000, refund_failed", "payment.session_ended refund_failed",
        "checkout.reopened payment_short", "wait idle 86400"}},
      {"status refund_pending",
       s().status(StatusState::refund_pending, 1999, 1000, 0),
       {"payment.unresolved 1000, refund_pending", "payment.session_ended refund_pending",
        "checkout.reopened payment_short", "wait idle 86400"}},
      {"status refund_pending, a part came back",
       s().status(StatusState::refund_pending, 1999, 1000, 400),
       {"payment.refunded 400"}},
      {"attempt_failed", s().attempt_failed({}), {}},
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
      {"of an order: refund_failed, not to be tried again",
       paid().refund_failed(false, 101),
       {"payment.unresolved 101 of the order, refund_failed", "payment.session_ended refund_failed",
        "checkout.completed", "cart.converted paid"}},
      {"of an order: checkout.abandon", paid().abandon(), {"!order_placed"}},
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
    CHECK(Scenario(s)(CommandType::payment_capture_failed, PaymentCaptureFailed{"c-p1", "no", false, "", "EUR"}) ==
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
  Scenario failed;
  failed.authorizing()(CommandType::payment_capture_failed, PaymentCaptureFailed{"c-p1", "no", true, "one", "GBP"});
  CHECK(failed.session->reference == "one");
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
