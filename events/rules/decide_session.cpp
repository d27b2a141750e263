// An open payment session (decisions.md 5, and its rows of 2 and 4): authorizing, canceling, capturing, refunding.
// One ladder per state, guards in the page's order. A: the session's amount; totals so far, never increments.
#include "events/rules/session_rungs.h"

namespace mayfly::events {

namespace {

class SessionLadder : SessionRungs {
 public:
  SessionLadder(const Session& session, const Command& command, const Context& context)
      : SessionRungs(session, command, context) {}

  SessionDecision decide() {
    if (const auto* reached = std::get_if<DeadlineReached>(&command_.data)) {
      wait_ended(reached->kind);
    } else if (command_.type == CommandType::cart_cancel) {
      cancel_cart();
    } else if (command_.type == CommandType::checkout_abandon) {
      abandon();
    } else if (is_inventory_reply(command_.type)) {
      inventory();
    } else {
      reply();
    }
    return std::move(d_);
  }

 private:
  // --- decisions.md 2: cart.cancel while a session is open ---
  void cancel_cart() {
    if (before_.order_placed) return reject_placed();
    if (before_.state == State::authorizing) return void_session(Why::canceled);
    d_.next.why = Why::canceled;  // cart.canceled answers at the end
  }

  // --- the shopper goes back: the cart is free at once, late money goes back (decisions.md 6) ---
  void abandon() {
    if (before_.order_placed) return reject_placed();
    switch (before_.state) {
      case State::authorizing:
        request(EventType::payment_cancel_requested, 0, 0, set_.cancel_wait);
        unresolved(A, Cause::abandoned);
        end(SessionOutcome::abandoned);
        release();
        return close(Why::abandoned);
      case State::refunding: return give_up(owed(before_.why), Cause::abandoned, SessionOutcome::abandoned);
      case State::canceling:
      case State::capturing: return give_up(au() > 0 ? au() : A, Cause::abandoned, SessionOutcome::abandoned);
    }
  }

  // --- decisions.md 4: the newest reservation while a session is open ---
  void inventory() {
    const bool waits_for_payment = before_.state == State::authorizing;
    if (command_.type == CommandType::inventory_rejected) {
      if (waits_for_payment) return void_session(Why::out_of_stock);
      if (!before_.order_placed) return;
      d_.concern = Concern::rejected_after_order;
      return reject_placed();
    }
    if (waits_for_payment || before_.order_placed) return;
    release();
  }

  // --- decisions.md 5: each reply first ---
  void reply() {
    says_ = reported(command_);
    if (const auto* disputed = std::get_if<PaymentDisputed>(&command_.data)) {
      return say(disputed_event(*disputed, session_.currency));
    }
    if (!says_.currency.empty() && says_.currency != session_.currency.view()) {
      say(rejected(Code::currency_mismatch));
      if (says_.money() > 0) unresolved(says_.money(), currency_of(says_.currency, {}));
      return;
    }
    if (is_implausible(says_, A)) {
      say(rejected(Code::amount_implausible));
      return unresolved(says_.money());
    }
    raise();
    switch (before_.state) {
      case State::authorizing: return authorizing();
      case State::canceling: return canceling();
      case State::capturing: return capturing();
      case State::refunding: return refunding();
    }
  }
  void raise() {
    auto& l = d_.next;
    const bool no_money_held = is(StatusState::declined) || is(StatusState::canceled) || is(StatusState::not_found);
    if (says_.authorized && !no_money_held) l.authorized_minor = std::max(l.authorized_minor, *says_.authorized);
    if (says_.captured) l.captured_minor = std::max(l.captured_minor, *says_.captured);
    if (says_.refunded) l.refunded_minor = std::max(l.refunded_minor, *says_.refunded);
    l.captured_minor = std::max(l.captured_minor, l.refunded_minor);
    l.authorized_minor = std::max(l.authorized_minor, l.captured_minor);
    if (session_.reference.empty()) d_.reference = says_.reference;
  }

