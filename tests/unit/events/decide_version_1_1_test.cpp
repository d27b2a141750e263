// What version 1.1 of the contract adds to payments, history by history, near misses included (docs/payments.md). The
// session's amount is 1999.
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

using namespace mayfly::testing;

namespace {

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(std::string(row.name));
    CHECK(joined(row.said) == joined(row.expected));
  }
}

Scenario after(Scenario s, const std::function<void(Scenario&)>& before) {
  before(s);
  return s;
}

int count(const Said& said, const std::string& line) {
  return static_cast<int>(std::count(said.begin(), said.end(), line));
}

}  // namespace

TEST_CASE("a query that is always answered 'authorized' ends all the same, with one capture request an answer") {
  Scenario s;
  s.capturing();
  int queries = 0;
  int captures = 0;
  std::int64_t waited_s = 60;
  auto said = s.wait_ends(WaitKind::capture);
  while (said.back().starts_with("wait status_try")) {
    ++queries;
    waited_s += s.last_wait.count / 1000;
    captures += count(s.status(StatusState::authorized, 1999), "payment.capture_requested 1999");
    captures += count(s.status(StatusState::authorized, 1999), "payment.capture_requested 1999");  // told twice
    said = s.wait_ends(WaitKind::status_try);
  }
  CHECK(queries == 48);
  CHECK(captures == 48);
  CHECK(waited_s / 3600 == 22);
  CHECK(joined(said) ==
        "payment.unresolved 1999 of the order; payment.session_ended unresolved; cart.converted unpaid");
}

TEST_CASE("a void whose queries are always answered ends after four") {
  Scenario s;
  s.authorizing().cancel();
  int queries = 0;
  auto said = s.wait_ends(WaitKind::cancel);
  while (said.back().starts_with("wait status_try")) {
    ++queries;
    CHECK(s.status(StatusState::authorized, 0) == Said{"payment.cancel_requested 0"});
    said = s.wait_ends(WaitKind::status_try);
  }
  CHECK(queries == 4);
  CHECK(said.front() == "payment.unresolved 1999");
}

