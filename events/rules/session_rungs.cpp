// The rungs that set waits by what a reply says (decisions.md 5).
#include "events/rules/session_rungs.h"

namespace mayfly::events {

void SessionRungs::require_action(const PaymentRequiresAction& action) {
  if (action.url == session_.action_url) return;
  auto e = payment(EventType::payment_action_required, A);
  e.url = action.url;
  say(e);
  d_.action_url = action.url;
  if (before_.state == State::settling) return;
  const Millis left = std::max(1_s, session_.opened_at + longest_authorizing() - context_.time);
  const std::int64_t most_s = left.count / 1000 + 1;  // more does not matter, and could not be multiplied
  const Millis asked = action.expires_after_s
                           ? Millis{std::clamp<std::int64_t>(*action.expires_after_s, 0, most_s) * 1000}
                           : set_.action_wait;
  wait(WaitKind::action, std::max(1_s, std::min(asked, left)));
}

void SessionRungs::wait_on(const PaymentPending* pending) {
  const Millis age = context_.time - session_.opened_at;
  if (age >= longest_authorizing()) return void_session(Why::payment_expired);
  const bool takes_days = pending != nullptr || (is(StatusState::pending) && age >= set_.action_total);
  if (settles() && takes_days) return settle(pending);
  d_.next.status_tries = 0;
  const Millis quarter{age.count / 4};
  wait(WaitKind::pending, settles() ? std::max(set_.pending_wait, quarter) : set_.pending_wait);
}

void SessionRungs::settle(const PaymentPending* pending) {
  enter(State::settling);
  d_.next.order_pending = true;
  d_.next.until = session_.opened_at + settles_within();
  if (pending != nullptr && pending->expires_after_s) {
    d_.next.until = std::min(d_.next.until, context_.time + Millis{*pending->expires_after_s * 1000});
  }
  auto e = payment(EventType::payment_pending, A);
  e.expires_at = d_.next.until;
  say(e);
  say(OrderPlaced{session_.number, reference(), d_.next.until});
  wait(WaitKind::settle, settle_wait());
}

void SessionRungs::settle_wait_ended() {
  if (context_.time >= before_.until) return void_session(Why::payment_expired);
  ++d_.next.status_tries;
  const auto length = settle_wait();
  request(EventType::payment_status_requested, A, A, length);
  wait(WaitKind::settle, length);
}

void SessionRungs::begin_to_hold() {
  Millis length{std::int64_t{session_.terms.capture_within_s} * 1000};
  const auto* authorized = std::get_if<PaymentAuthorized>(&command_.data);
  if (authorized != nullptr && authorized->expires_after_s) {
    length = std::min(length, Millis{*authorized->expires_after_s * 1000});
  }
  d_.next.until = context_.time + length;
  hold();
}

void SessionRungs::attempt_failed(const PaymentAttemptFailed& failed) {
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

void SessionRungs::refund_failed(const PaymentRefundFailed& failed) {
  if (before_.refund_retry_running) return;
  const auto failures = before_.refund_failures + 1;
  if (!failed.retryable || failures > std::ssize(limits::refund_retry)) {
    return give_up(owed(before_.why), Cause::refund_failed, SessionOutcome::refund_failed);
  }
  d_.next.refund_failures = failures;
  d_.next.refund_retry_running = true;
  wait(WaitKind::refund_retry, limits::refund_retry[failures - 1]);
}

void SessionRungs::capture_failed(const PaymentCaptureFailed& failed) {
  if (before_.capture_retry_running) return;
  const auto failures = before_.capture_failures + 1;
  if (!failed.retryable || failures > std::ssize(set_.capture_retry)) return unpaid(SessionOutcome::capture_failed);
  d_.next.capture_failures = failures;
  d_.next.capture_retry_running = true;
  wait(WaitKind::capture_retry, set_.capture_retry[failures - 1]);
}

}  // namespace mayfly::events
