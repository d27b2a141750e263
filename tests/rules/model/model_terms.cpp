// Sessions with terms (decisions.md 5): payments that take days, captures by command, agreed extras.
#include "rules/model/model.h"

#include <algorithm>

namespace mayfly::model {

// A status, or payment.pending, in authorizing.
void Model::not_decided_yet(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  const std::int64_t age = step.time - s.opened_at;
  const bool settles = guard("5.authorizing status: the session may settle", s.terms.settles_within_s > 0);
  const std::int64_t longest = settles ? s.terms.settles_within_s * 1000 : numbers_["action_total"];
  if (guard("5.authorizing status: too late", age >= longest)) return void_session(cart, step, "payment_expired");
  if (settles) {
    const bool said = guard("5.authorizing pending: may settle", step.type == "payment.pending");
    const bool long_enough = guard("5.authorizing status pending from 3,600 s on: may settle",
                                   step.state == "pending" && age >= numbers_["action_total"]);
    if (said || long_enough) return settle(cart, step);
  }
  s.tries = 0;
  std::int64_t length = numbers_["pending_wait"];
  if (settles && guard("5.authorizing status: a quarter of its age is longer", age / 4 > length)) length = age / 4;
  set_wait(cart, step, "pending", length);
}

void Model::settle(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  enter(cart, "settling", "");
  s.order_pending = true;
  s.until = s.opened_at + s.terms.settles_within_s * 1000;
  if (step.type == "payment.pending" && step.expires_after_s) {
    const std::int64_t expires = step.time + *step.expires_after_s * 1000;
    if (guard("5.authorizing pending: expires earlier", expires < s.until)) s.until = expires;
  }
  fact(cart, step, "payment.pending", s.A).number("until", s.until);
  place_order(cart, step, "order.pending");
  set_wait(cart, step, "settle", settle_length(s, step));
}

std::int64_t Model::settle_length(const OpenSession& s, const Step& step) {
  const std::int64_t hours[] = {1, 4, 12, 24};
  std::int64_t length = hours[std::min(s.tries, 3)] * 3'600'000;
  if (guard("5.settling wait: S comes first", s.until - step.time < length)) length = s.until - step.time;
  if (guard("5.settling wait: less than 1 s", length < 1000)) length = 1000;
  return length;
}

void Model::settle_wait_ends(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  if (guard("5.settling wait ends at S", step.time >= s.until)) return void_session(cart, step, "payment_expired");
  ++s.tries;
  const std::int64_t length = settle_length(s, step);
  fact(cart, step, "payment.status_requested", s.A).number("within", length).number("key", s.A);
  set_wait(cart, step, "settle", length);
}

void Model::hold(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  enter(cart, "holding", "");
  s.T = s.ca;
  std::int64_t length = s.until - step.time;
  if (guard("5.holding wait: less than 1 s", length < 1000)) length = 1000;
  set_wait(cart, step, "hold", length);
}

void Model::ask_capture(LiveCart& cart, const Step& step) {
  OpenSession& s = *cart.session;
  fact(cart, step, "payment.capture_requested", s.request)
      .flag("final", s.final_asked)
      .number("within", numbers_["capture_wait"])
      .number("key", s.T);
  set_wait(cart, step, "capture", numbers_["capture_wait"]);
}

void Model::capture_command(LiveCart& cart, const Step& step) {
  if (guard("capture: no session", !cart.session)) return refuse(&cart, step, "capture_unexpected");
  OpenSession& s = *cart.session;
  const bool other = !step.session_id.empty() && number_of(step.session_id, cart.id, "-p") != s.number;
  if (guard("capture: another session", other)) return refuse(&cart, step, "session_unknown");
  if (!guard("capture: holding", s.state == "holding")) {
    const bool runs = guard("capture: capturing", s.state == "capturing");
    return refuse(&cart, step, runs ? "capture_in_progress" : "capture_unexpected");
  }
  const bool given = guard("capture: total_minor is given", step.total_minor.has_value());
  const std::int64_t wanted = given ? *step.total_minor : s.A;
  if (guard("capture: below ca", wanted < s.ca) || guard("capture: above A", wanted > s.A)) {
    coverage_.produced("code", "amount_out_of_range");
    say(&cart, step, "command.rejected").text("code", "amount_out_of_range").number("total", s.A);
    return;
  }
  if (guard("capture: nothing more", wanted == s.ca)) {
    if (guard("capture: nothing more, not final", !step.final)) return refuse(&cart, step, "capture_repeated");
    enter(cart, "canceling", "released");
    return request(cart, step, "payment.cancel_requested", s.au - s.ca, s.au - s.ca, "cancel");
  }
  if (guard("capture: 32 asked", s.captures_asked == 32)) return refuse(&cart, step, "attempts_exhausted");
  ++s.captures_asked;
  s.T = wanted;
  s.request = wanted - s.ca;
  s.final_asked = step.final && guard("capture: final, below A", wanted < s.A);
  s.capture_failures = 0;
  enter(cart, "capturing", "");
  ask_capture(cart, step);
}

// canceling(released): nothing is held any more.
void Model::released(LiveCart& cart, const Step& step, const std::string& outcome) {
  OpenSession& s = *cart.session;
  if (guard("5.canceling(released) owed > 0", owed(s) > 0)) return refund(cart, step, "released");
  if (guard("5.canceling(released) re > 0", s.re > 0)) fact(cart, step, "payment.refunded", s.re);
  const bool kept = guard("5.canceling(released) something is kept", s.ca > s.re);
  session_ended(cart, step, kept ? "captured" : outcome);
  close(cart, step, "released");
}

void Model::complete(LiveCart& cart, const Step& step) {
  const OpenSession s = *cart.session;
  const std::int64_t due = total(cart.lines, cart.adjustments);
  const bool terms = s.terms.on_command || s.terms.settles_within_s > 0 || s.terms.extra > 0;
  const std::int64_t kept = std::min(s.ca - s.re, s.most());
  Said said = say(&cart, step, "checkout.completed");
  said.number("total", due);
  if (guard("5 completed: with terms", terms)) {
    if (guard("5 completed: another amount than the total", kept != due)) said.number("captured", kept);
  }
  say(&cart, step, "cart.converted").text("as", "converted paid").number("w", s.number);
  end(cart, step, "converted paid", s.number);
}

}  // namespace mayfly::model
