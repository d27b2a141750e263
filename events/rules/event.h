// What goes out: the events of contract.md 7 as types. An event holds only what its cart does not know anyway
// (the lines of order.placed, the currency of checkout.completed come from the cart when it is encoded), and views
// memory of its command and its cart: encode it before the cart evolves.
#pragma once

#include "events/log/types.h"
#include "events/rules/command.h"
#include "events/rules/money.h"
#include "events/rules/tenders.h"
#include "events/rules/words.h"

#include <array>
#include <optional>
#include <span>
#include <variant>

namespace mayfly::events {

struct CartCreated {
  Currency currency;
  Text customer_id;
  std::int64_t expires_after_s;
};
/// cart.line_added and cart.quantity_changed: the line and the cart's total as they are afterwards.
struct LineChanged {
  EventType type;
  Text sku;
  std::int64_t quantity;
  Minor unit_price_minor;
  Text name;
  Minor total_minor;
  Text line_id{};
  std::int64_t per_quantity = 1;
  Text attributes{};  // as in CartAddLine; empty: none
};
/// Adjustments that are bound to the line go with it.
struct CartLineRemoved {
  Text sku;
  Minor total_minor;
  Text line_id{};
};
struct CartAssigned {
  Text customer_id;
};
struct CartAdjusted {
  std::span<const Adjustment> adjustments;
  Minor total_minor;
};
struct CartExpired {};
struct CartCanceled {
  Text reason;
};
struct CartMerged {
  Text into;
};
/// The lines are offered to `into`.
struct CartMergeStarted {
  Text into;
};
/// The lines stay. `unanswered`: the other cart may still take them; not on the wire.
struct CartMergeRefused {
  Text into;
  Code code;
  bool unanswered = false;
};
/// `paid` and the session number W decide what late replies meet (decisions.md 6); not on the wire.
struct CartConverted {
  bool paid;
  int session;
  int further = 0;  // sessions of the order, numbered on from W
};
/// provider, token and terms wait in the cart for the reservation; not on the wire.
struct CheckoutStarted {
  Text provider;
  Text token;
  Terms terms{};
  std::span<const TenderAsked> payments{};
};
struct CheckoutReopened {
  Why why;
  std::span<const Text> skus;              // out_of_stock only
  std::span<const Available> available{};  // the same
};
struct CheckoutCompleted {
  std::optional<Minor> captured_minor{};  // where it is not the total
};
/// The cart's newest reservation, where the session decides, which does not know its number.
inline constexpr int cart_reservation = 0;
/// inventory.*_requested of reservation `number`. Lines are the cart's where `with_lines`, else none: a late
/// release concerns a reservation whose lines may not be the cart's any more.
struct InventoryRequested {
  EventType type;
  int number;
  bool with_lines;
  Millis answer_within;  // `deadline` = record time + this
  Millis hold_longer{};  // reservation_requested: beyond reservation_hold
};
/// Every payment.* event. Members that its type does not have stay empty.
struct PaymentEvent {
  EventType type;
  int number;       // session number; 0: write `session_id` as it was received
  Text session_id;  // only with number 0
  Minor amount_minor;
  Currency currency;
  Text reference;
  Text provider;               // session_opened, authorization_requested
  Text token;                  // authorization_requested
  Text url;                    // action_required
  Text reason;                 // declined, attempt_failed, disputed
  SessionOutcome outcome;      // session_ended
  bool with_order = false;     // unresolved: the cart's order is placed, name it
  Millis answer_within;        // *_requested
  Minor key_amount_minor = 0;  // *_requested: the amount that goes into idempotency_key
  bool late_key = false;       // refund_requested of a session that is over: its key is none of those asked while open
  Cause cause = Cause::none;   // unresolved
  std::int64_t attempt = 0;    // attempt_failed
  DisputeState dispute = DisputeState::opened;  // disputed
  const Terms* terms = nullptr;                 // session_opened, authorization_requested: null where there are none
  Timestamp expires_at{};                       // pending
  bool final = false;                           // capture_requested
  bool next_tender = false;                     // session_opened: the open payment goes on with it
  const Tenders* tenders = nullptr;             // session_opened of the first tender
};
/// What one tender pays of an order.
struct OrderPayment {
  int session;  // 0: there is none
  Minor amount_minor;
  Text reference;
};
/// order.placed; with `expires_at` order.pending.
struct OrderPlaced {
  int session;  // 0: nothing was to be paid
  Text reference;
  Timestamp expires_at{};
  std::array<OrderPayment, limits::tenders> payments{};  // of several tenders, in place of session and reference
};
struct OrderCanceled {
  Why why;
};
struct CommandRejected {
  Code code;
  Text about;  // which member and why; empty: the code says all
  bool with_order = false;
  std::optional<Minor> total_minor;
  std::optional<std::int64_t> retry_after_s;
};

using Event =
    std::variant<CartCreated, LineChanged, CartLineRemoved, CartAdjusted, CartExpired, CartCanceled, CartMerged,
                 CartConverted, CheckoutStarted, CheckoutReopened, CheckoutCompleted, InventoryRequested, PaymentEvent,
                 OrderPlaced, CommandRejected, CartAssigned, OrderCanceled, CartMergeStarted, CartMergeRefused>;

[[nodiscard]] EventType type_of(const Event&);

}  // namespace mayfly::events
