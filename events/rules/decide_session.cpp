// An open payment session (decisions.md 5, and its rows of 2 and 4): authorizing, canceling, capturing, refunding.
// One ladder per state, guards in the page's order. A: the session's amount; totals so far, never increments.
#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/rules/replies.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace mayfly::events {

namespace {

using State = SessionState;

class SessionLadder {
 public:
  SessionLadder(const Session& session, const Command& command, const Context& context)
      : session_(session),
        command_(command),
        context_(context),
        set_(context.settings),
        before_(session.ledger),
        A(session.amount_minor) {
    d_.next = session.ledger;
  }

  SessionDecision decide() {
    if (const auto* reached = std::get_if<DeadlineReached>(&command_.data)) {
      wait_ended(reached->kind);
    } else if (command_.type == CommandType::cart_cancel) {
      cancel_cart();
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
    if (!says_.currency.empty() && says_.currency != session_.currency.view()) {
      say(rejected(Code::currency_mismatch));
      if (says_.money() > 0) unresolved(says_.money(), currency_of(says_.currency, {}));
      return;
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
    if (command_.type == CommandType::payment_capture_failed) say(rejected(Code::reply_unexpected));
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
    if (says_.status) request_cancel(au());
  }

  void capturing() {
    if (re() > 0) {
      fact(EventType::payment_captured, ca());
      fact(EventType::payment_refunded, re());
      unresolved(re());
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
    if (is_canceled()) {
      say_canceled();
      return unpaid(SessionOutcome::canceled);
    }
    if (const auto* failed = std::get_if<PaymentCaptureFailed>(&command_.data)) return capture_failed(*failed);
    if (is(StatusState::authorized) || is(StatusState::pending)) request_capture();
  }

  void refunding() {
    if (owed(before_.why) <= 0) return settle_refund(before_.why);
    if (ca_raised()) {
      fact(EventType::payment_captured, ca());
      return request_refund(ca() - before_.captured_minor);
    }
    if (d_.next.refunded_minor > before_.refunded_minor) fact(EventType::payment_refunded, re());
  }

  // --- waits that ended ---
  void wait_ended(WaitKind kind) {
    if (kind == WaitKind::capture_retry) return request_capture();
    const auto most = before_.order_placed ? set_.status_tries_order_placed : set_.status_tries;
    if (before_.status_tries < most) return doubt();
    switch (before_.state) {
      case State::authorizing:
        request(EventType::payment_cancel_requested, 0, 0, set_.cancel_wait);
        unresolved(A);
        end(SessionOutcome::unresolved);
        release();
        return close(Why::payment_unknown);
      case State::canceling:
        unresolved(au() > 0 ? au() : A);
        end(SessionOutcome::unresolved);
        return close(before_.why);
      case State::capturing: return unpaid(SessionOutcome::unresolved);
      case State::refunding:
        unresolved(owed(before_.why));
        end(SessionOutcome::unresolved);
        return close(before_.why);
    }
  }
  void doubt() {
    if (!before_.in_doubt) fact(EventType::payment_in_doubt, A);
    d_.next.in_doubt = true;
    const auto last = std::ssize(set_.status_try) - 1;
    const auto length = set_.status_try[std::min<std::ptrdiff_t>(before_.status_tries, last)];
    ++d_.next.status_tries;
    request(EventType::payment_status_requested, A, A, length);
    wait(WaitKind::status_try, length);
  }

  // --- what the rungs do ---
  void void_session(Why why) {
    enter(State::canceling);
    d_.next.why = why;
    request_cancel(au());
    release();
  }
  [[nodiscard]] Minor owed(Why why) const { return ca() - re() - (why == Why::paid ? A : 0); }
  void refund(Why why) {
    enter(State::refunding);
    d_.next.why = why;
    if (owed(why) <= 0) return settle_refund(why);
    request_refund(owed(why));
  }
  void settle_refund(Why why) {
    fact(EventType::payment_refunded, re());
    if (owed(why) < 0) unresolved(-owed(why));
    end(why == Why::paid ? SessionOutcome::captured : SessionOutcome::refunded);
    close(why);
  }
  void close(Why why) {
    if (why == Why::canceled) {
      say(CartCanceled{});
      d_.wait.change = WaitChange::Kind::clear;
    } else if (why == Why::paid) {
      say(CheckoutCompleted{});
      convert(true);
    } else {
      say(CheckoutReopened{why, {}});
      wait(WaitKind::idle, {});  // the cart knows how long
    }
  }
  void unpaid(SessionOutcome outcome) {
    unresolved(A - ca());
    end(outcome);
    convert(false);
  }
  void convert(bool paid) {
    say(CartConverted{paid, session_.number});
    d_.wait.change = WaitChange::Kind::clear;
  }
  void capture_failed(const PaymentCaptureFailed& failed) {
    if (before_.capture_retry_running) return;
    const auto failures = before_.capture_failures + 1;
    if (!failed.retryable || failures > std::ssize(set_.capture_retry)) return unpaid(SessionOutcome::capture_failed);
    d_.next.capture_failures = failures;
    d_.next.capture_retry_running = true;
    wait(WaitKind::capture_retry, set_.capture_retry[failures - 1]);
  }
  void require_action(const PaymentRequiresAction& action) {
    if (action.url == session_.action_url) return;
    auto e = payment(EventType::payment_action_required, A);
    e.url = action.url;
    say(e);
    d_.action_url = action.url;
    const Millis left = std::max(1_s, session_.opened_at + set_.action_total - context_.time);
    const std::int64_t most_s = left.count / 1000 + 1;  // more does not matter, and could not be multiplied
    const Millis asked = action.expires_after_s
                             ? Millis{std::clamp<std::int64_t>(*action.expires_after_s, 0, most_s) * 1000}
                             : set_.action_wait;
    wait(WaitKind::action, std::max(1_s, std::min(asked, left)));
  }
  void enter(State state) {
    d_.next.state = state;
    d_.next.status_tries = 0;
    d_.next.in_doubt = false;
  }
  void place_order() {
    d_.next.order_placed = true;
    say(OrderPlaced{session_.number, reference()});
  }
  void commit_stock() { stock(EventType::inventory_commit_requested); }
  void release() { stock(EventType::inventory_release_requested); }
  void stock(EventType type) { say(InventoryRequested{type, cart_reservation, true, set_.request_answer}); }
  void request_capture() {
    d_.next.capture_retry_running = false;
    request(EventType::payment_capture_requested, A, A, set_.capture_wait);
    wait(WaitKind::capture, set_.capture_wait);
  }
  void request_cancel(Minor amount) {
    request(EventType::payment_cancel_requested, amount, amount, set_.cancel_wait);
    wait(WaitKind::cancel, set_.cancel_wait);
  }
  void request_refund(Minor amount) {
    d_.next.refund_asked_minor = add(d_.next.refund_asked_minor, amount).value_or(std::numeric_limits<Minor>::max());
    request(EventType::payment_refund_requested, amount, d_.next.refund_asked_minor, set_.refund_wait);
    wait(WaitKind::refund, set_.refund_wait);
  }
  void say_declined() {
    auto e = payment(EventType::payment_declined, A);
    const auto* declined = std::get_if<PaymentDeclined>(&command_.data);
    e.reason = declined != nullptr ? declined->reason : name(StatusState::declined);
    say(e);
  }
  void say_canceled() {
    const auto* canceled = std::get_if<PaymentCanceled>(&command_.data);
    fact(EventType::payment_canceled, canceled != nullptr ? canceled->amount_minor : au());
  }
  void end(SessionOutcome outcome) {
    auto e = payment(EventType::payment_session_ended, A);
    e.outcome = outcome;
    say(e);
    d_.next.ended = true;
  }
  void unresolved(Minor amount) { unresolved(amount, session_.currency); }
  void unresolved(Minor amount, Currency currency) {
    auto e = payment(EventType::payment_unresolved, amount);
    e.currency = currency;
    e.with_order = d_.next.order_placed;
    say(e);
    d_.concern = Concern::payment_unresolved;
  }
  void fact(EventType type, Minor amount) { say(payment(type, amount)); }
  void request(EventType type, Minor amount, Minor key_amount, Millis answer_within) {
    auto e = payment(type, amount);
    e.key_amount_minor = key_amount;
    e.answer_within = answer_within;
    say(e);
  }
  [[nodiscard]] PaymentEvent payment(EventType type, Minor amount) const {
    PaymentEvent e{};
    e.type = type;
    e.number = session_.number;
    e.amount_minor = amount;
    e.currency = session_.currency;
    e.reference = reference();
    return e;
  }
  void reject_placed() { say(rejected(Code::order_placed, true)); }
  void say(const Event& event) { d_.events.push_back(event); }
  void wait(WaitKind kind, Millis length) { d_.wait = {WaitChange::Kind::set, kind, length}; }

  [[nodiscard]] Text reference() const { return session_.reference.empty() ? d_.reference : Text{session_.reference}; }
  [[nodiscard]] Minor au() const { return d_.next.authorized_minor; }
  [[nodiscard]] Minor ca() const { return d_.next.captured_minor; }
  [[nodiscard]] Minor re() const { return d_.next.refunded_minor; }
  [[nodiscard]] bool au_raised() const { return au() > before_.authorized_minor; }
  [[nodiscard]] bool ca_raised() const { return ca() > before_.captured_minor; }
  [[nodiscard]] bool is(StatusState state) const { return says_.status == state; }
  [[nodiscard]] bool is_canceled() const {
    return command_.type == CommandType::payment_canceled || is(StatusState::canceled);
  }
  [[nodiscard]] bool is_declined() const {
    return command_.type == CommandType::payment_declined || is(StatusState::declined);
  }

  const Session& session_;
  const Command& command_;
  const Context& context_;
  const Settings& set_;
  const SessionLedger& before_;
  const Minor A;
  Reported says_;
  SessionDecision d_;
};

}  // namespace

SessionDecision decide(const Session& session, const Command& command, const Context& context) {
  return SessionLadder(session, command, context).decide();
}

}  // namespace mayfly::events
