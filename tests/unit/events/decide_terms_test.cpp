// Sessions with terms (decisions.md 5, docs/payments.md): payments that take days, captures by command, agreed extras.
// History by history, near misses included. The session's amount is 1000.
#include "events/rules/session_life.h"
#include "unit/events/scenario.h"

#include <doctest/doctest.h>

using namespace mayfly::testing;

namespace {

constexpr Terms on_command{true, 604'800, 0, 0};
constexpr Terms settles{false, 0, 1'209'600, 0};  // 14 days
const Said paid = {"payment.captured 1000", "payment.session_ended captured", "checkout.completed",
                   "cart.converted paid"};

void pass(Scenario& s, Millis time) { s.now = s.now + time; }

Scenario holding(const Terms& terms = on_command) {
  Scenario s;
  s.on_terms(terms).authorized(1000);
  return s;
}
Scenario settling(std::optional<std::int64_t> expires_s = {}) {
  Scenario s;
  s.on_terms(settles).pending(expires_s);
  return s;
}
/// Captured so far, and asked for no more.
Scenario captured_in_part(Minor part) {
  auto s = holding();
  s.capture(part);
  s.captured(part);
  return s;
}

}  // namespace

TEST_CASE("captured at shipment: the order is placed, the money waits for payment.capture") {
  Scenario s;
  CHECK(joined(s.on_terms(on_command).authorized(1000)) ==
        "payment.authorized 1000; order.placed; inventory.commit_requested; wait hold 604800");
  pass(s, 3_d);
  CHECK(joined(s.capture({})) == "payment.capture_requested 1000; wait capture 60");
  CHECK(joined(s.captured(1000)) == joined(paid));
}

TEST_CASE("an authorization that ends earlier is held no longer, and one that ends later not either") {
  Scenario s;
  s.on_terms(on_command);
  const auto authorized = [&](std::int64_t expires_s) {
    auto other = s;
    return other(CommandType::payment_authorized, PaymentAuthorized{"c-p1", "pi", 1000, "GBP", expires_s}).back();
  };
  CHECK(authorized(86'400) == "wait hold 86400");
  CHECK(authorized(604'801) == "wait hold 604800");
  CHECK(joined(s.status(StatusState::authorized, 1000)) ==
        "payment.authorized 1000; order.placed; inventory.commit_requested; wait hold 604800");
}

TEST_CASE("captured in two parts: each is asked for under the key of what has been asked for in all") {
  auto s = holding();
  CHECK(joined(s.capture(600)) == "payment.capture_requested 600; wait capture 60");
  CHECK(joined(s.captured(599)) == "payment.captured 599");
  CHECK(joined(s.captured(600)) == "payment.captured 600; wait hold 604800");
  CHECK(joined(s.capture(1000)) == "payment.capture_requested 400 key 1000; wait capture 60");
  CHECK(joined(s.captured(1000)) == joined(paid));
}

TEST_CASE("a request that is made again is the same, whatever was captured meanwhile") {
  auto s = captured_in_part(600);
  s.capture(1000);
  CHECK(joined(s.captured(700)) == "payment.captured 700");
  CHECK(joined(s.capture_failed(true)) == "wait capture_retry 60");
  CHECK(joined(s.wait_ends(WaitKind::capture_retry)) == "payment.capture_requested 400 key 1000; wait capture 60");
  s.wait_ends(WaitKind::capture);
  CHECK(joined(s.status(StatusState::captured, 1000, 700)) == "payment.capture_requested 400 key 1000");
}

TEST_CASE("a last capture of less completes the order, and says what was captured") {
  auto s = holding();
  CHECK(joined(s.capture(600, true)) == "payment.capture_requested 600 final; wait capture 60");
  CHECK(joined(s.captured(600)) ==
        "payment.captured 600; payment.session_ended captured; checkout.completed captured 600; cart.converted paid");
  auto more = holding();
  more.capture(600, true);
  CHECK(joined(more.captured(601)) == "payment.captured 601; payment.refund_requested 1; wait refund 120");
  CHECK(joined(more.refunded(1)) ==
        "payment.refunded 1; payment.session_ended captured; checkout.completed captured 600; cart.converted paid");
  auto all = holding();
  CHECK(joined(all.capture(1000, true)) == "payment.capture_requested 1000; wait capture 60");
}

TEST_CASE("a capture of less that was not the last is missing at the end") {
  auto s = captured_in_part(600);
  pass(s, 7_d);
  CHECK(joined(s.wait_ends(WaitKind::hold)) ==
        "payment.unresolved 400 of the order; payment.session_ended capture_expired; cart.converted unpaid");
  auto silent = holding();
  silent.capture(600, true);
  CHECK(joined(silent.silence(WaitKind::capture)) ==
        "payment.unresolved 600 of the order; payment.session_ended unresolved; cart.converted unpaid");
}

TEST_CASE("nothing shall be captured: the hold is released, and there is no order") {
  auto s = holding();
  CHECK(joined(s.capture(0, true)) == "payment.cancel_requested 1000; wait cancel 60");
  CHECK(s.cancel() == Said{"!order_placed"});
  CHECK(s.abandon() == Said{"!order_placed"});
  CHECK(s.capture(0) == Said{"!capture_unexpected"});
  CHECK(s.canceled(999).empty());
  CHECK(joined(s.canceled(1000)) ==
        "payment.canceled 1000; payment.session_ended canceled; order.canceled released; cart.converted unpaid");
  CHECK(joined(s.captured(1000)) == "payment.refund_requested 1000 late; payment.unresolved 1000 of the order");
  CHECK(s.complete(1000) == Said{"!already_converted"});
}

TEST_CASE("what is left is released: what was captured is the order's") {
  auto s = captured_in_part(600);
  CHECK(joined(s.capture(600, true)) == "payment.cancel_requested 400; wait cancel 60");
  CHECK(s.canceled(399).empty());
  CHECK(joined(s.canceled(400)) ==
        "payment.canceled 400; payment.session_ended captured; checkout.completed captured 600; cart.converted paid");

  auto declined = captured_in_part(600);
  declined.capture(600, true);
  CHECK(joined(declined.declined()) ==
        "payment.declined 1000; payment.session_ended captured; checkout.completed captured 600; cart.converted paid");

  auto late = captured_in_part(600);
  late.capture(600, true);
  CHECK(joined(late.captured(700)) == "payment.captured 700");
  CHECK(joined(late.canceled(300)) == "payment.canceled 300; payment.refund_requested 100; wait refund 120");
  CHECK(joined(late.refunded(100)) ==
        "payment.refunded 100; payment.session_ended captured; checkout.completed captured 600; cart.converted paid");

  auto all = captured_in_part(600);
  all.capture(600, true);
  CHECK(joined(all.captured(1000)) == "payment.captured 1000; payment.refund_requested 400; wait refund 120");

  auto refunded = captured_in_part(600);
  refunded.capture(600, true);
  CHECK(refunded.refunded(100).empty());
  CHECK(joined(refunded.canceled(400)) ==
        "payment.canceled 400; payment.refunded 100; payment.session_ended captured; checkout.completed captured 500; "
        "cart.converted paid");
  auto all_refunded = captured_in_part(600);
  all_refunded.capture(600, true);
  all_refunded.refunded(600);
  CHECK(joined(all_refunded.declined()) ==
        "payment.declined 1000; payment.refunded 600; payment.session_ended declined; order.canceled released; "
        "cart.converted unpaid");

  auto silent = captured_in_part(600);
  silent.capture(600, true);
  silent.captured(700);
  CHECK(joined(silent.silence(WaitKind::cancel)) ==
        "payment.unresolved 400 of the order; payment.session_ended unresolved; checkout.completed captured 700; "
        "cart.converted paid");
  auto silent_as_asked = captured_in_part(600);
  silent_as_asked.capture(600, true);
  CHECK(joined(silent_as_asked.silence(WaitKind::cancel)) ==
        "payment.unresolved 400 of the order; payment.session_ended unresolved; checkout.completed captured 600; "
        "cart.converted paid");
}

TEST_CASE("payment.capture is refused where nothing waits for it") {
  Scenario s;
  CHECK(s.capture({}) == Said{"!cart_unknown"});
  s.active(1000);
  CHECK(s.capture({}) == Said{"!capture_unexpected"});
  s(CommandType::checkout_complete, CheckoutComplete{1000, true, "sim", "tok", on_command});
  CHECK(s.capture({}) == Said{"!capture_unexpected"});
  s.reserved("c-r1");
  CHECK(s.capture({}) == Said{"!capture_unexpected"});
  s.authorized(1000);
  CHECK(s.capture({}, false, "c-p2") == Said{"!session_unknown"});
  CHECK(s.capture({}, false, "d-p1") == Said{"!session_unknown"});
  CHECK(s.capture(1001) == Said{"!amount_out_of_range"});
  CHECK(s.capture(-1) == Said{"!amount_out_of_range"});
  CHECK(s.capture(0) == Said{"!capture_repeated"});
  CHECK(joined(s.capture(600, false, "c-p1")) == "payment.capture_requested 600; wait capture 60");
  CHECK(s.capture(1000) == Said{"!capture_in_progress"});
  s.captured(600);
  CHECK(s.capture(599) == Said{"!amount_out_of_range"});
  CHECK(s.capture(600) == Said{"!capture_repeated"});
  Scenario automatic;
  automatic.on_terms({}).authorized(1000);
  CHECK(automatic.capture({}) == Said{"!capture_in_progress"});
  Scenario over = holding();
  over.captured(1000);
  CHECK(over.capture({}) == Said{"!cart_ended"});
}

TEST_CASE("a payment is captured by command 32 times") {
  auto s = holding();
  for (Minor part = 1; part <= 32; ++part) {
    REQUIRE(s.capture(part).front().starts_with("payment.capture_requested 1"));
    s.captured(part);
  }
  CHECK(s.capture(33) == Said{"!attempts_exhausted"});
  CHECK(joined(s.capture(32, true)) == "payment.cancel_requested 968; wait cancel 60");
}

TEST_CASE("while an order waits to be captured, what ends a capture ends it too, and nothing else") {
  const auto after = [](auto say) {
    auto s = captured_in_part(600);
    return joined(say(s));
  };
  CHECK(after([](auto& s) { return s.captured(700); }) == "payment.captured 700");
  CHECK(after([](auto& s) { return s.captured(600); }).empty());
  CHECK(after([](auto& s) { return s.status(StatusState::authorized, 1000); }).empty());
  CHECK(after([](auto& s) { return s.capture_failed(false); }) == "!reply_unexpected");
  CHECK(after([](auto& s) { return s.refund_failed(false); }) == "!reply_unexpected");
  CHECK(after([](auto& s) { return s.cancel(); }) == "!order_placed");
  CHECK(after([](auto& s) { return s.abandon(); }) == "!order_placed");
  CHECK(after([](auto& s) { return s.rejected("c-r1"); }) == "!order_placed");
  CHECK(after([](auto& s) { return s.reserved("c-r1"); }).empty());
  CHECK(after([](auto& s) { return s.captured(1000); }) == joined(paid));
  CHECK(after([](auto& s) { return s.captured(1001); }) ==
        "payment.captured 1001; payment.refund_requested 1; wait refund 120");
  CHECK(after([](auto& s) { return s.declined(); }) ==
        "payment.declined 1000; payment.unresolved 400 of the order; payment.session_ended declined; cart.converted "
        "unpaid");
  CHECK(after([](auto& s) { return s.canceled(400); }) ==
        "payment.canceled 400; payment.unresolved 400 of the order; payment.session_ended canceled; cart.converted "
        "unpaid");
  CHECK(after([](auto& s) { return s.refunded(100); }) ==
        "payment.captured 600; payment.refunded 100; payment.unresolved 500 of the order; "
        "payment.session_ended refunded; cart.converted paid");
  const auto final = [](auto& s) {
    return s(CommandType::payment_captured, PaymentCaptured{"c-p1", "pi", 600, "GBP", true});
  };
  CHECK(after(final) ==
        "payment.captured 600; payment.unresolved 400 of the order; payment.session_ended capture_failed; "
        "cart.converted unpaid");
}

TEST_CASE("a payment that takes days: the order is pending, and placed when the money comes") {
  Scenario s;
  CHECK(joined(s.on_terms(settles).pending()) == "payment.pending 1000; order.pending; wait settle 3600");
  pass(s, 8_d);
  CHECK(joined(s.captured(1000)) ==
        "payment.authorized 1000; order.placed; inventory.commit_requested; " + joined(paid));
}

TEST_CASE("a payment that takes days and comes to nothing ends the order and the cart") {
  const auto after = [](auto say) {
    auto s = settling();
    pass(s, 5_d);
    return joined(say(s));
  };
  const std::string over = "inventory.release_requested; order.canceled payment_declined; cart.canceled";
  CHECK(after([](auto& s) { return s.declined(); }) ==
        "payment.declined 1000; payment.session_ended declined; " + over);
  CHECK(after([](auto& s) { return s.status(StatusState::declined); }) ==
        "payment.declined 1000; payment.session_ended declined; " + over);
  CHECK(after([](auto& s) { return s.canceled(0); }) ==
        "payment.canceled 0; payment.session_ended canceled; inventory.release_requested; "
        "order.canceled payment_canceled; cart.canceled");
  const std::string release = "inventory.release_requested; wait cancel 60";
  CHECK(after([](auto& s) { return s.cancel(); }) == "payment.cancel_requested 0; " + release);
  CHECK(after([](auto& s) { return s.rejected("c-r1"); }) == "payment.cancel_requested 0; " + release);
  CHECK(after([](auto& s) { return s.authorized(999); }) ==
        "payment.authorized 999; payment.cancel_requested 999; " + release);
  CHECK(after([](auto& s) { return s.captured(400); }) ==
        "payment.captured 400; inventory.release_requested; payment.refund_requested 400; wait refund 120");
  auto short_paid = settling();
  short_paid.captured(400);
  CHECK(joined(short_paid.refunded(400)) ==
        "payment.refunded 400; payment.session_ended refunded; order.canceled payment_short; cart.canceled");
  auto canceled = settling();
  canceled.cancel();
  CHECK(canceled.abandon() == Said{"!order_placed"});
  CHECK(joined(canceled.canceled(0)) ==
        "payment.canceled 0; payment.session_ended canceled; order.canceled canceled; cart.canceled");
}

TEST_CASE("while a payment takes days nothing else moves it") {
  auto s = settling();
  CHECK(s.status(StatusState::pending).empty());
  CHECK(s.status(StatusState::requires_action).empty());
  CHECK(s.pending(60).empty());
  CHECK(s.reserved("c-r1").empty());
  CHECK(s.abandon() == Said{"!order_placed"});
  CHECK(s.capture({}) == Said{"!capture_unexpected"});
  CHECK(s.capture_failed(true) == Said{"!reply_unexpected"});
  CHECK(s.refund_failed(true) == Said{"!reply_unexpected"});
  CHECK(s.requires_action("https://bank") == Said{"payment.action_required 1000"});
  CHECK(s.requires_action("https://bank").empty());
  CHECK(s.attempt_failed({}) == Said{"payment.attempt_failed 1000 attempt 1"});
  CHECK(s.complete(1000) == Said{"!checkout_in_progress"});
}

TEST_CASE("fourteen days of waiting take 16 queries, and end with a void") {
  auto s = settling();
  int queries = 0;
  auto said = Said{"wait settle"};
  while (said.back().starts_with("wait settle")) {
    pass(s, s.last_wait);
    said = s.wait_ends(WaitKind::settle);
    if (said.front() == "payment.status_requested 1000") ++queries;
  }
  CHECK(queries == 16);
  CHECK(s.now == s.session->opened_at + 14_d);
  CHECK(joined(said) == "payment.cancel_requested 0; inventory.release_requested; wait cancel 60");
  CHECK(joined(s.canceled(0)) ==
        "payment.canceled 0; payment.session_ended canceled; order.canceled payment_expired; cart.canceled");
}

TEST_CASE("a provider may give less time than the terms, not more") {
  auto less = settling(7200);
  CHECK(less.session->ledger.until == less.now + 7200_s);
  auto more = settling(7'776'000);
  CHECK(more.session->ledger.until == more.session->opened_at + 14_d);
  CHECK(settling(60).last_wait == 60_s);
}

TEST_CASE("a payment without such terms is pending for an hour at most") {
  Scenario s;
  s.on_terms({});
  CHECK(s.pending() == Said{"wait pending 120"});
  pass(s, 3599_s);
  CHECK(s.pending() == Said{"wait pending 120"});
  pass(s, 1_s);
  CHECK(joined(s.pending()) == "payment.cancel_requested 0; inventory.release_requested; wait cancel 60");
}

TEST_CASE("with such terms a status says pending for an hour, then the order is pending") {
  Scenario s;
  s.on_terms(settles);
  CHECK(s.status(StatusState::pending) == Said{"wait pending 120"});
  pass(s, 480_s);
  CHECK(s.status(StatusState::pending) == Said{"wait pending 120"});
  pass(s, 3119_s);
  CHECK(s.status(StatusState::pending) == Said{"wait pending 899"});
  pass(s, 1_s);
  CHECK(s.status(StatusState::requires_action) == Said{"wait pending 900"});
  CHECK(joined(s.status(StatusState::pending)) == "payment.pending 1000; order.pending; wait settle 3600");
  Scenario late;
  late.on_terms(settles);
  pass(late, 14_d);
  CHECK(late.pending().front() == "payment.cancel_requested 0");
}

TEST_CASE("a buyer may act until the time that the terms give") {
  Scenario s;
  s.on_terms(settles);
  CHECK(s.requires_action("https://bank", 86'400) == Said{"payment.action_required 1000", "wait action 86400"});
  CHECK(s.requires_action("https://other", 31'536'000).back() == "wait action 1209600");
}

TEST_CASE("an agreed extra is kept, a minor unit more goes back") {
  const Terms extra{false, 0, 0, 200};
  Scenario s;
  s.on_terms(extra).authorized(1000);
  CHECK(joined(s.captured(1200)) ==
        "payment.captured 1200; payment.session_ended captured; checkout.completed captured 1200; cart.converted paid");
  Scenario more;
  more.on_terms(extra).authorized(1000);
  CHECK(joined(more.captured(1201)) == "payment.captured 1201; payment.refund_requested 1; wait refund 120");
  CHECK(joined(more.refunded(1)) ==
        "payment.refunded 1; payment.session_ended captured; checkout.completed captured 1200; cart.converted paid");
  Scenario at_once;
  at_once.on_terms(extra);
  CHECK(joined(at_once.captured(1200)).ends_with("checkout.completed captured 1200; cart.converted paid"));
  Scenario none;
  none.on_terms(extra).authorized(1000);
  CHECK(joined(none.captured(1000)) == joined(paid));
  Scenario beyond;
  beyond.active(1000);
  CHECK(beyond(CommandType::checkout_complete, CheckoutComplete{1000, true, "sim", "tok", {false, 0, 0, 1001}}) ==
        Said{"!data_invalid"});
  CHECK(
      beyond(CommandType::checkout_complete, CheckoutComplete{1000, true, "sim", "tok", {false, 0, 0, 1000}}).front() ==
      "checkout.started");
}

TEST_CASE("the longest life of a session counts what its terms allow") {
  const Settings settings;
  Scenario plain;
  plain.on_terms({});
  Scenario both;
  both.on_terms({true, 604'800, 1'209'600, 0});
  const auto more = longest_life(settings, *both.session).count - longest_life(settings, *plain.session).count;
  CHECK(more == (22_d).count * 5 / 4);
}
