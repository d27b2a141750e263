// Several tenders (decisions.md 5.11): one moves, and is what a session is without them; the others are held.
#include "events/rules/session_rungs.h"
#include "events/text/precondition.h"

namespace mayfly::events {

void SessionRungs::begin_with_tenders() {
  d_.tenders = std::make_shared<Tenders>(*session_.tenders, std::pmr::get_default_resource());
  d_.moving = number_;
  auto& tender = d_.tenders->of(number_);
  tender.reference = session_.reference;
  reference_ = tender.reference;  // the session's own is another one as soon as another tender moves
}

void SessionRungs::keep_moving() {
  if (!d_.tenders) return;
  auto& tender = d_.tenders->of(d_.moving);
  tender.authorized_minor = au();
  tender.captured_minor = ca();
  tender.refunded_minor = re();
}

void SessionRungs::turn_to(int number) {
  if (auto& left = d_.tenders->of(number_); left.reference.empty()) left.reference = reference_;
  keep_moving();
  const auto& tender = d_.tenders->of(number);
  const bool order_placed = d_.next.order_placed;
  d_.next = {};
  d_.next.order_placed = order_placed;
  d_.next.authorized_minor = tender.authorized_minor;
  d_.next.captured_minor = tender.captured_minor;
  d_.next.refunded_minor = tender.refunded_minor;
  d_.moving = number_ = number;
  A = tender.amount_minor;
  reference_ = tender.reference;
}

/// The next tender's session, behind the one that is authorized.
void SessionRungs::open_next() {
  turn_to(number_ + 1);
  auto& tender = d_.tenders->of(number_);
  tender.state = TenderState::open;
  d_.opened_at = context_.time;
  auto opened = payment(EventType::payment_session_opened, A);
  opened.provider = tender.provider;
  opened.next_tender = true;
  auto asked = payment(EventType::payment_authorization_requested, A);
  asked.provider = tender.provider;
  asked.token = tender.token;
  asked.answer_within = set_.authorization_wait;
  asked.key_amount_minor = A;
  say(opened);
  say(asked);
  wait(WaitKind::authorization, set_.authorization_wait);
}

/// Precondition: as much as it shall pay is authorized.
void SessionRungs::tender_authorized() {
  precondition(au() >= A, "tender_authorized: all of it is");
  fact(EventType::payment_authorized, au());
  if (number_ < d_.tenders->last()) return open_next();
  if (auto& last = d_.tenders->of(number_); last.reference.empty()) last.reference = reference_;
  d_.next.order_placed = true;
  OrderPlaced placed{0, {}};
  for (int n = d_.tenders->first; n <= d_.tenders->last(); ++n) {
    const auto& tender = d_.tenders->of(n);
    placed.payments.at(static_cast<std::size_t>(n - d_.tenders->first)) = {n, tender.amount_minor, tender.reference};
  }
  say(placed);
  commit_stock();
  turn_to(d_.tenders->first);
  begin_turn();
}

/// The order is placed, and it is this tender's turn to be captured.
void SessionRungs::begin_turn() {
  if (ca() > 0 || re() > 0) {
    if (captured_enough()) return;
    fact(EventType::payment_captured, ca());
  }
  enter(State::capturing);
  request_capture();
}

/// With an order: the session has ended so, the next one is captured, and behind the last the cart is converted.
void SessionRungs::tender_over(TenderState state) {
  auto& tenders = *d_.tenders;
  tenders.of(number_).state = state;
  if (number_ < tenders.last()) {
    turn_to(number_ + 1);
    return begin_turn();
  }
  const auto is_any = [&](TenderState wanted) {
    return std::any_of(tenders.list.begin(), tenders.list.end(), [=](const auto& t) { return t.state == wanted; });
  };
  const bool unpaid = is_any(TenderState::unpaid);
  if (!unpaid && !is_any(TenderState::returned)) say(CheckoutCompleted{});
  say(CartConverted{!unpaid, tenders.first, tenders.last() - tenders.first});
  d_.wait.change = WaitChange::Kind::clear;
}

/// Without an order: this session has ended, and the newest that is still open is released. False: there is none.
bool SessionRungs::unwind(Why why) {
  d_.tenders->of(number_).state = TenderState::over;
  for (int n = number_ - 1; n >= d_.tenders->first; --n) {
    if (d_.tenders->of(n).state != TenderState::open) continue;
    turn_to(n);
    if (ca() > 0) {
      fact(EventType::payment_captured, ca());
      refund(why);
      return true;
    }
    enter(State::canceling);
    d_.next.why = why;
    request_cancel(au());
    return true;
  }
  return false;
}

/// Behind the one that moved, which has ended: the shopper does not wait for what is given back.
void SessionRungs::abandon_held() {
  if (!d_.tenders) return;
  d_.tenders->of(number_).state = TenderState::over;
  for (int n = number_ - 1; n >= d_.tenders->first; --n) {
    turn_to(n);
    if (ca() == 0) {
      request(EventType::payment_cancel_requested, au(), au(), set_.cancel_wait);
      unresolved(au(), Cause::abandoned);
    } else {
      fact(EventType::payment_captured, ca());
      if (const Minor owed = ca() - re(); owed > 0) {
        request(EventType::payment_refund_requested, owed, owed, set_.refund_wait);
        unresolved(owed, Cause::abandoned);
      }
    }
    end(SessionOutcome::abandoned);
    d_.tenders->of(n).state = TenderState::over;
  }
}

/// A reply about a tender that does not move. Precondition: its session was opened.
void SessionRungs::reply_of_another(int number) {
  auto& tender = d_.tenders->of(number);
  precondition(tender.state != TenderState::waiting, "reply_of_another: its session was opened");
  if (tender.state != TenderState::open) {
    const bool order = before_.order_placed;
    const bool paid = tender.state == TenderState::captured || tender.state == TenderState::returned;
    const Bygone bygone{{}, order, paid, order ? number : 0, number, 0, session_.currency};
    return answer_late_payment(d_, bygone, number, command_, context_);
  }
  if (const auto* disputed = std::get_if<PaymentDisputed>(&command_.data)) {
    return say(disputed_event(*disputed, session_.currency));
  }
  const bool foreign = !says_.currency.empty() && says_.currency != session_.currency.view();
  if (foreign || is_implausible(says_, tender.amount_minor)) {
    say(rejected(foreign ? Code::currency_mismatch : Code::amount_implausible));
    if (says_.money() == 0) return;
    auto e = payment(EventType::payment_unresolved, says_.money());
    e.number = number;
    e.reference = tender.reference;
    if (foreign) e.currency = currency_of(says_.currency, {});
    e.with_order = before_.order_placed;
    d_.concern = Concern::payment_unresolved;
    return say(e);
  }
  SessionLedger totals;
  totals.authorized_minor = tender.authorized_minor;
  totals.captured_minor = tender.captured_minor;
  totals.refunded_minor = tender.refunded_minor;
  raise(totals);
  tender.authorized_minor = totals.authorized_minor;
  tender.captured_minor = totals.captured_minor;
  tender.refunded_minor = totals.refunded_minor;
  if (tender.reference.empty()) tender.reference = says_.reference;
  const bool gone = is_declined() || is_canceled() || is(StatusState::not_found) || tender.refunded_minor > 0;
  if (gone && before_.state == State::authorizing) void_session(Why::payment_canceled);
}

}  // namespace mayfly::events
