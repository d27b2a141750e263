// Section 5 of decisions.md: payment sessions.
#include "rules/model/model.h"

#include <algorithm>

namespace mayfly::model {

// What a session says: facts and requests carry its number, an amount, its currency and its reference.
Said Model::fact(LiveCart& cart, const Step& step, const std::string& type, std::int64_t amount) {
  Said said = say(&cart, step, type);
  said.number("n", cart.session->number).number("amount", amount).text("currency", cart.currency);
  said.text("ref", cart.session->reference);
  return said;
}

// The total that the reply says; a status says none: all that was authorized.
void Model::canceled(LiveCart& cart, const Step& step) {
  fact(cart, step, "payment.canceled", step.type == "payment.canceled" ? step.amount_minor : cart.session->au);
}

// A request sets the wait of its name; the pair (length, key amount) goes out with it.
void Model::request(LiveCart& cart, const Step& step, const std::string& type, std::int64_t amount,
                    std::int64_t key_amount, const std::string& wait) {
  const std::int64_t length = numbers_[wait + "_wait"];
  fact(cart, step, type, amount).number("within", length).number("key", key_amount);
  set_wait(cart, step, wait, length);
}

void Model::enter(LiveCart& cart, const std::string& state, const std::string& why) {
  cart.session->state = state;
  cart.session->why = why;
  cart.session->tries = 0;
  cart.session->doubted = false;
}

void Model::open_session(LiveCart& cart, const Step& step) {
  OpenSession session;
  session.number = ++cart.sessions;
  session.A = total(cart.lines, cart.adjustments);
  session.opened_at = step.time;
  session.state = "authorizing";
  session.provider = cart.provider;
  session.terms = cart.terms;
  session.T = session.request = session.terms.on_command ? 0 : session.A;
  cart.session = session;
  fact(cart, step, "payment.session_opened", session.A).text("provider", cart.provider);
  fact(cart, step, "payment.authorization_requested", session.A)
      .text("provider", cart.provider)
      .text("token", cart.token)
      .flag("on_command", cart.terms.on_command)
      .number("capture_within", cart.terms.capture_within_s)
      .number("settles_within", cart.terms.settles_within_s)
      .number("extra", cart.terms.extra)
      .number("within", numbers_["authorization_wait"])
      .number("key", session.A);
  set_wait(cart, step, "authorization", numbers_["authorization_wait"]);
  cart.token.clear();
}

void Model::void_session(LiveCart& cart, const Step& step, const std::string& why) {
  request(cart, step, "payment.cancel_requested", cart.session->au, cart.session->au, "cancel");
  stock(&cart, step, "inventory.release_requested", cart.reservations, numbers_["request_answer"]);
  enter(cart, "canceling", why);
}

std::int64_t owed(const OpenSession& s) {
  if (s.why == "paid") return s.ca - s.re - s.most();
  if (s.why == "released") return s.ca - s.re - s.T;
  return s.ca - s.re;
}

void Model::refund(LiveCart& cart, const Step& step, const std::string& why) {
  enter(cart, "refunding", why);
  const std::int64_t back = owed(*cart.session);
  if (guard("5 REFUND owed > 0", back > 0)) {
    cart.session->asked_back = back;
    cart.session->newest_refund = back;
    return request(cart, step, "payment.refund_requested", back, back, "refund");
  }
  refund_is_done(cart, step);
}

void Model::refund_is_done(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  fact(cart, step, "payment.refunded", s.re);
  if (guard("5.refunding owed < 0", owed(s) < 0)) unresolved(cart, step, -owed(s));
  const bool paid =
      guard("5.refunding done: why is paid", s.why == "paid") ||
      guard("5.refunding done: why is released, and something is kept", s.why == "released" && s.ca > s.re);
  session_ended(cart, step, paid ? "captured" : "refunded");
  close(cart, step, s.why);
}

void Model::doubt(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  if (guard("5 DOUBT first in this state", !s.doubted)) fact(cart, step, "payment.in_doubt", s.A);
  s.doubted = true;
  ++s.tries;
  const std::int64_t length = numbers_["status_try_" + std::to_string(std::min(s.tries, 4))];
  fact(cart, step, "payment.status_requested", s.A).number("within", length).number("key", s.A);
  set_wait(cart, step, "status_try", length);
  s.asked_since_query = false;
}

// A status try runs and nothing was asked again since its payment.status_requested.
bool Model::once_a_query(LiveCart& cart) {
  const bool runs = guard("5 once a query: a status try runs", cart.wait.kind == "status_try");
  if (!runs || guard("5 once a query: asked again since", cart.session->asked_since_query)) return false;
  cart.session->asked_since_query = true;
  return true;
}

bool Model::tries_left(LiveCart& cart) {
  const bool order = guard("5 tries: order placed", cart.session->order_placed());
  return cart.session->tries < numbers_[order ? "status_tries_order_placed" : "status_tries"];
}

void Model::session_ended(LiveCart& cart, const Step& step, const std::string& outcome) {
  coverage_.produced("outcome", outcome);
  fact(cart, step, "payment.session_ended", cart.session->A).text("outcome", outcome);
}

void Model::unresolved(LiveCart& cart, const Step& step, std::int64_t amount, const std::string& cause) {
  if (!cause.empty()) coverage_.produced("cause", cause);
  fact(cart, step, "payment.unresolved", amount).flag("order", cart.session->order_placed()).text("cause", cause);
  const bool listed_only = cause == "abandoned" || cause == "refund_pending";
  if (!listed_only) alert("unresolved");
}

void Model::close(LiveCart& cart, const Step& step, const std::string& why) {
  if (guard("5 CLOSE order pending", cart.session->order_pending)) {
    say(&cart, step, "order.canceled").text("why", why);
    say(&cart, step, "cart.canceled");
    return end(cart, step, "canceled", 0);
  }
  if (guard("5 CLOSE(released)", why == "released")) {
    if (guard("5 CLOSE(released): something is kept", cart.session->ca > cart.session->re)) return complete(cart, step);
    say(&cart, step, "order.canceled").text("why", why);
    say(&cart, step, "cart.converted").text("as", "converted unpaid").number("w", 0);
    return end(cart, step, "converted unpaid", 0);
  }
  if (guard("5 CLOSE(canceled)", why == "canceled")) {
    say(&cart, step, "cart.canceled");
    return end(cart, step, "canceled", 0);
  }
  if (guard("5 CLOSE(paid)", why == "paid")) return complete(cart, step);
  reopen(cart, step, why, {});
}

void Model::unpaid(LiveCart& cart, const Step& step, const std::string& outcome) {
  const int W = cart.session->number;
  unresolved(cart, step, cart.session->D() - cart.session->ca);
  session_ended(cart, step, outcome);
  say(&cart, step, "cart.converted").text("as", "converted unpaid").number("w", W);
  end(cart, step, "converted unpaid", W);
}

void Model::payment(LiveCart& cart, const Step& step) {
  const std::int64_t n = number_of(step.session_id, cart.id, "-p");
  if (!cart.session || n != cart.session->number) return late_payment(&cart, step, nullptr);
  OpenSession& s = *cart.session;
  if (guard("5 disputed", step.type == "payment.disputed")) return disputed(&cart, step, cart.currency);
  if (guard("5 currency given, not the session's", !step.currency.empty() && step.currency != cart.currency)) {
    refuse(&cart, step, "currency_mismatch");
    if (guard("5 other currency: reports money", money(step) > 0)) {
      say(&cart, step, "payment.unresolved")
          .number("n", s.number)
          .number("amount", money(step))
          .text("currency", in_force(step.currency) ? step.currency : "XXX")
          .text("ref", s.reference)
          .flag("order", s.order_placed());
      alert("unresolved");
    }
    return;
  }
  const std::int64_t implausible = 10 * (guard("5 A below 100", s.A < 100) ? 100 : s.A);
  if (guard("5 amount implausible", money(step) >= implausible)) {
    refuse(&cart, step, "amount_implausible");
    return unresolved(cart, step, money(step));
  }
  const Reported r = reported(step);
  const OpenSession before = s;
  s.au = std::max(s.au, r.au);
  s.ca = std::max(s.ca, r.ca);
  s.re = std::max(s.re, r.re);
  s.ca = std::max(s.ca, s.re);
  s.au = std::max(s.au, s.ca);
  if (s.reference.empty()) s.reference = step.reference;
  const bool au_raised = s.au > before.au;
  if (s.state == "authorizing" || s.state == "settling") return authorizing(cart, step, au_raised);
  if (s.state == "canceling") return canceling(cart, step, au_raised, s.ca > before.ca);
  if (s.state == "capturing" || s.state == "holding") return capturing(cart, step, s.ca > before.ca);
  refunding(cart, step, s.ca - before.ca, s.re > before.re);
}

static bool is(const Step& step, const char* state) {
  return step.type == std::string("payment.") + state || (step.type == "payment.status" && step.state == state);
}

void Model::authorizing(LiveCart& cart, const Step& step, bool au_raised) {
  OpenSession& s = *cart.session;
  const std::int64_t commit_within = numbers_["request_answer"];
  if (guard("5.authorizing ca > 0 and ca < A", s.ca > 0 && s.ca < s.A) ||
      guard("5.authorizing ca > 0 and re > 0", s.ca > 0 && s.re > 0)) {
    fact(cart, step, "payment.captured", s.ca);
    stock(&cart, step, "inventory.release_requested", cart.reservations, commit_within);
    return refund(cart, step, "payment_short");
  }
  if (guard("5.authorizing ca >= A", s.ca >= s.A)) {
    fact(cart, step, "payment.authorized", s.au);
    place_order(cart, step);
    s.order_pending = false;
    stock(&cart, step, "inventory.commit_requested", cart.reservations, commit_within);
    fact(cart, step, "payment.captured", s.ca);
    if (guard("5.authorizing ca > A + X", s.ca > s.most())) return refund(cart, step, "paid");
    session_ended(cart, step, "captured");
    return close(cart, step, "paid");
  }
  if (guard("5.authorizing au >= A", s.au >= s.A)) {
    fact(cart, step, "payment.authorized", s.au);
    place_order(cart, step);
    s.order_pending = false;
    if (guard("5.authorizing au >= A: on command", s.terms.on_command)) {
      stock(&cart, step, "inventory.commit_requested", cart.reservations, commit_within);
      std::int64_t length = s.terms.capture_within_s;
      if (step.type == "payment.authorized" && step.expires_after_s) {
        if (guard("5.authorizing au >= A: expires earlier", *step.expires_after_s < length))
          length = *step.expires_after_s;
      }
      s.until = step.time + length * 1000;
      return hold(cart, step);
    }
    request(cart, step, "payment.capture_requested", s.A, s.A, "capture");
    stock(&cart, step, "inventory.commit_requested", cart.reservations, commit_within);
    return enter(cart, "capturing", "");
  }
  if (guard("5.authorizing au raised", au_raised)) {
    fact(cart, step, "payment.authorized", s.au);
    return void_session(cart, step, "partial_authorization");
  }
  if (guard("5.authorizing is declined", is(step, "declined"))) {
    declined(cart, step);
    session_ended(cart, step, "declined");
    stock(&cart, step, "inventory.release_requested", cart.reservations, commit_within);
    return close(cart, step, "payment_declined");
  }
  if (guard("5.authorizing is canceled", is(step, "canceled")) ||
      guard("5.authorizing not_found", is(step, "not_found"))) {
    canceled(cart, step);
    session_ended(cart, step, "canceled");
    stock(&cart, step, "inventory.release_requested", cart.reservations, commit_within);
    return close(cart, step, "payment_canceled");
  }
  const std::int64_t since_opened = step.time - s.opened_at;
  if (step.type == "payment.requires_action") {
    if (guard("5.authorizing requires_action: last url again", step.url == s.url)) return;
    s.url = step.url;
    fact(cart, step, "payment.action_required", s.A).text("url", step.url);
    if (guard("5.settling requires_action", s.state == "settling")) return;
    std::int64_t length = step.expires_after_s ? *step.expires_after_s * 1000 : numbers_["action_wait"];
    const bool settles = guard("3 action: the session may settle", s.terms.settles_within_s > 0);
    const std::int64_t left = (settles ? s.terms.settles_within_s * 1000 : numbers_["action_total"]) - since_opened;
    if (guard("3 action: what is left of 3,600 s is less", left < length)) length = left;
    if (guard("3 action: less than 1 s", length < 1000)) length = 1000;
    return set_wait(cart, step, "action", length);
  }
  if (step.type == "payment.status" || step.type == "payment.pending") {
    if (guard("5.settling status or pending", s.state == "settling")) return;
    return not_decided_yet(cart, step);
  }
  if (step.type == "payment.attempt_failed") return attempt_failed(cart, step);
  if (guard("5.authorizing capture_failed", step.type == "payment.capture_failed") ||
      guard("5.authorizing refund_failed", step.type == "payment.refund_failed")) {
    refuse(&cart, step, "reply_unexpected");
  }
}

void Model::canceling(LiveCart& cart, const Step& step, bool au_raised, bool ca_raised) {
  OpenSession& s = *cart.session;
  const bool releasing = guard("5.canceling why is released", s.why == "released");
  const std::int64_t held = releasing ? s.au - s.ca : s.au;
  if (guard("5.canceling ca raised", ca_raised)) {
    fact(cart, step, "payment.captured", s.ca);
    if (releasing && !guard("5.canceling(released) ca raised to au", s.ca == s.au)) return;
    return refund(cart, step, s.why);
  }
  if (guard("5.canceling au raised", au_raised)) {
    fact(cart, step, "payment.authorized", s.au);
    return request(cart, step, "payment.cancel_requested", held, held, "cancel");
  }
  if (guard("5.canceling payment.canceled of less than au",
            step.type == "payment.canceled" && step.amount_minor < held)) {
    return;
  }
  if (guard("5.canceling is canceled", is(step, "canceled")) || guard("5.canceling not_found", is(step, "not_found"))) {
    if (releasing) {
      fact(cart, step, "payment.canceled", step.type == "payment.canceled" ? step.amount_minor : held);
      return released(cart, step, "canceled");
    }
    canceled(cart, step);
    session_ended(cart, step, "canceled");
    return close(cart, step, s.why);
  }
  if (guard("5.canceling is declined", is(step, "declined"))) {
    if (releasing) {
      declined(cart, step);
      return released(cart, step, "declined");
    }
    if (guard("5.canceling is declined, au = 0", s.au == 0)) {
      declined(cart, step);
      session_ended(cart, step, "declined");
      return close(cart, step, s.why);
    }
  }
  if (guard("5.canceling status", step.type == "payment.status")) {
    if (once_a_query(cart)) {
      fact(cart, step, "payment.cancel_requested", held).number("within", numbers_["cancel_wait"]).number("key", held);
    }
    return;
  }
  if (guard("5.canceling refund_failed", step.type == "payment.refund_failed")) refuse(&cart, step, "reply_unexpected");
}

void Model::capturing(LiveCart& cart, const Step& step, bool ca_raised) {
  OpenSession& s = *cart.session;
  if (guard("5.capturing re > 0", s.re > 0)) {
    fact(cart, step, "payment.captured", s.ca);
    fact(cart, step, "payment.refunded", s.re);
    const bool all = guard("5.capturing re > 0: all was captured", s.ca >= s.D());
    unresolved(cart, step, s.re + (all ? 0 : s.D() - s.ca));
    session_ended(cart, step, "refunded");
    say(&cart, step, "cart.converted").text("as", "converted paid").number("w", s.number);
    return end(cart, step, "converted paid", s.number);
  }
  if (guard("5.capturing ca > D + X", s.ca > s.most())) {
    fact(cart, step, "payment.captured", s.ca);
    return refund(cart, step, "paid");
  }
  if (guard("5.capturing ca >= D", s.ca >= s.D())) {
    fact(cart, step, "payment.captured", s.ca);
    session_ended(cart, step, "captured");
    return close(cart, step, "paid");
  }
  if (guard("5.capturing captured, final", step.type == "payment.captured" && step.final)) {
    fact(cart, step, "payment.captured", s.ca);
    return unpaid(cart, step, "capture_failed");
  }
  const bool holding = guard("5.holding", s.state == "holding");
  if (guard("5.capturing ca raised", ca_raised)) {
    fact(cart, step, "payment.captured", s.ca);
    if (holding) {
      s.T = s.ca;
    } else if (guard("5.capturing ca raised to T", s.ca >= s.T)) {
      hold(cart, step);
    }
    return;
  }
  if (guard("5.capturing is declined", is(step, "declined"))) {
    declined(cart, step);
    return unpaid(cart, step, "declined");
  }
  if (guard("5.capturing is canceled", is(step, "canceled")) || guard("5.capturing not_found", is(step, "not_found"))) {
    canceled(cart, step);
    return unpaid(cart, step, "canceled");
  }
  if (holding) {
    if (guard("5.holding capture_failed", step.type == "payment.capture_failed") ||
        guard("5.holding refund_failed", step.type == "payment.refund_failed")) {
      refuse(&cart, step, "reply_unexpected");
    }
    return;
  }
  if (guard("5.capturing capture_failed", step.type == "payment.capture_failed")) {
    if (guard("5.capturing capture_failed: retry running", cart.wait.kind == "capture_retry")) return;
    ++s.capture_failures;
    if (guard("5.capturing capture_failed: not retryable", !step.retryable)) {
      return unpaid(cart, step, "capture_failed");
    }
    if (guard("5.capturing capture_failed: third", s.capture_failures == 3)) {
      return unpaid(cart, step, "capture_failed");
    }
    return set_wait(cart, step, "capture_retry", numbers_["capture_retry_" + std::to_string(s.capture_failures)]);
  }
  const bool status = step.type == "payment.status";
  if (guard("5.capturing status authorized", status && step.state == "authorized") ||
      guard("5.capturing status captured, below what is asked", status && step.state == "captured")) {
    if (once_a_query(cart)) {
      fact(cart, step, "payment.capture_requested", s.request)
          .flag("final", s.final_asked)
          .number("within", numbers_["capture_wait"])
          .number("key", s.T);
    }
    return;
  }
  if (guard("5.capturing refund_failed", step.type == "payment.refund_failed")) {
    refuse(&cart, step, "reply_unexpected");
  }
}

void Model::refunding(LiveCart& cart, const Step& step, std::int64_t ca_rise, bool re_raised) {
  OpenSession& s = *cart.session;
  if (guard("5.refunding owed <= 0", owed(s) <= 0)) return refund_is_done(cart, step);
  if (guard("5.refunding ca raised", ca_rise > 0)) {
    s.asked_back += ca_rise;
    s.newest_refund = ca_rise;
    fact(cart, step, "payment.captured", s.ca);
    return request(cart, step, "payment.refund_requested", ca_rise, s.asked_back, "refund");
  }
  if (guard("5.refunding re raised", re_raised)) {
    fact(cart, step, "payment.refunded", s.re);
    return;
  }
  if (guard("5.refunding refund_failed", step.type == "payment.refund_failed")) return refund_failed(cart, step);
  if (guard("5.refunding status refund_pending", step.type == "payment.status" && step.state == "refund_pending")) {
    give_up(cart, step, owed(s), "refund_pending", "refund_pending");
  }
}

void Model::session_wait_ends(LiveCart& cart, const Step& step, const std::string& kind) {
  OpenSession& s = *cart.session;
  if (kind == "settle") return settle_wait_ends(cart, step);
  if (kind == "hold") return unpaid(cart, step, "capture_expired");
  if (s.state == "capturing") {
    if (guard("5.capturing capture retry ends", kind == "capture_retry")) return ask_capture(cart, step);
    if (guard("5.capturing wait ends: tries left", tries_left(cart))) return doubt(cart, step);
    return unpaid(cart, step, "unresolved");
  }
  if (s.state == "authorizing") {
    if (guard("5.authorizing wait ends: tries left", tries_left(cart))) return doubt(cart, step);
    fact(cart, step, "payment.cancel_requested", 0).number("within", numbers_["cancel_wait"]).number("key", 0);
    unresolved(cart, step, s.A);
    session_ended(cart, step, "unresolved");
    stock(&cart, step, "inventory.release_requested", cart.reservations, numbers_["request_answer"]);
    return close(cart, step, "payment_unknown");
  }
  if (s.state == "canceling") {
    if (guard("5.canceling wait ends: tries left", tries_left(cart))) return doubt(cart, step);
    if (guard("5.canceling wait ends: why is released", s.why == "released")) {
      const std::int64_t back = owed(s);
      if (guard("5.canceling(released) re > 0", s.re > 0)) fact(cart, step, "payment.refunded", s.re);
      unresolved(cart, step, s.au - s.ca + (guard("5.canceling(released) wait ends: owed > 0", back > 0) ? back : 0));
      session_ended(cart, step, "unresolved");
      return close(cart, step, "released");
    }
    const bool nothing_authorized = guard("5.canceling wait ends: au is 0", s.au == 0);
    unresolved(cart, step, nothing_authorized ? s.A : s.au);
    session_ended(cart, step, "unresolved");
    return close(cart, step, s.why);
  }
  if (guard("5.refunding refund retry ends", kind == "refund_retry")) {
    return request(cart, step, "payment.refund_requested", s.newest_refund, s.asked_back, "refund");
  }
  if (guard("5.refunding wait ends: tries left", tries_left(cart))) return doubt(cart, step);
  unresolved(cart, step, owed(s));
  session_ended(cart, step, "unresolved");
  close(cart, step, s.why);
}

}  // namespace mayfly::model
