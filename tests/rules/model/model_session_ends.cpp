// A session that is abandoned, refunds and attempts that fail, disputes (decisions.md 2.12, 5 and 6).
#include "rules/model/model.h"

namespace mayfly::model {

// Canceling, refunding: ends the session as it would have closed.
void Model::give_up(LiveCart& cart, const Step& step, std::int64_t amount, const std::string& cause,
                    const std::string& outcome) {
  const std::string why = cart.session->why;
  unresolved(cart, step, amount, cause);
  session_ended(cart, step, outcome);
  close(cart, step, why);
}

void Model::abandon(LiveCart& cart, const Step& step) {
  OpenSession* s = cart.session ? &*cart.session : nullptr;
  if (guard("abandon: order placed", s != nullptr && s->order_placed())) {
    return refuse_with_order(&cart, step, "order_placed");
  }
  if (guard("abandon: order pending", s != nullptr && s->order_pending)) {
    return refuse_with_order(&cart, step, "order_placed");
  }
  if (guard("abandon: reserving", s == nullptr)) {
    stock(&cart, step, "inventory.release_requested", cart.reservations, numbers_["request_answer"]);
    return reopen(cart, step, "abandoned", {});
  }
  if (guard("abandon: authorizing", s->state == "authorizing")) {
    fact(cart, step, "payment.cancel_requested", 0).number("within", numbers_["cancel_wait"]).number("key", 0);
    unresolved(cart, step, s->A, "abandoned");
    session_ended(cart, step, "abandoned");
    stock(&cart, step, "inventory.release_requested", cart.reservations, numbers_["request_answer"]);
    return close(cart, step, "abandoned");
  }
  if (guard("abandon: refunding", s->state == "refunding")) {
    return give_up(cart, step, owed(*s), "abandoned", "abandoned");
  }
  const bool nothing_authorized = guard("abandon: canceling, au is 0", s->au == 0);
  give_up(cart, step, nothing_authorized ? s->A : s->au, "abandoned", "abandoned");
}

void Model::disputed(LiveCart* cart, const Step& step, const std::string& known_currency) {
  std::string currency = step.currency.empty() ? known_currency : in_force(step.currency) ? step.currency : "XXX";
  say(cart, step, "payment.disputed")
      .text("session", step.session_id)
      .number("amount", step.amount_minor)
      .text("currency", currency)
      .text("ref", step.reference)
      .text("reason", step.reason)
      .text("dispute", step.state);
}

void Model::declined(LiveCart& cart, const Step& step) {
  fact(cart, step, "payment.declined", cart.session->A)
      .text("reason", step.type == "payment.status" ? "declined" : step.reason);
}

void Model::refund_failed(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  if (guard("5.refunding refund_failed: retry running", cart.wait.kind == "refund_retry")) return;
  ++s.refund_failures;
  if (guard("5.refunding refund_failed: not retryable", !step.retryable) ||
      guard("5.refunding refund_failed: third", s.refund_failures == 3)) {
    return give_up(cart, step, owed(s), "refund_failed", "refund_failed");
  }
  set_wait(cart, step, "refund_retry", s.refund_failures == 1 ? 300'000 : 3'600'000);
}

void Model::attempt_failed(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  const bool given = guard("attempt is given", step.attempt.has_value());
  const std::int64_t attempt = given ? *step.attempt : s.newest_attempt + 1;
  if (guard("attempt: not above the last told", attempt <= s.newest_attempt)) return;
  if (guard("attempt: 32 told", s.attempts_told == 32)) return;
  if (guard("attempt: beyond 1,000,000", attempt > 1'000'000)) return;
  ++s.attempts_told;
  s.newest_attempt = attempt;
  fact(cart, step, "payment.attempt_failed", s.A).text("reason", step.reason).number("attempt", attempt);
}

}  // namespace mayfly::model
