// An open payment session (decisions.md 5, and its rows of 2 and 4). One ladder per state, guards in the page's order.
// A: the session's amount; totals so far, never increments.
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
    } else if (const auto* wanted = std::get_if<PaymentCapture>(&command_.data)) {
      capture(*wanted);
    } else if (is_inventory_reply(command_.type)) {
      inventory();
    } else {
      reply();
    }
    keep_moving();
    return std::move(d_);
  }

 private:
  // --- decisions.md 2: cart.cancel while a session is open ---
  void cancel_cart() {
    if (before_.order_placed) return reject_placed();
    if (waits_for_payment()) return void_session(Why::canceled);
    d_.next.why = Why::canceled;  // cart.canceled answers at the end
  }

  // --- the shopper goes back: the cart is free at once, late money goes back (decisions.md 6) ---
  void abandon() {
    if (before_.order_placed || before_.order_pending) return reject_placed();
    switch (before_.state) {
      case State::authorizing:
        request(EventType::payment_cancel_requested, 0, 0, set_.cancel_wait);
        unresolved(A, Cause::abandoned);
        end(SessionOutcome::abandoned);
        abandon_held();
        release();
        return close(Why::abandoned);
      default:
        unresolved(before_.state == State::refunding ? owed(before_.why) : au() > 0 ? au() : A, Cause::abandoned);
        end(SessionOutcome::abandoned);
        abandon_held();
        return close(before_.why);
    }
  }

  // --- payment.capture ---
  void capture(const PaymentCapture& c) {
    if (before_.state == State::capturing) return reject(Code::capture_in_progress);
    if (before_.state != State::holding) return reject(Code::capture_unexpected);
    const Minor total = c.total_minor.value_or(A);
    if (total < ca() || total > A) {
      auto refusal = rejected(Code::amount_out_of_range);
      refusal.total_minor = A;
      return say(refusal);
    }
    if (total == ca() && !c.final) return reject(Code::capture_repeated);
    if (total == ca()) {
      enter(State::canceling);
      d_.next.why = Why::released;
      return request_cancel(held());
    }
    if (before_.captures_asked >= limits::captures_asked) return reject(Code::attempts_exhausted);
    ask_for(total, c.final && total < A);
  }
  [[nodiscard]] bool waits_for_payment() const {
    return before_.state == State::authorizing || before_.state == State::settling;
  }

  // --- decisions.md 4: the newest reservation while a session is open ---
  void inventory() {
    if (command_.type == CommandType::inventory_rejected) {
      if (waits_for_payment()) return void_session(Why::out_of_stock);
      if (!before_.order_placed) return;
      d_.concern = Concern::rejected_after_order;
      return reject_placed();
    }
    if (waits_for_payment() || before_.order_placed) return;
    release();
  }

  // --- decisions.md 5: each reply first ---
  void reply() {
    says_ = reported(command_);
    if (d_.tenders) {
      if (const int n = session_number(says_.session_id); n != session_.number) return reply_of_another(n);
    }
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
    raise(d_.next);
    if (reference_.empty()) d_.reference = reference_ = says_.reference;
    switch (before_.state) {
      case State::authorizing:
      case State::settling: return authorizing();
      case State::canceling: return canceling();
      case State::capturing:
      case State::holding: return capturing();
      case State::refunding: return refunding();
    }
  }
  void authorizing() {
    if (ca() > 0 && (ca() < A || re() > 0)) {
      fact(EventType::payment_captured, ca());
      release();
      return refund(Why::payment_short);
    }
    if (d_.tenders && au() >= A) return tender_authorized();
    if (ca() >= A) {
      fact(EventType::payment_authorized, au());
      place_order();
      commit_stock();
      fact(EventType::payment_captured, ca());
      if (ca() > most()) return refund(Why::paid);
      end(SessionOutcome::captured);
      return close(Why::paid);
    }
    if (au() >= A) {
      fact(EventType::payment_authorized, au());
      place_order();
      if (session_.terms.on_command) {
        commit_stock();
        return begin_to_hold();
      }
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
    const auto* pending = std::get_if<PaymentPending>(&command_.data);
    if (says_.status || pending != nullptr) {
      if (before_.state == State::authorizing) wait_on(pending);
      return;
    }
    if (const auto* failed = std::get_if<PaymentAttemptFailed>(&command_.data)) return attempt_failed(*failed);
    if (command_.type == CommandType::payment_capture_failed) return say(rejected(Code::reply_unexpected));
    refund_failed_elsewhere();
  }

  void canceling() {
    if (ca_raised()) {
      fact(EventType::payment_captured, ca());
      if (!releasing() || ca() == au()) refund(before_.why);
      return;
    }
    if (au_raised()) {
      fact(EventType::payment_authorized, au());
      return request_cancel(held());
    }
    const auto* canceled = std::get_if<PaymentCanceled>(&command_.data);
    if (canceled != nullptr && canceled->amount_minor < held()) return;
    if (is_canceled() || is(StatusState::not_found)) {
      say_canceled();
      if (releasing()) return released(SessionOutcome::canceled);
      end(SessionOutcome::canceled);
      return close(before_.why);
    }
    if (is_declined() && (releasing() || au() == 0)) {
      say_declined();
      if (releasing()) return released(SessionOutcome::declined);
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
    if (captured_enough()) return;
    if (const auto* captured = std::get_if<PaymentCaptured>(&command_.data); captured && captured->final) {
      fact(EventType::payment_captured, ca());
      return unpaid(SessionOutcome::capture_failed);
    }
    if (ca_raised()) return captured_in_part();
    if (is_declined()) {
      say_declined();
      return unpaid(SessionOutcome::declined);
    }
    if (is_canceled() || is(StatusState::not_found)) {
      say_canceled();
      return unpaid(SessionOutcome::canceled);
    }
    if (before_.state == State::holding) {
      if (command_.type == CommandType::payment_capture_failed) return reject(Code::reply_unexpected);
      return refund_failed_elsewhere();
    }
    if (const auto* failed = std::get_if<PaymentCaptureFailed>(&command_.data)) return capture_failed(*failed);
    if (is(StatusState::authorized) || is(StatusState::captured)) {
      if (may_ask_again()) ask_to_capture_again();
      return;
    }
    refund_failed_elsewhere();
  }

  void captured_in_part() {
    fact(EventType::payment_captured, ca());
    if (before_.state == State::holding) {
      d_.next.capture_total_minor = ca();  // somebody else asked for it
    } else if (ca() >= total_asked()) {
      hold();
    }
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
    if (before_.state == State::settling) return settle_wait_ended();
    if (before_.state == State::holding) return unpaid(SessionOutcome::capture_expired);
    const auto most = before_.order_placed ? set_.status_tries_order_placed : set_.status_tries;
    if (before_.status_tries < most) return doubt();
    switch (before_.state) {
      case State::authorizing:
        request(EventType::payment_cancel_requested, 0, 0, set_.cancel_wait);
        unresolved(A);
        end(SessionOutcome::unresolved);
        release();
        return close(Why::payment_unknown);
      case State::canceling: say_refunded(); return give_up(may_be_held(), Cause::none, SessionOutcome::unresolved);
      case State::refunding: return give_up(owed(before_.why), Cause::none, SessionOutcome::unresolved);
      default: return unpaid(SessionOutcome::unresolved);
    }
  }
  [[nodiscard]] Minor may_be_held() const {
    if (releasing()) return held() + std::max<Minor>(0, owed(Why::released));
    return au() > 0 ? au() : A;
  }
};

}  // namespace

SessionDecision decide(const Session& session, const Command& command, const Context& context) {
  return SessionLadder(session, command, context).decide();
}

}  // namespace mayfly::events
