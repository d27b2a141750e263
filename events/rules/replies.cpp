#include "events/rules/replies.h"

#include "events/rules/identity.h"

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
  template <class Other>
  Reported operator()(const Other&) const {
    return {};
  }
};

PaymentEvent late_event(EventType type, int number, Minor amount, const Bygone& bygone, const Reported& says) {
  PaymentEvent e{};
  e.type = type;
  e.number = number;
  e.amount_minor = amount;
  e.currency = currency_of(says.currency, bygone.currency);
  e.reference = says.reference;
  return e;
}

PaymentEvent late_request(EventType type, int number, Minor amount, const Bygone& bygone, const Reported& says,
                          const Context& context) {
  auto e = late_event(type, number, amount, bygone, says);
  e.answer_within = context.settings.request_answer;
  e.key_amount_minor = amount;
  return e;
}

}  // namespace

Minor Reported::money() const { return std::max(authorized.value_or(0), captured.value_or(0)); }

Reported reported(const Command& command) { return std::visit(Report{}, command.data); }

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
  d.events.emplace_back(
      unresolved_stranger(invalid.session_id, *invalid.money_minor, currency_of(invalid.currency, known), {}));
  d.concern = Concern::payment_unresolved;
}

PaymentEvent unresolved_stranger(Text session_id, Minor amount_minor, Currency currency, Text reference) {
  PaymentEvent e{};
  e.type = EventType::payment_unresolved;
  e.session_id = session_id;
  e.amount_minor = amount_minor;
  e.currency = currency;
  e.reference = reference;
  return e;
}

void answer_late_payment(Decision& d, const Bygone& b, const Command& command, const Context& context) {
  const auto says = reported(command);
  const int n = session_number(says.session_id, b.cart_id);
  const auto status = says.status;
  const bool tells_captures =
      command.type == CommandType::payment_captured || command.type == CommandType::payment_status;
  const Minor held = says.captured.value_or(0) - says.refunded.value_or(0);
  if (n == 0 || n > b.newest_session) {
    d.events.emplace_back(rejected(Code::session_unknown));
    if (says.money() <= 0) return;
    d.events.emplace_back(
        unresolved_stranger(says.session_id, says.money(), currency_of(says.currency, b.currency), says.reference));
    d.concern = Concern::payment_unresolved;
    return;
  }
  if (b.order_session == n && b.paid) return;
  if (b.order_session == n) {
    if (says.captured.value_or(0) > 0) {
      d.events.emplace_back(late_event(EventType::payment_captured, n, *says.captured, b, says));
    }
    return;
  }
  const auto at_risk = [&](EventType request, Minor amount) {
    d.events.emplace_back(late_request(request, n, amount, b, says, context));
    auto unresolved = late_event(EventType::payment_unresolved, n, amount, b, says);
    unresolved.with_order = b.converted;
    d.events.emplace_back(unresolved);
    d.concern = Concern::payment_unresolved;
  };
  if (tells_captures && held > 0) return at_risk(EventType::payment_refund_requested, held);
  if (command.type == CommandType::payment_authorized || status == StatusState::authorized) {
    return at_risk(EventType::payment_cancel_requested, says.authorized.value_or(0));
  }
  if (const auto* canceled = std::get_if<PaymentCanceled>(&command.data)) {
    d.events.emplace_back(late_event(EventType::payment_canceled, n, canceled->amount_minor, b, says));
  } else if (status == StatusState::canceled) {
    d.events.emplace_back(late_event(EventType::payment_canceled, n, says.authorized.value_or(0), b, says));
  } else if (command.type == CommandType::payment_refunded || status == StatusState::refunded) {
    d.events.emplace_back(late_event(EventType::payment_refunded, n, says.refunded.value_or(0), b, says));
  }
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
