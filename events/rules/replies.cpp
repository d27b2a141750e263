#include "events/rules/replies.h"

#include "events/rules/identity.h"
#include "events/text/precondition.h"

#include <algorithm>

namespace mayfly::events {

namespace {

struct Report {
  Reported operator()(const PaymentRequiresAction& r) const { return {r.session_id, {}, {}, {}, {}, {}, {}}; }
  Reported operator()(const PaymentAuthorized& r) const {
    return {r.session_id, r.reference, r.currency, r.amount_minor, {}, {}, {}};
  }
  Reported operator()(const PaymentDeclined& r) const { return {r.session_id, r.reference, {}, {}, {}, {}, {}}; }
  Reported operator()(const PaymentCaptured& r) const {
    return {r.session_id, r.reference, r.currency, {}, r.amount_minor, {}, {}};
  }
  Reported operator()(const PaymentCaptureFailed& r) const {
    return {r.session_id, r.reference, r.currency, {}, {}, {}, {}};
  }
  Reported operator()(const PaymentCanceled& r) const {
    return {r.session_id, r.reference, r.currency, {}, {}, {}, {}};
  }
  Reported operator()(const PaymentRefunded& r) const {
    return {r.session_id, r.reference, r.currency, {}, {}, r.amount_minor, {}};
  }
  Reported operator()(const PaymentStatus& r) const {
    return {r.session_id, r.reference, r.currency, r.authorized_minor, r.captured_minor, r.refunded_minor, r.state};
  }
  Reported operator()(const PaymentRefundFailed& r) const {
    return {r.session_id, r.reference, r.currency, {}, {}, {}, {}};
  }
  Reported operator()(const PaymentDisputed& r) const {
    return {r.session_id, r.reference, r.currency, {}, {}, {}, {}};
  }
  Reported operator()(const PaymentPending& r) const { return {r.session_id, r.reference, {}, {}, {}, {}, {}}; }
  Reported operator()(const PaymentAttemptFailed& r) const { return {r.session_id, r.reference, {}, {}, {}, {}, {}}; }
  template <class Other>
  Reported operator()(const Other&) const {
    return {};
  }
};

}  // namespace

Minor Reported::money() const { return std::max(authorized.value_or(0), captured.value_or(0)); }

Reported reported(const Command& command) { return std::visit(Report{}, command.data); }

bool is_implausible(const Reported& says, Minor session_amount_minor) {
  return says.money() >= limits::implausible_times * std::max(session_amount_minor, limits::implausible_least_minor);
}

PaymentEvent disputed_event(const PaymentDisputed& disputed, Currency known) {
  auto e = stranger_event(EventType::payment_disputed, disputed.session_id, disputed.amount_minor,
                          currency_of(disputed.currency, known), disputed.reference);
  e.dispute = disputed.state;
  e.reason = disputed.reason;
  return e;
}

Text reservation_id(const Command& command) {
  if (const auto* r = std::get_if<InventoryReserved>(&command.data)) return r->reservation_id;
  if (const auto* r = std::get_if<InventoryRejected>(&command.data)) return r->reservation_id;
  return {};
}

Currency currency_of(Text given, Currency known) {
  if (given.empty()) return known;
  return currency_in_force(given).value_or(Currency{});
}

CommandRejected rejected(Code code, bool with_order) { return {code, {}, with_order, {}, {}}; }

void refuse_invalid(Decision& d, const Invalid& invalid, Currency known) {
  auto refusal = rejected(Code::data_invalid);
  refusal.about = invalid.about;
  d.events.emplace_back(refusal);
  if (!invalid.money_minor || *invalid.money_minor <= 0) return;
  d.events.emplace_back(stranger_event(EventType::payment_unresolved, invalid.session_id, *invalid.money_minor,
                                       currency_of(invalid.currency, known), {}));
  d.concern = Concern::payment_unresolved;
}

PaymentEvent stranger_event(EventType type, Text session_id, Minor amount_minor, Currency currency, Text reference) {
  PaymentEvent e{};
  e.type = type;
  e.session_id = session_id;
  e.amount_minor = amount_minor;
  e.currency = currency;
  e.reference = reference;
  return e;
}

namespace {

/// decisions.md 6, one row after the other. Precondition: the session is one of the cart's.
class LateLadder {
 public:
  LateLadder(Decision& d, const Bygone& bygone, int number, const Command& command, const Context& context)
      : d_(d), b_(bygone), n_(number), command_(command), context_(context), says_(reported(command)) {
    precondition(number > 0 && number <= bygone.newest_session, "LateLadder: the session is one of the cart's");
  }

  void answer() {
    const bool of_order = b_.order_session > 0 && n_ >= b_.order_session && n_ <= b_.order_session + b_.further;
    if (const auto* failed = std::get_if<PaymentRefundFailed>(&command_.data)) {
      return unresolved(failed->amount_minor, Cause::refund_failed);
    }
    if (of_order ? of_the_order() : of_no_order()) return;
    // What is not known to be held is closed by these.
    if (command_.type == CommandType::payment_declined || is(StatusState::declined)) return declined();
    if (is(StatusState::not_found)) return tell(EventType::payment_canceled, authorized());
    if (of_order || canceled()) return;
    if (command_.type == CommandType::payment_refunded || is(StatusState::refunded)) {
      tell(EventType::payment_refunded, refunded());
    }
  }