TEST_CASE("a reply that reports ten times the amount calls a person and raises nothing") {
  const auto capturing = [] { return Scenario().capturing(); };
  const auto cheap = [] {
    Scenario s;
    s.active(5).complete(5);
    s.reserved("c-r1");
    return s;
  };
  check({
      {"authorized", Scenario().authorizing().authorized(19'990), {"!amount_implausible", "payment.unresolved 19990"}},
      {"one less", after(Scenario().authorizing(), [](Scenario& s) { s.authorized(19'989); }).captured(0), {}},
      {"captured", capturing().captured(19'990), {"!amount_implausible", "payment.unresolved 19990 of the order"}},
      {"status",
       capturing().status(StatusState::captured, 5, 19'990),
       {"!amount_implausible", "payment.unresolved 19990 of the order"}},
      {"then the truth",
       after(capturing(), [](Scenario& s) { s.captured(199'900); }).captured(1999),
       {"payment.captured 1999", "payment.session_ended captured", "checkout.completed", "cart.converted paid"}},
      {"of five minor units a thousand", cheap().authorized(1000), {"!amount_implausible", "payment.unresolved 1000"}},
      {"of five minor units one less",
       cheap().authorized(999),
       {"payment.authorized 999", "order.placed", "payment.capture_requested 5", "inventory.commit_requested",
        "wait capture 60"}},
  });
}

TEST_CASE("a refund that fails is asked for again twice, under its key, then a person is called") {
  Scenario s;
  s.authorizing().captured(1000);
  CHECK(s.refund_failed(true) == Said{"wait refund_retry 300"});
  CHECK(s.refund_failed(true) == Said{});  // the retry is running
  CHECK(s.refund_failed(false) == Said{});
  CHECK(s.wait_ends(WaitKind::refund_retry) == Said{"payment.refund_requested 1000", "wait refund 120"});
  CHECK(s.refund_failed(true) == Said{"wait refund_retry 3600"});
  CHECK(s.wait_ends(WaitKind::refund_retry).front() == "payment.refund_requested 1000");
  CHECK(s.refund_failed(true) == Said{"payment.unresolved 1000, refund_failed", "payment.session_ended refund_failed",
                                      "checkout.reopened payment_short", "wait idle 86400"});
  CHECK(s.refunded(1000) == Said{"payment.refunded 1000"});

  Scenario two;
  two.authorizing().captured(1000);
  two.captured(1500);
  two.refund_failed(true);
  CHECK(two.wait_ends(WaitKind::refund_retry) == Said{"payment.refund_requested 500 key 1500", "wait refund 120"});
  CHECK(two.refunded(1500).back() == "wait idle 86400");
}

TEST_CASE("a refund that is captured more meanwhile is asked for anew, its retry waits no longer") {
  Scenario s;
  s.authorizing().captured(1000);
  s.refund_failed(true);
  CHECK(s.captured(1200) == Said{"payment.captured 1200", "payment.refund_requested 200 key 1200", "wait refund 120"});
  CHECK(s.refund_failed(true) == Said{"wait refund_retry 3600"});
}

TEST_CASE("a refund that the provider says is under way ends the session and is listed, nobody is alerted") {
  Scenario s;
  s.authorizing().captured(400);
  CHECK(
      joined(s.status(StatusState::refund_pending, 1999, 400, 0)) ==
      "payment.unresolved 400, refund_pending; payment.session_ended refund_pending; checkout.reopened payment_short; "
      "wait idle 86400");
  CHECK(s.concern == Concern::none);
  CHECK(s.refunded(400) == Said{"payment.refunded 400"});
  Scenario failed;
  failed.authorizing().captured(400);
  failed.refund_failed(false, 400);
  CHECK(failed.concern == Concern::payment_unresolved);
}

TEST_CASE("a dispute is told in every state and decides nothing") {
  const Said told = {"payment.disputed 1999"};
  check({
      {"active", Scenario().active().disputed(), told},
      {"reserving", Scenario().reserving().disputed(), told},
      {"authorizing", Scenario().authorizing().disputed(), told},
      {"capturing", Scenario().capturing().disputed(), told},
      {"implausible", Scenario().capturing().disputed(1'999'000), {"payment.disputed 1999000"}},
      {"of no session", Scenario().capturing().disputed(1999, "x"), told},
      {"unknown cart", Scenario().disputed(), told},
      {"paid", after(Scenario().capturing(), [](Scenario& s) { s.captured(1999); }).disputed(), told},
  });
  Scenario s;
  s.authorizing();
  const auto before = s.session->ledger;
  s.disputed();
  CHECK(s.session->ledger == before);
  CHECK(s.session->reference.empty());
}

TEST_CASE("checkout.abandon frees the cart at once, wherever no order is placed") {
  const Said reopened = {"payment.cancel_requested 0",      "payment.unresolved 1999, abandoned",
                         "payment.session_ended abandoned", "inventory.release_requested",
                         "checkout.reopened abandoned",     "wait idle 86400"};
  const auto placed_after = [](Scenario s) { return s.abandon(); };
  check({
      {"unknown", Scenario().abandon(), {"!cart_unknown"}},
      {"active", Scenario().active().abandon(), {"!checkout_not_running"}},
      {"reserving",
       Scenario().reserving().abandon(),
       {"inventory.release_requested", "checkout.reopened abandoned", "wait idle 86400"}},
      {"authorizing", Scenario().authorizing().abandon(), reopened},
      {"an action is asked for", after(Scenario().authorizing(), [](Scenario& s) { s.requires_action("u"); }).abandon(),
       reopened},
      {"authorized", placed_after(Scenario().capturing()), {"!order_placed"}},
      {"a void for stock runs",
       after(Scenario().authorizing(), [](Scenario& s) { s.rejected("c-r1"); }).abandon(),
       {"payment.unresolved 1999, abandoned", "payment.session_ended abandoned", "checkout.reopened out_of_stock",
        "wait idle 86400"}},
      {"a void of what is authorized runs",
       after(Scenario().authorizing(), [](Scenario& s) { s.authorized(7); }).abandon(),
       {"payment.unresolved 7, abandoned", "payment.session_ended abandoned", "checkout.reopened partial_authorization",
        "wait idle 86400"}},
      {"cart.cancel was said before",
       after(Scenario().authorizing(), [](Scenario& s) { s.cancel(); }).abandon(),
       {"payment.unresolved 1999, abandoned", "payment.session_ended abandoned", "cart.canceled"}},
      {"a refund runs",
       after(Scenario().authorizing(), [](Scenario& s) { s.captured(1000); }).abandon(),
       {"payment.unresolved 1000, abandoned", "payment.session_ended abandoned", "checkout.reopened payment_short",
        "wait idle 86400"}},
      {"an order's surplus is refunded",
       after(Scenario().authorizing(), [](Scenario& s) { s.captured(2100); }).abandon(),
       {"!order_placed"}},
  });
}

TEST_CASE("a shopper who goes back pays in another way, and late money of the first payment goes back") {
  Scenario s;
  s.authorizing().requires_action("u");
  s.abandon();
  CHECK(s.concern == Concern::none);
  CHECK(s.complete(1999).front() == "checkout.started");
  CHECK(s.reserved("c-r2").front() == "payment.session_opened 1999");
  CHECK(s.captured(1999) == Said{"payment.refund_requested 1999 late", "payment.unresolved 1999"});
  CHECK(s.authorized(1999, "c-p2") == order_of_1999);
  CHECK(s.canceled(0) == Said{"payment.canceled 0"});
}

TEST_CASE("an attempt that failed is told, and the session stays open") {
  Scenario s;
  s.authorizing();
  CHECK(s.attempt_failed(1) == Said{"payment.attempt_failed 1999 attempt 1"});
  CHECK(s.attempt_failed(1) == Said{});
  CHECK(s.attempt_failed({}) == Said{"payment.attempt_failed 1999 attempt 2"});
  CHECK(s.attempt_failed(7) == Said{"payment.attempt_failed 1999 attempt 7"});
  CHECK(s.attempt_failed(6) == Said{});
  CHECK(s.attempt_failed({}) == Said{"payment.attempt_failed 1999 attempt 8"});
  CHECK(s.authorized(1999) == order_of_1999);
  CHECK(s.attempt_failed(9) == Said{});

  Scenario declined;
  declined.authorizing().declined();
  CHECK(declined.authorized(1999) == Said{"payment.cancel_requested 1999", "payment.unresolved 1999"});
}

TEST_CASE("of a session 32 attempts are told") {
  Scenario s;
  s.authorizing();
  for (int i = 1; i <= 32; ++i) {
    CHECK(s.attempt_failed({}) == Said{"payment.attempt_failed 1999 attempt " + std::to_string(i)});
  }
  CHECK(s.attempt_failed({}) == Said{});
  CHECK(s.attempt_failed(1'000'000) == Said{});
  CHECK(s.authorized(1999) == order_of_1999);

  Scenario last;
  last.authorizing();
  CHECK(last.attempt_failed(1'000'000).size() == 1);
  CHECK(last.attempt_failed({}) == Said{});  // there is no number after it
}

TEST_CASE("what inventory could still give is passed on where the checkout is reopened") {
  Scenario s;
  s.reserving();
  const Text skus[] = {"A"};
  const Available available[] = {{"A", "", 0}};
  s(CommandType::inventory_rejected, InventoryRejected{"c-r1", skus, "sold out", available});
  const auto& reopened = std::get<CheckoutReopened>(s.events.at(0));
  CHECK(reopened.available.size() == 1);
  CHECK(reopened.skus.size() == 1);
}