  void authorizing() {
    if (ca() > 0 && (ca() < A || re() > 0)) {
      fact(EventType::payment_captured, ca());
      release();
      return refund(Why::payment_short);
    }
    if (ca() >= A) {
      fact(EventType::payment_authorized, au());
      place_order();
      commit_stock();
      fact(EventType::payment_captured, ca());
      if (ca() > A) return refund(Why::paid);
      end(SessionOutcome::captured);
      return close(Why::paid);
    }
    if (au() >= A) {
      fact(EventType::payment_authorized, au());
      place_order();
      enter(State::capturing);
      request_capture();
      return commit_stock();
    }
    if (au_raised()) {
      fact(EventType::payment_authorized, au());
      return void_session(Why::partial_authorization);
    }
    if (is_declined()) {
      say_declined();
      end(SessionOutcome::declined);
      release();
      return close(Why::payment_declined);
    }
    if (is_canceled() || is(StatusState::not_found)) {
      say_canceled();
      end(SessionOutcome::canceled);
      release();
      return close(Why::payment_canceled);
    }
    if (const auto* action = std::get_if<PaymentRequiresAction>(&command_.data)) return require_action(*action);
    if (says_.status) {
      if (context_.time - session_.opened_at >= set_.action_total) return void_session(Why::payment_expired);
      d_.next.status_tries = 0;
      return wait(WaitKind::pending, set_.pending_wait);
    }
    if (const auto* failed = std::get_if<PaymentAttemptFailed>(&command_.data)) return attempt_failed(*failed);
    if (command_.type == CommandType::payment_capture_failed) return say(rejected(Code::reply_unexpected));
    refund_failed_elsewhere();
  }

  void canceling() {
    if (ca_raised()) {
      fact(EventType::payment_captured, ca());
      return refund(before_.why);
    }
    if (au_raised()) {
      fact(EventType::payment_authorized, au());
      return request_cancel(au());
    }
    if (const auto* canceled = std::get_if<PaymentCanceled>(&command_.data); canceled && canceled->amount_minor < au())
      return;
    if (is_canceled() || is(StatusState::not_found)) {
      say_canceled();
      end(SessionOutcome::canceled);
      return close(before_.why);
    }
    if (is_declined() && au() == 0) {
      say_declined();
      end(SessionOutcome::declined);
      return close(before_.why);
    }
    if (says_.status) {
      if (may_ask_again()) ask_to_cancel_again();
      return;
    }
    refund_failed_elsewhere();
  }

  void capturing() {
    if (re() > 0) {
      fact(EventType::payment_captured, ca());
      fact(EventType::payment_refunded, re());
      unresolved(re() + std::max<Minor>(0, A - ca()));
      end(SessionOutcome::refunded);
      return convert(true);
    }
    if (ca() > A) {
      fact(EventType::payment_captured, ca());
      return refund(Why::paid);
    }
    if (ca() == A) {
      fact(EventType::payment_captured, ca());
      end(SessionOutcome::captured);
      return close(Why::paid);
    }
    if (ca_raised()) return fact(EventType::payment_captured, ca());
    if (is_declined()) {
      say_declined();
      return unpaid(SessionOutcome::declined);
    }
    if (is_canceled() || is(StatusState::not_found)) {
      say_canceled();
      return unpaid(SessionOutcome::canceled);
    }
    if (const auto* failed = std::get_if<PaymentCaptureFailed>(&command_.data)) return capture_failed(*failed);
    if (is(StatusState::authorized) || is(StatusState::captured)) {
      if (may_ask_again()) ask_to_capture_again();
      return;
    }
    refund_failed_elsewhere();
  }

  void refunding() {
    if (owed(before_.why) <= 0) return settle_refund(before_.why);
    if (ca_raised()) {
      fact(EventType::payment_captured, ca());
      return request_refund(ca() - before_.captured_minor);
    }
    if (d_.next.refunded_minor > before_.refunded_minor) return fact(EventType::payment_refunded, re());
    if (const auto* failed = std::get_if<PaymentRefundFailed>(&command_.data)) return refund_failed(*failed);
    if (is(StatusState::refund_pending)) {
      give_up(owed(before_.why), Cause::refund_pending, SessionOutcome::refund_pending);
    }
  }

  // --- waits that ended ---
  void wait_ended(WaitKind kind) {
    if (kind == WaitKind::capture_retry) return request_capture();
    if (kind == WaitKind::refund_retry) return request_refund_again();
    const auto most = before_.order_placed ? set_.status_tries_order_placed : set_.status_tries;
    if (before_.status_tries < most) return doubt();
    switch (before_.state) {
      case State::authorizing:
        request(EventType::payment_cancel_requested, 0, 0, set_.cancel_wait);
        unresolved(A);
        end(SessionOutcome::unresolved);
        release();
        return close(Why::payment_unknown);
      case State::canceling: return give_up(au() > 0 ? au() : A, Cause::none, SessionOutcome::unresolved);
      case State::capturing: return unpaid(SessionOutcome::unresolved);
      case State::refunding: return give_up(owed(before_.why), Cause::none, SessionOutcome::unresolved);
    }
  }
};

}  // namespace

SessionDecision decide(const Session& session, const Command& command, const Context& context) {
  return SessionLadder(session, command, context).decide();
}

}  // namespace mayfly::events
