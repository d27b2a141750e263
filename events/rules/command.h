// What comes in, after reading: the commands of contract.md 6 as types. Plain values that view memory of the
// batch they came with (the record itself, or its arena): a command must not outlive its batch.
#pragma once

#include "events/log/types.h"
#include "events/rules/money.h"
#include "events/rules/settings.h"
#include "events/rules/tenders.h"
#include "events/rules/words.h"

#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace mayfly::events {

using Text = std::string_view;  // valid UTF-8; empty means absent where the member is optional

struct Adjustment {
  AdjustmentKind kind;
  Text label;
  Minor amount_minor;     // >= 0; a discount is subtracted
  bool included = false;  // shown, not added
  Text sku{};             // of the line that it is bound to; both empty: of the whole cart
  Text line_id{};
};

/// What an adjustment adds to the total.
constexpr Minor signed_minor(AdjustmentKind kind, bool included, Minor amount_minor) {
  if (included) return 0;
  return kind == AdjustmentKind::discount ? -amount_minor : amount_minor;
}

struct CartCreate {
  Text currency;  // as given, not yet looked up
  Text customer_id;
  std::optional<std::int64_t> expires_after_s;
};
struct CartAddLine {
  Text sku;
  std::int64_t quantity;
  Minor unit_price_minor;
  Text name;
  Text currency;
  Text line_id{};
  std::int64_t per_quantity = 1;     // 1..1,000,000: how many of the quantity the price is for
  std::optional<Text> attributes{};  // an object of texts as this engine writes JSON; empty: without members
};
/// As CartAddLine, but the whole line; `quantity` 0: remove it.
struct CartSetLine {
  CartAddLine line;
};
struct CartChangeQuantity {
  Text sku;
  std::int64_t quantity;
  Text line_id{};
};
struct CartRemoveLine {
  Text sku;
  Text line_id{};
};
struct CartAssign {
  Text customer_id;
};
struct CartAdjust {
  std::span<const Adjustment> adjustments;  // may be over 512: decide refuses that
};
struct CartCancel {
  Text reason;
};
struct CartMerge {
  Text into;  // a string; decide says whether it is a cart id
};
/// From the cart `from`, by the engine: take these lines, all or none, and say which.
struct CartMergeOffered {
  Text from;
  Offset merge;  // of its cart.merge: names the merge in the answer
  Text currency;
  std::span<const CartAddLine> lines;  // no two of one name; without currency
};
/// From the cart `from` that was offered lines, by the engine.
struct CartMergeAnswered {
  Text from;
  Offset merge;
  std::optional<Code> code;  // why it took none; none: it took all
};
/// When the money comes, and how much more than the total may (contract.md 6.1). As they are made: at once, all of it.
struct Terms {
  bool on_command = false;            // captured by payment.capture, not as soon as it is authorized
  std::int32_t capture_within_s = 0;  // on_command: since order.placed
  std::int32_t settles_within_s = 0;  // since the session opened; 0: the payment is decided within an hour
  Minor extra_up_to_minor = 0;        // an agreed tip or surcharge
  bool operator==(const Terms&) const = default;
  [[nodiscard]] bool any() const { return !(*this == Terms{}); }
};
struct CheckoutComplete {
  Minor expected_total_minor;
  bool has_payment;
  Text provider;
  Text token;
  Terms terms{};
  std::span<const TenderAsked> payments{};  // in place of the others; empty: none
};
struct PaymentCapture {
  Text session_id;                   // empty: the open one
  std::optional<Minor> total_minor;  // all that shall have been captured then; none: the session's amount
  bool final = false;                // the rest will not be asked for
};
struct CheckoutAbandon {
  Text reason;
};
struct InventoryReserved {
  Text reservation_id;
};
/// What inventory could still give of a line.
struct Available {
  Text sku;
  Text line_id;
  std::int64_t quantity;
};
struct InventoryRejected {
  Text reservation_id;
  std::span<const Text> skus;
  Text reason;
  std::span<const Available> available{};
};
struct PaymentRequiresAction {
  Text session_id;
  Text url;
  std::optional<std::int64_t> expires_after_s;
};
struct PaymentAuthorized {
  Text session_id;
  Text reference;
  Minor amount_minor;
  Text currency;
  std::optional<std::int64_t> expires_after_s{};  // 1..7,776,000
};
struct PaymentPending {
  Text session_id;
  Text reference;
  std::optional<std::int64_t> expires_after_s{};  // 1..7,776,000
};
struct PaymentDeclined {
  Text session_id;
  Text reference;
  Text reason;
  bool retryable;
};
struct PaymentCaptured {
  Text session_id;
  Text reference;
  Minor amount_minor;
  Text currency;
  bool final = false;  // no more can be captured
};
struct PaymentCaptureFailed {
  Text session_id;
  Text reason;
  bool retryable;
  Text reference;
  Text currency;
};
struct PaymentCanceled {
  Text session_id;
  Text reference;
  Minor amount_minor;
  Text currency;
};
struct PaymentRefunded {
  Text session_id;
  Text reference;
  Minor amount_minor;
  Text currency;
};
struct PaymentStatus {
  Text session_id;
  StatusState state;
  Minor authorized_minor;
  Minor captured_minor;
  Minor refunded_minor;
  Text reference;
  Text currency;
};
struct PaymentRefundFailed {
  Text session_id;
  Minor amount_minor;  // not given back
  Text currency;
  Text reason;
  bool retryable;
  Text reference;
};
struct PaymentDisputed {
  Text session_id;
  Minor amount_minor;
  Text currency;
  DisputeState state;
  Text reference;
  Text reason;
};
struct PaymentAttemptFailed {
  Text session_id;
  Text reason;
  std::optional<std::int64_t> attempt;  // 1..1,000,000
  Text reference;
};
struct ClockTick {
  std::optional<Timestamp> at;  // absent or unreadable, or the tick is nobody's who may write one: it is ignored
  Offset through;
  const Settings* settings;  // whole: what the tick leaves out keeps its value (the codec merges); null: none
  Text release{};            // a cart to be let out of quarantine (docs/actors.md)
  Text refused{};            // why it may not be taken, a sentence; empty: it may
  bool own = false;          // the engine's: `at` is by its clock, and not by that of `mayfly deadletters`
};

