// What replies have in common, whichever state they meet (decisions.md 4, 5, 6): whose they are and what they report.
#pragma once

#include "events/rules/command.h"
#include "events/rules/decide.h"
#include "events/rules/event.h"

namespace mayfly::events {

/// What a reply says of a payment session; totals so far, nothing where it does not say.
struct Reported {
  Text session_id;
  Text reference;
  Text currency;
  std::optional<Minor> authorized;
  std::optional<Minor> captured;
  std::optional<Minor> refunded;
  std::optional<StatusState> status;  // payment.status

  /// The larger of authorized and captured; 0 if it reports no money.
  [[nodiscard]] Minor money() const;
};
/// Nothing of a command that is no payment reply, or whose data could not be read.
[[nodiscard]] Reported reported(const Command&);

/// Ten times what was to be paid, or more: a mistake of units, or of the session.
[[nodiscard]] bool is_implausible(const Reported&, Minor session_amount_minor);

/// True where payment.unresolved of that cause is an alert too. The others are listed by `mayfly funds`.
[[nodiscard]] constexpr bool calls_a_person(Cause cause) {
  return cause == Cause::none || cause == Cause::refund_failed;
}

/// payment.disputed: the reply as an event, the session named as it was received.
[[nodiscard]] PaymentEvent disputed_event(const PaymentDisputed&, Currency known);

/// A reply's reservation_id, empty for other commands.
[[nodiscard]] Text reservation_id(const Command&);

/// The currency of an amount that a reply reports: the one it gives if in force, `known` if it gives none, else XXX.
[[nodiscard]] Currency currency_of(Text given, Currency known);

[[nodiscard]] CommandRejected rejected(Code code, bool with_order = false);

/// decisions.md 1: !data_invalid, and payment.unresolved if a reply's amounts can be read.
void refuse_invalid(Decision&, const Invalid&, Currency known);

/// An event about a session that is not known: named as it was received.
[[nodiscard]] PaymentEvent stranger_event(EventType, Text session_id, Minor amount_minor, Currency, Text reference);

/// Whom a late reply meets: an ended cart's epitaph, or a live cart whose session of that number is over.
struct Bygone {
  Text cart_id;
  bool converted;
  bool paid;
  int order_session;  // W; 0 where the cart lives
  int newest_session;
  int newest_reservation;
  Currency currency;  // XXX where it is not known any more
  int further = 0;    // sessions of the order behind W
};
/// decisions.md 6, with the guards of 4 and 5 for numbers that are malformed or beyond the newest.
void answer_late_payment(Decision&, const Bygone&, const Command&, const Context&);
/// The same of session `number`, one of the cart's.
void answer_late_payment(Decision&, const Bygone&, int number, const Command&, const Context&);
void answer_late_inventory(Decision&, const Bygone&, const Command&, const Context&);

}  // namespace mayfly::events
