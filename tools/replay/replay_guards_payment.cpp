// The guards that a payment service's replies and waits meet (decisions.md 5, 6.1), and what a shopper asks for while a
// session is open (2.12).
#include "tools/replay/guard_ladder.h"

namespace mayfly::tools {

using namespace events;

void PaymentGuards::reply() {  // 5.2
  if (guard("5.2.3", "disputed", is(CommandType::payment_disputed))) return;
  const auto& cart = told_.before->cart;
  const int n = session_number(says_.session_id, cart.id);
  const OrderedJson saw = {{"n", n}, {"newest", cart.sessions}};
  if (guard("5.2.1", "unknown session", n == 0 || n > cart.sessions, saw)) return;
  const bool open = told_.before->session && n == told_.before->session->number;
  const bool tender = told_.before->session && session().tenders && n >= session().tenders->first;
  if (guard("5.2.2", "not the open session", !open && !tender, saw)) return late(n);
  if (!open) return other_tender(session().tenders->list[static_cast<std::size_t>(n - session().tenders->first)]);
  if (guard("5.2.4", "other currency", !says_.currency.empty() && says_.currency != session().currency.view(),
            {{"currency", std::string(says_.currency)}, {"of_the_session", session().currency.view()}}))
    return;
  if (guard("5.2.5", "implausible", is_implausible(says_, session().amount_minor),
            {{"money_minor", says_.money()}, {"A", session().amount_minor}}))
    return;
  otherwise("5.2.6", "reply", {{"state", name(ledger().state)}});
  raise();
  switch (ledger().state) {
    case SessionState::authorizing: return authorizing();
    case SessionState::settling: return settling();
    case SessionState::holding: return holding();
    case SessionState::canceling: return canceling();
    case SessionState::capturing: return capturing();
    case SessionState::refunding: return refunding();
  }
}

void PaymentGuards::other_tender(const Tender& tender) {  // 5.11
  const OrderedJson saw = {{"tender", name(tender.state)}, {"state", name(ledger().state)}};
  const bool over = tender.state != TenderState::open;
  if (guard("5.11.6", "reply to one that is over, no order", over && !ledger().order_placed, saw)) return;
  if (guard("5.11.7", "reply to one that is over, with an order", over, saw)) return;
  const bool foreign = !says_.currency.empty() && says_.currency != session().currency.view();
  if (guard("5.11.8", "reply to a held one, useless", foreign || is_implausible(says_, tender.amount_minor))) return;
  const bool refunded = tender.refunded_minor > 0 || says_.refunded.value_or(0) > 0;
  const bool gone = declined() || canceled() || is_status(StatusState::not_found) || refunded;
  if (guard("5.11.9", "a held one is gone", gone && ledger().state == SessionState::authorizing, saw)) return;
  otherwise("5.11.10", "reply to a held one", saw);
}

void PaymentGuards::raise() {
  const bool none_held =
      is_status(StatusState::declined) || is_status(StatusState::canceled) || is_status(StatusState::not_found);
  au_ = std::max(ledger().authorized_minor, none_held ? 0 : says_.authorized.value_or(0));
  re_ = std::max(ledger().refunded_minor, says_.refunded.value_or(0));
  ca_ = std::max({ledger().captured_minor, says_.captured.value_or(0), re_});
  au_ = std::max(au_, ca_);
}

/// D: what has to be captured for the order to be paid.
Minor PaymentGuards::due() const {
  return ledger().final_asked ? ledger().capture_total_minor : session().amount_minor;
}
Minor PaymentGuards::asked() const {
  return session().terms.on_command ? ledger().capture_total_minor : session().amount_minor;
}

void PaymentGuards::authorizing() {  // 5.4
  if (decided()) return;
  const auto* action = std::get_if<PaymentRequiresAction>(&command().data);
  if (guard("5.4.10", "action", action != nullptr)) return;
  const auto open_for = told_.record.append_time - session().opened_at;
  const std::int64_t settles_s = session().terms.settles_within_s;
  const auto longest = settles_s > 0 ? Millis{settles_s * 1000} : told_.settings.action_total;
  const bool pending = is(CommandType::payment_pending);
  const bool says = says_.status || pending;
  if (guard("5.4.11", "status, too late", says && open_for >= longest, {{"open_for_ms", open_for.count}})) return;
  const bool long_pending = is_status(StatusState::pending) && open_for >= told_.settings.action_total;
  if (guard("5.4.12", "takes days", settles_s > 0 && (pending || long_pending))) return;
  if (guard("5.4.13", "status", says)) return;
  if (attempts()) return;
  otherwise("5.4.18", "anything else");
}

void PaymentGuards::settling() {  // 5.9
  if (decided() || attempts()) return;
  const auto* action = std::get_if<PaymentRequiresAction>(&command().data);
  if (guard("5.9.2", "action", action != nullptr)) return;
  otherwise("5.9.5", "anything else");
}

/// What decides in authorizing and in settling.
bool PaymentGuards::decided() {
  const auto A = session().amount_minor;
  const auto most = A + session().terms.extra_up_to_minor;
  if (guard("5.4.1", "short", ca_ > 0 && (ca_ < A || re_ > 0), totals())) return true;
  if (session().tenders && au_ >= A) {
    const bool last = session().number == session().tenders->last();
    if (!guard("5.11.1", "authorized, others to come", !last, totals())) otherwise("5.11.2", "authorized, all of them");
    return true;
  }
  if (guard("5.4.2", "captured too much", ca_ > most, {{"ca", ca_}, {"A", A}})) return true;
  if (guard("5.4.3", "captured", ca_ >= A, {{"ca", ca_}, {"A", A}})) return true;
  const bool commanded = session().terms.on_command;
  if (guard("5.4.4", "authorized, on command", au_ >= A && commanded, {{"au", au_}, {"A", A}})) return true;
  if (guard("5.4.5", "authorized", au_ >= A, {{"au", au_}, {"A", A}})) return true;
  if (guard("5.4.6", "authorized in part", au_ > ledger().authorized_minor, {{"au", au_}, {"A", A}})) return true;
  if (guard("5.4.7", "declined", declined())) return true;
  if (guard("5.4.8", "canceled", canceled() || is_status(StatusState::not_found))) return true;
  const auto* action = std::get_if<PaymentRequiresAction>(&command().data);
  return guard("5.4.9", "action again", action != nullptr && action->url == session().action_url);
}

bool PaymentGuards::attempts() {
  if (guard("5.4.14", "capture failed", is(CommandType::payment_capture_failed))) return true;
  if (guard("5.4.15", "refund failed", is(CommandType::payment_refund_failed))) return true;
  const auto* failed = std::get_if<PaymentAttemptFailed>(&command().data);
  const auto attempt =
      failed != nullptr ? failed->attempt.value_or(ledger().last_attempt + std::int64_t{1}) : std::int64_t{0};
  const bool told_before = attempt <= ledger().last_attempt || attempt > limits::attempt_number ||
                           ledger().attempts_told >= limits::attempts_told;
  if (guard("5.4.16", "attempt told", failed != nullptr && told_before)) return true;
  return guard("5.4.17", "attempt failed", failed != nullptr, {{"attempt", attempt}});
}

void PaymentGuards::canceling() {  // 5.5
  const auto* given_back = std::get_if<PaymentCanceled>(&command().data);
  const bool released = ledger().why == Why::released;
  const auto held = released ? au_ - ca_ : au_;
  const bool raised = ca_ > ledger().captured_minor;
  if (guard("5.5.1", "captured after all, some is held", released && raised && ca_ < au_, totals())) return;
  if (guard("5.5.2", "captured after all", raised, totals())) return;
  if (guard("5.5.3", "authorized after all", au_ > ledger().authorized_minor)) return;
  if (guard("5.5.4", "canceled in part", given_back != nullptr && given_back->amount_minor < held, {{"held", held}}))
    return;
  const bool over = canceled() || declined() || is_status(StatusState::not_found);
  const auto back = ca_ - re_ - asked();
  if (guard("5.5.5", "released, too much captured", released && over && back > 0, {{"owed", back}})) return;
  if (guard("5.5.6", "released", released && over)) return;
  if (guard("5.5.7", "canceled", canceled() || is_status(StatusState::not_found))) return;
  if (guard("5.5.8", "declined", declined() && au_ == 0, {{"au", au_}})) return;
  const bool once = ledger().status_tries > 0 && !ledger().asked_since;
  if (guard("5.5.9", "status, asked about", says_.status && once, {{"once", once}})) return;
  if (guard("5.5.10", "refund failed", is(CommandType::payment_refund_failed))) return;
  otherwise("5.5.11", "anything else");
}

/// What decides in capturing and in holding. Refused money first: 5.6.7 and 5.6.8 come behind what was captured.
bool PaymentGuards::captured_in_full() {
  const auto most = due() + session().terms.extra_up_to_minor;
  const auto* captured = std::get_if<PaymentCaptured>(&command().data);
  if (guard("5.6.1", "refunded", re_ > 0, totals())) return true;
  if (guard("5.6.2", "captured too much", ca_ > most, {{"ca", ca_}, {"D", due()}})) return true;
  if (guard("5.6.3", "captured", ca_ >= due(), {{"ca", ca_}, {"D", due()}})) return true;
  return guard("5.6.4", "no more comes", captured != nullptr && captured->final);
}

void PaymentGuards::holding() {  // 5.10
  if (captured_in_full()) return;
  if (guard("5.10.2", "captured by somebody else", ca_ > ledger().captured_minor)) return;
  if (guard("5.6.7", "declined", declined())) return;
  if (guard("5.6.8", "canceled", canceled() || is_status(StatusState::not_found))) return;
  const bool failed = is(CommandType::payment_capture_failed) || is(CommandType::payment_refund_failed);
  if (guard("5.10.3", "capture or refund failed", failed)) return;
  otherwise("5.10.5", "anything else");
}

void PaymentGuards::capturing() {  // 5.6
  if (captured_in_full()) return;
  const bool raised = ca_ > ledger().captured_minor;
  if (guard("5.6.5", "captured in part", raised && ca_ < asked(), {{"ca", ca_}, {"T", asked()}})) return;
  if (guard("5.6.6", "captured as asked", raised)) return;
  if (guard("5.6.7", "declined", declined())) return;
  if (guard("5.6.8", "canceled", canceled() || is_status(StatusState::not_found))) return;
  const auto* failed = std::get_if<PaymentCaptureFailed>(&command().data);
  const auto failures = ledger().capture_failures + 1;
  const auto most = std::ssize(told_.settings.capture_retry);
  if (guard("5.6.9", "capture failed, retry waits", failed != nullptr && ledger().capture_retry_running)) return;
  if (guard("5.6.10", "capture failed for good", failed != nullptr && !failed->retryable)) return;
  if (guard("5.6.11", "capture failed too often", failed != nullptr && failures > most)) return;
  if (guard("5.6.12", "capture failed", failed != nullptr, {{"failures", ledger().capture_failures}})) return;
  const bool once = ledger().status_tries > 0 && !ledger().asked_since;
  const bool not_yet = is_status(StatusState::authorized) || is_status(StatusState::captured);
  if (guard("5.6.13", "not captured yet, asked about", not_yet && once, {{"once", once}})) return;
  if (guard("5.6.14", "refund failed", is(CommandType::payment_refund_failed))) return;
  otherwise("5.6.15", "anything else");
}

void PaymentGuards::refunding() {  // 5.7
  if (guard("5.7.1", "all given back", owed() <= 0, {{"owed", owed()}})) return;
  if (guard("5.7.2", "captured more", ca_ > ledger().captured_minor)) return;
  if (guard("5.7.3", "refunded in part", re_ > ledger().refunded_minor)) return;
  const auto* failed = std::get_if<PaymentRefundFailed>(&command().data);
  const bool last = ledger().refund_failures + 1 > std::ssize(limits::refund_retry);
  if (guard("5.7.4", "refund failed, retry waits", failed != nullptr && ledger().refund_retry_running)) return;
  if (guard("5.7.5", "refund failed for good", failed != nullptr && (!failed->retryable || last))) return;
  if (guard("5.7.6", "refund failed", failed != nullptr, {{"refund_failures", ledger().refund_failures}})) return;
  if (guard("5.7.7", "refund under way", is_status(StatusState::refund_pending))) return;
  otherwise("5.7.8", "anything else");
}

void PaymentGuards::wait_ended() {  // 5.8
  const auto kind = data<DeadlineReached>().kind;
  if (kind == WaitKind::hold) return otherwise("5.10.4", "wait ends");
  if (kind == WaitKind::settle) {
    if (guard("5.9.3", "wait ends, too late", told_.record.append_time >= ledger().until)) return;
    return otherwise("5.9.4", "wait ends");
  }
  if (guard("5.8.1", "capture retry", kind == WaitKind::capture_retry)) return;
  if (guard("5.8.2", "refund retry", kind == WaitKind::refund_retry)) return;
  const auto& set = told_.settings;
  const auto most = ledger().order_placed ? set.status_tries_order_placed : set.status_tries;
  if (guard("5.8.3", "ask", ledger().status_tries < most, {{"tries", ledger().status_tries}, {"most", most}})) return;
  const auto state = ledger().state;
  if (guard("5.8.4", "silent in authorizing", state == SessionState::authorizing)) return;
  const bool canceling = state == SessionState::canceling;
  if (guard("5.8.5", "silent in canceling(released)", canceling && ledger().why == Why::released)) return;
  if (guard("5.8.6", "silent in canceling", canceling)) return;
  if (guard("5.8.7", "silent in capturing", state == SessionState::capturing)) return;
  otherwise("5.8.8", "silent in refunding");
}

void PaymentGuards::capture_of_session() {  // 2.15
  const auto& wanted = data<PaymentCapture>();
  const bool other =
      !wanted.session_id.empty() && session_number(wanted.session_id, told_.before->cart.id) != session().number;
  if (guard("2.15.2", "another session", other)) return;
  const OrderedJson saw = {{"session", name(ledger().state)}};
  if (guard("2.15.3", "capture runs", ledger().state == SessionState::capturing, saw)) return;
  if (guard("2.15.4", "nothing waits for it", ledger().state != SessionState::holding, saw)) return;
  const auto A = session().amount_minor;
  const auto ca = ledger().captured_minor;
  const auto total = wanted.total_minor.value_or(A);
  if (guard("2.15.5", "out of range", total < ca || total > A, {{"total_minor", total}, {"ca", ca}, {"A", A}})) return;
  if (guard("2.15.6", "so much already", total == ca && !wanted.final)) return;
  if (guard("2.15.7", "no more", total == ca)) return;
  const auto asked_for = ledger().captures_asked;
  if (guard("2.15.8", "too many", asked_for >= limits::captures_asked, {{"captures", asked_for}})) return;
  otherwise("2.15.9", "capture");
}

void PaymentGuards::cancel_cart() {
  const OrderedJson saw = {{"session", name(ledger().state)}};
  if (guard("2.12.3", "cancel after the order", ledger().order_placed)) return;
  const auto state = ledger().state;
  const bool waits = state == SessionState::authorizing || state == SessionState::settling;
  if (guard("2.12.4", "cancel while authorizing or settling", waits, saw)) return;
  otherwise("2.12.5", "cancel while canceling or refunding", saw);
}

void PaymentGuards::abandon_cart() {
  const OrderedJson saw = {{"session", name(ledger().state)}};
  if (guard("2.12.7", "abandon after the order", ledger().order_placed || ledger().order_pending)) return;
  if (guard("2.12.8", "abandon while authorizing", ledger().state == SessionState::authorizing, saw)) return;
  if (guard("2.12.9", "abandon while canceling", ledger().state == SessionState::canceling, saw)) return;
  otherwise("2.12.10", "abandon while refunding", saw);
}

void PaymentGuards::late_ended() {  // 6.1
  if (guard("6.1.2", "disputed", is(CommandType::payment_disputed))) return;
  const int n = session_number(says_.session_id, told_.cart_id);
  const int newest = told_.ended->newest_session;
  if (guard("6.1.1", "unknown session", n == 0 || n > newest, {{"n", n}, {"newest", newest}})) return;
  late(n);
}

void PaymentGuards::late(int n) {
  const bool ended = told_.before == nullptr;
  const int W = ended ? told_.ended->order_session : 0;
  const bool order = n >= W && W > 0 && n <= W + told_.ended->further;
  const bool paid = ended && told_.ended->outcome == CartOutcome::converted_paid;
  const auto authorized = says_.authorized.value_or(0);
  const auto captured = says_.captured.value_or(0);
  const auto refunded = says_.refunded.value_or(0);
  const bool tells_captures = is(CommandType::payment_captured) || is(CommandType::payment_status);
  const auto taken = tells_captures ? captured - refunded : 0;
  const bool not_found = is_status(StatusState::not_found);
  if (guard("6.1.3", "refund failed", is(CommandType::payment_refund_failed))) return;
  if (guard("6.1.4", "order's session, refunded", order && refunded > 0, {{"n", n}, {"W", W}, {"refunded", refunded}}))
    return;
  if (guard("6.1.5", "paid order's session", order && paid)) return;
  if (guard("6.1.6", "unpaid order's session, captured", order && captured > 0, {{"captured", captured}})) return;
  if (guard("6.1.7", "unpaid order's session, canceled", order && canceled())) return;
  if (guard("6.1.8", "unpaid order's session, declined", order && declined())) return;
  if (guard("6.1.9", "unpaid order's session, not found", order && not_found)) return;
  if (guard("6.1.10", "unpaid order's session", order)) return;
  const OrderedJson saw = {{"captured_less_refunded", taken}};
  if (guard("6.1.11", "refund under way", is_status(StatusState::refund_pending) && taken > 0, saw)) return;
  if (guard("6.1.12", "money taken", taken > 0, saw)) return;
  const bool held = is(CommandType::payment_authorized) || is_status(StatusState::authorized);
  if (guard("6.1.13", "money held", held, {{"authorized", authorized}})) return;
  if (guard("6.1.14", "declined", declined())) return;
  if (guard("6.1.15", "not found", not_found)) return;
  if (guard("6.1.16", "canceled", canceled())) return;
  if (guard("6.1.17", "refunded", is(CommandType::payment_refunded) || is_status(StatusState::refunded))) return;
  otherwise("6.1.18", "anything else");
}

}  // namespace mayfly::tools