/// Not a record: the partition tells a cart that its wait is over (decisions.md 3).
enum class WaitKind : std::uint8_t {
  none,
  idle,
  reservation,
  authorization,
  action,
  pending,
  capture,
  cancel,
  refund,
  capture_retry,
  status_try,
  settle,
  hold,
  refund_retry,
  merge,
};
std::string_view name(WaitKind);
struct DeadlineReached {
  WaitKind kind;
};

/// The members of a known type could not be read: refused as data_invalid. `about` says which member and why,
/// without quoting its value. A reply whose amounts can be read all the same says so (decisions.md 1).
struct Invalid {
  CommandType type;
  Text about;
  Text session_id;                   // a reply's, where it could be read
  std::optional<Minor> money_minor;  // the larger of authorized and captured where readable and > 0
  Text currency;
};

using CommandData =
    std::variant<CartCreate, CartAddLine, CartChangeQuantity, CartRemoveLine, CartAdjust, CartCancel, CartMerge,
                 CheckoutComplete, InventoryReserved, InventoryRejected, PaymentRequiresAction, PaymentAuthorized,
                 PaymentDeclined, PaymentCaptured, PaymentCaptureFailed, PaymentCanceled, PaymentRefunded,
                 PaymentStatus, ClockTick, DeadlineReached, Invalid, CheckoutAbandon, PaymentRefundFailed,
                 PaymentDisputed, PaymentAttemptFailed, CartSetLine, CartAssign, PaymentCapture, PaymentPending,
                 CartMergeOffered, CartMergeAnswered>;

/// What recognises a repeated shop command: 64 keyed bits of source + id, 32 of type + known members.
struct Fingerprint {
  std::uint64_t id = 0;
  std::uint32_t body = 0;
  bool operator==(const Fingerprint&) const = default;
};

struct Command {
  CommandType type;  // for DeadlineReached: clock_tick
  CommandData data;
  Text id;                  // ce_id, as in ce_causationid and command_id
  Fingerprint fingerprint;  // shop commands only
};

/// Where and when: all that a decision may know besides state and command.
struct Context {
  Position at;     // of the command's record
  Timestamp time;  // its log-append time
  const Settings& settings;
};

}  // namespace mayfly::events