 private:
  /// A session of the converted cart's order: what is true of its money is told, nothing is asked. False: read on.
  bool of_the_order() {
    if (refunded() > 0) {
      tell(EventType::payment_refunded, refunded());
      return true;
    }
    if (b_.paid) return true;
    if (captured() > 0) {
      tell(EventType::payment_captured, captured());
      return true;
    }
    return canceled();
  }
  /// Money of any other session goes back. False: read on.
  bool of_no_order() {
    const bool tells_captures =
        command_.type == CommandType::payment_captured || command_.type == CommandType::payment_status;
    const Minor held = tells_captures ? captured() - refunded() : 0;
    if (held > 0 && is(StatusState::refund_pending)) {
      unresolved(held, Cause::refund_pending);
    } else if (held > 0) {
      ask_back(EventType::payment_refund_requested, held);
    } else if (command_.type == CommandType::payment_authorized || is(StatusState::authorized)) {
      ask_back(EventType::payment_cancel_requested, authorized());
    } else {
      return false;
    }
    return true;
  }
  bool canceled() {
    if (const auto* canceled = std::get_if<PaymentCanceled>(&command_.data)) {
      tell(EventType::payment_canceled, canceled->amount_minor);
      return true;
    }
    if (!is(StatusState::canceled)) return false;
    tell(EventType::payment_canceled, authorized());
    return true;
  }
  void declined() {
    auto e = event(EventType::payment_declined, authorized());
    const auto* reply = std::get_if<PaymentDeclined>(&command_.data);
    e.reason = reply != nullptr ? reply->reason : name(StatusState::declined);
    d_.events.emplace_back(e);
  }
  void ask_back(EventType request, Minor amount) {
    auto e = event(request, amount);
    e.answer_within = context_.settings.request_answer;
    e.key_amount_minor = amount;
    e.late_key = request == EventType::payment_refund_requested;
    d_.events.emplace_back(e);
    unresolved(amount, Cause::none);
  }
  void unresolved(Minor amount, Cause cause) {
    auto e = event(EventType::payment_unresolved, amount);
    e.with_order = b_.converted;
    e.cause = cause;
    d_.events.emplace_back(e);
    if (calls_a_person(cause)) d_.concern = Concern::payment_unresolved;
  }
  void tell(EventType type, Minor amount) { d_.events.emplace_back(event(type, amount)); }
  [[nodiscard]] PaymentEvent event(EventType type, Minor amount) const {
    PaymentEvent e{};
    e.type = type;
    e.number = n_;
    e.amount_minor = amount;
    e.currency = currency_of(says_.currency, b_.currency);
    e.reference = says_.reference;
    return e;
  }
  [[nodiscard]] bool is(StatusState state) const { return says_.status == state; }
  [[nodiscard]] Minor authorized() const { return says_.authorized.value_or(0); }
  [[nodiscard]] Minor captured() const { return says_.captured.value_or(0); }
  [[nodiscard]] Minor refunded() const { return says_.refunded.value_or(0); }

  Decision& d_;
  const Bygone& b_;
  const int n_;
  const Command& command_;
  const Context& context_;
  const Reported says_;
};

}  // namespace

void answer_late_payment(Decision& d, const Bygone& b, const Command& command, const Context& context) {
  if (const auto* disputed = std::get_if<PaymentDisputed>(&command.data)) {
    d.events.emplace_back(disputed_event(*disputed, b.currency));
    return;
  }
  const auto says = reported(command);
  const int n = session_number(says.session_id, b.cart_id);
  if (n > 0 && n <= b.newest_session) return answer_late_payment(d, b, n, command, context);
  d.events.emplace_back(rejected(Code::session_unknown));
  if (says.money() <= 0) return;
  d.events.emplace_back(stranger_event(EventType::payment_unresolved, says.session_id, says.money(),
                                       currency_of(says.currency, b.currency), says.reference));
  d.concern = Concern::payment_unresolved;
}

void answer_late_payment(Decision& d, const Bygone& b, int number, const Command& command, const Context& context) {
  LateLadder(d, b, number, command, context).answer();
}

void answer_late_inventory(Decision& d, const Bygone& b, const Command& command, const Context& context) {
  const int r = reservation_number(reservation_id(command), b.cart_id);
  const bool of_order = b.converted && r == b.newest_reservation;
  if (r == 0 || r > b.newest_reservation) {
    d.events.emplace_back(rejected(Code::reservation_unknown));
  } else if (command.type == CommandType::inventory_reserved) {
    if (of_order) return;
    d.events.emplace_back(
        InventoryRequested{EventType::inventory_release_requested, r, false, context.settings.request_answer});
  } else if (of_order) {
    d.events.emplace_back(rejected(Code::order_placed, true));
    d.concern = Concern::rejected_after_order;
  }
}

}  // namespace mayfly::events
