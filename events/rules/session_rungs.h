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
        A(session.amount_minor),
        number_(session.number),
        reference_(session.reference) {
    d_.next = session.ledger;
    if (session.tenders) begin_with_tenders();
  }

  // --- several tenders (decisions.md 5.11): tender_rungs.cpp ---
  void begin_with_tenders();
  /// Whose events, amounts and totals are meant from here on. The totals of the one before stay in its tender.
  void turn_to(int number);
  void open_next();
  void tender_authorized();
  void tender_over(TenderState);
  bool unwind(Why);
  void abandon_held();
  void reply_of_another(int number);
  void begin_turn();
  void keep_moving();

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
  /// What has to be given back: what was captured and not refunded, less what the order may keep.
  [[nodiscard]] Minor owed(Why why) const {
    const Minor kept = why == Why::paid ? most() : why == Why::released ? total_asked() : 0;
    return ca() - re() - kept;
  }
  void refund(Why why) {
    enter(State::refunding);
    d_.next.why = why;
    if (owed(why) <= 0) return settle_refund(why);
    request_refund(owed(why));
  }
  void settle_refund(Why why) {
    fact(EventType::payment_refunded, re());
    if (owed(why) < 0) unresolved(-owed(why));
    const bool paid = why == Why::paid || (why == Why::released && ca() > re());
    end(paid ? SessionOutcome::captured : SessionOutcome::refunded);
    close(why);
  }
  void close(Why why) {
    if (d_.tenders && d_.next.order_placed) return tender_over(TenderState::captured);
    if (d_.tenders && unwind(why)) return;
    if (before_.order_pending && !d_.next.order_placed) {
      say(OrderCanceled{why});
      say(CartCanceled{});
      d_.wait.change = WaitChange::Kind::clear;
    } else if (why == Why::canceled) {
      say(CartCanceled{});
      d_.wait.change = WaitChange::Kind::clear;
    } else if (why == Why::paid) {
      complete();
    } else if (why == Why::released) {
      close_released();
    } else {
      say(CheckoutReopened{why, {}});
      wait(WaitKind::idle, {});  // the cart knows how long
    }
  }
  void complete() {
    CheckoutCompleted completed;
    const Minor kept = std::min(ca() - re(), most());
    if (session_.terms.any() && kept != A) completed.captured_minor = kept;
    say(completed);
    convert(true);
  }
  /// Nothing more will be captured: what was is the order's, and if nothing was there is no order.
  void close_released() {
    if (ca() > re()) return complete();
    say(OrderCanceled{Why::released});
    say(CartConverted{false, 0});  // it is no order's session: late money goes back
    d_.wait.change = WaitChange::Kind::clear;
  }
  /// canceling(released): nothing is held any more.
  void released(SessionOutcome outcome) {
    if (owed(Why::released) > 0) return refund(Why::released);
    say_refunded();
    end(ca() > re() ? SessionOutcome::captured : outcome);
    close(Why::released);
  }
  /// Of what the order was to keep: nobody asked for it back, and no event has told it.
  void say_refunded() {
    if (re() > 0) fact(EventType::payment_refunded, re());
  }
  /// Canceling, refunding: the session ends as it would, and somebody must look.
  void give_up(Minor amount, Cause cause, SessionOutcome outcome) {
    unresolved(amount, cause);
    end(outcome);
    close(before_.why);
  }
  void unpaid(SessionOutcome outcome) {
    unresolved(due() - ca());
    end(outcome);
    if (d_.tenders) return tender_over(TenderState::unpaid);
    convert(false);
  }
  /// Capturing: what was captured, or given back, decides.
  bool captured_enough() {
    if (re() > 0) {
      fact(EventType::payment_captured, ca());
      fact(EventType::payment_refunded, re());
      unresolved(re() + std::max<Minor>(0, due() - ca()));
      end(SessionOutcome::refunded);
      d_.tenders ? tender_over(TenderState::returned) : convert(true);
    } else if (ca() > most()) {
      fact(EventType::payment_captured, ca());
      refund(Why::paid);
    } else if (ca() >= due()) {
      fact(EventType::payment_captured, ca());
      end(SessionOutcome::captured);
      close(Why::paid);
    } else {
      return false;
    }
    return true;
  }
  void raise(SessionLedger& l) const {
    const bool no_money_held = is(StatusState::declined) || is(StatusState::canceled) || is(StatusState::not_found);
    if (says_.authorized && !no_money_held) l.authorized_minor = std::max(l.authorized_minor, *says_.authorized);
    if (says_.captured) l.captured_minor = std::max(l.captured_minor, *says_.captured);
    if (says_.refunded) l.refunded_minor = std::max(l.refunded_minor, *says_.refunded);
    l.captured_minor = std::max(l.captured_minor, l.refunded_minor);
    l.authorized_minor = std::max(l.authorized_minor, l.captured_minor);
  }
  void convert(bool paid) {
    say(CartConverted{paid, session_.number});
    d_.wait.change = WaitChange::Kind::clear;
  }
  void capture_failed(const PaymentCaptureFailed& failed);
  void refund_failed(const PaymentRefundFailed& failed);
  void refund_failed_elsewhere() {
    if (command_.type == CommandType::payment_refund_failed) say(rejected(Code::reply_unexpected));
  }
  void attempt_failed(const PaymentAttemptFailed& failed);
  void require_action(const PaymentRequiresAction& action);
  void enter(State state) {
    d_.next.state = state;
    d_.next.status_tries = 0;
    d_.next.asked_since = false;
    d_.next.in_doubt = false;
  }
  /// How long a session may stay in authorizing: until S where it may settle later.
  [[nodiscard]] Millis longest_authorizing() const { return settles() ? settles_within() : set_.action_total; }
  [[nodiscard]] bool settles() const { return session_.terms.settles_within_s > 0; }
  [[nodiscard]] Millis settles_within() const { return {std::int64_t{session_.terms.settles_within_s} * 1000}; }
  /// The payment is not decided yet.
  void wait_on(const PaymentPending* pending);
  void settle(const PaymentPending* pending);
  [[nodiscard]] Millis settle_wait() const {
    const auto last = std::ssize(limits::settle_try) - 1;
    const auto length = limits::settle_try[std::min<std::ptrdiff_t>(d_.next.status_tries, last)];
    return std::max(1_s, std::min(length, d_.next.until - context_.time));
  }
  void settle_wait_ended();
  /// The order is placed; its money waits for payment.capture.
  void hold() {
    enter(State::holding);
    d_.next.capture_total_minor = ca();
    wait(WaitKind::hold, std::max(1_s, d_.next.until - context_.time));
  }
  void begin_to_hold();
  /// payment.capture while nothing is being captured.
  void ask_for(Minor total, bool final) {
    d_.next.capture_total_minor = total;
    d_.next.capture_from_minor = ca();
    d_.next.final_asked = final;
    d_.next.capture_failures = 0;
    ++d_.next.captures_asked;
    enter(State::capturing);
    request_capture();
  }
  void place_order() {
    d_.next.order_placed = true;
    d_.next.order_pending = false;
    say(OrderPlaced{session_.number, reference()});
  }
  void commit_stock() { stock(EventType::inventory_commit_requested); }
  void release() { stock(EventType::inventory_release_requested); }
  void stock(EventType type) { say(InventoryRequested{type, cart_reservation, true, set_.request_answer}); }
  void request_capture() {
    d_.next.capture_retry_running = false;
    say_capture_requested();
    wait(WaitKind::capture, set_.capture_wait);
  }
  /// One key, one amount: what was asked for when it was asked first.
  void say_capture_requested() {
    const bool commanded = session_.terms.on_command;
    auto e = payment(EventType::payment_capture_requested, commanded ? total_asked() - d_.next.capture_from_minor : A);
    e.key_amount_minor = total_asked();
    e.answer_within = set_.capture_wait;
    e.final = d_.next.final_asked;
    say(e);
  }
  // The same request once more: the wait that runs stays, so that the tries come to their end.
  void ask_to_capture_again() {
    say_capture_requested();
    d_.next.asked_since = true;
  }
  void ask_to_cancel_again() {
    request(EventType::payment_cancel_requested, held(), held(), set_.cancel_wait);
    d_.next.asked_since = true;
  }
  void request_cancel(Minor amount) {
    request(EventType::payment_cancel_requested, amount, amount, set_.cancel_wait);
    wait(WaitKind::cancel, set_.cancel_wait);
  }
  void request_refund(Minor amount) {
    d_.next.refund_before_minor = d_.next.refund_asked_minor;
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
    fact(EventType::payment_canceled, canceled != nullptr ? canceled->amount_minor : held());
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
    e.number = number_;
    e.amount_minor = amount;
    e.currency = session_.currency;
    e.reference = reference();
    return e;
  }
  void reject_placed() { say(rejected(Code::order_placed, true)); }
  void reject(Code code) { say(rejected(code)); }
  void say(const Event& event) { d_.events.push_back(event); }
  void wait(WaitKind kind, Millis length) {
    d_.wait = {WaitChange::Kind::set, kind, length};
    d_.next.asked_since = d_.next.status_tries > 0;
  }

  /// Once after each status request: a further answer to it asks nothing.
  [[nodiscard]] bool may_ask_again() const { return before_.status_tries > 0 && !before_.asked_since; }
  [[nodiscard]] Text reference() const { return reference_; }
  [[nodiscard]] Minor au() const { return d_.next.authorized_minor; }
  [[nodiscard]] Minor ca() const { return d_.next.captured_minor; }
  [[nodiscard]] Minor re() const { return d_.next.refunded_minor; }
  /// T: all that was asked to be captured.
  [[nodiscard]] Minor total_asked() const { return session_.terms.on_command ? d_.next.capture_total_minor : A; }
  /// D: what has to be captured for the order to be paid.
  [[nodiscard]] Minor due() const { return d_.next.final_asked ? d_.next.capture_total_minor : A; }
  /// D + X: what the order may keep.
  [[nodiscard]] Minor most() const { return due() + session_.terms.extra_up_to_minor; }
  /// What a cancel has to release.
  [[nodiscard]] Minor held() const { return au() - (releasing() ? ca() : 0); }
  [[nodiscard]] bool releasing() const { return d_.next.state == State::canceling && d_.next.why == Why::released; }
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
  Minor A;
  int number_;
  Text reference_;
  Reported says_;
  SessionDecision d_;
};

}  // namespace mayfly::events
