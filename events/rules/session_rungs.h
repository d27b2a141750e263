// What the rungs of a session's ladders do (decisions.md 5): facts, requests, waits, and how a session closes. Private
// to events/rules/; the ladders are in decide_session.cpp. A: the session's amount; totals so far, never increments.
#pragma once

#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/rules/replies.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace mayfly::events {

class SessionRungs {
 protected:
  using State = SessionState;

  SessionRungs(const Session& session, const Command& command, const Context& context)
      : session_(session),
        command_(command),
        context_(context),
        set_(context.settings),
        before_(session.ledger),
        A(session.amount_minor) {
    d_.next = session.ledger;
  }

  void doubt() {
    if (!before_.in_doubt) fact(EventType::payment_in_doubt, A);
    d_.next.in_doubt = true;
    const auto last = std::ssize(set_.status_try) - 1;
    const auto length = set_.status_try[std::min<std::ptrdiff_t>(before_.status_tries, last)];
    ++d_.next.status_tries;
    request(EventType::payment_status_requested, A, A, length);
    wait(WaitKind::status_try, length);
    d_.next.asked_since = false;
  }
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
  /// Canceling, refunding: the session ends as it would, and somebody must look.
  void give_up(Minor amount, Cause cause, SessionOutcome outcome) {
    unresolved(amount, cause);
    end(outcome);
    close(before_.why);
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
  void refund_failed(const PaymentRefundFailed& failed) {
    if (before_.refund_retry_running) return;
    const auto failures = before_.refund_failures + 1;
    if (!failed.retryable || failures > std::ssize(limits::refund_retry)) {
      return give_up(owed(before_.why), Cause::refund_failed, SessionOutcome::refund_failed);
    }
    d_.next.refund_failures = failures;
    d_.next.refund_retry_running = true;
    wait(WaitKind::refund_retry, limits::refund_retry[failures - 1]);
  }
  void refund_failed_elsewhere() {
    if (command_.type == CommandType::payment_refund_failed) say(rejected(Code::reply_unexpected));
  }
  void attempt_failed(const PaymentAttemptFailed& failed) {
    const std::int64_t attempt = failed.attempt.value_or(before_.last_attempt + std::int64_t{1});
    if (attempt <= before_.last_attempt || before_.attempts_told >= limits::attempts_told) return;
    if (attempt > limits::attempt_number) return;
    ++d_.next.attempts_told;
    d_.next.last_attempt = static_cast<std::int32_t>(attempt);
    auto e = payment(EventType::payment_attempt_failed, A);
    e.reason = failed.reason;
    e.attempt = attempt;
    say(e);
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
    d_.next.asked_since = false;
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
  // The same request once more: the wait that runs stays, so that the tries come to their end.
  void ask_to_capture_again() {
    request(EventType::payment_capture_requested, A, A, set_.capture_wait);
    d_.next.asked_since = true;
  }
  void ask_to_cancel_again() {
    request(EventType::payment_cancel_requested, au(), au(), set_.cancel_wait);
    d_.next.asked_since = true;
  }
  void request_cancel(Minor amount) {
    request(EventType::payment_cancel_requested, amount, amount, set_.cancel_wait);
    wait(WaitKind::cancel, set_.cancel_wait);
  }
  void request_refund(Minor amount) {
    d_.next.refund_before_minor = before_.refund_asked_minor;
    d_.next.refund_retry_running = false;
    d_.next.refund_asked_minor = add(d_.next.refund_asked_minor, amount).value_or(std::numeric_limits<Minor>::max());
    request(EventType::payment_refund_requested, amount, d_.next.refund_asked_minor, set_.refund_wait);
    wait(WaitKind::refund, set_.refund_wait);
  }
  /// The newest request, under its key.
  void request_refund_again() {
    d_.next.refund_retry_running = false;
    const Minor asked = before_.refund_asked_minor;
    request(EventType::payment_refund_requested, asked - before_.refund_before_minor, asked, set_.refund_wait);
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
  void unresolved(Minor amount, Cause cause = Cause::none) { unresolved(amount, session_.currency, cause); }
  void unresolved(Minor amount, Currency currency, Cause cause = Cause::none) {
    auto e = payment(EventType::payment_unresolved, amount);
    e.currency = currency;
    e.with_order = d_.next.order_placed;
    e.cause = cause;
    say(e);
    if (calls_a_person(cause)) d_.concern = Concern::payment_unresolved;
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
  void wait(WaitKind kind, Millis length) {
    d_.wait = {WaitChange::Kind::set, kind, length};
    d_.next.asked_since = d_.next.status_tries > 0;
  }

  /// Once after each status request: a further answer to it asks nothing.
  [[nodiscard]] bool may_ask_again() const { return before_.status_tries > 0 && !before_.asked_since; }
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

}  // namespace mayfly::events
