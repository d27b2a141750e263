// The frozen words of the contract (decisions.md 9): every name that leaves the engine, once.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mayfly::events {

enum class CommandType : std::uint8_t {
  cart_create,
  cart_add_line,
  cart_change_quantity,
  cart_remove_line,
  cart_adjust,
  cart_cancel,
  cart_merge,
  checkout_complete,
  inventory_reserved,
  inventory_rejected,
  payment_requires_action,
  payment_authorized,
  payment_declined,
  payment_captured,
  payment_capture_failed,
  payment_canceled,
  payment_refunded,
  payment_status,
  clock_tick,
  // Since contract 1.1. Fingerprints hold the number of a type: new ones come last.
  checkout_abandon,
  payment_refund_failed,
  payment_disputed,
  payment_attempt_failed,
  cart_set_line,
  cart_assign,
  payment_capture,
  payment_pending,
  cart_merge_offered,
  cart_merge_answered,
};
inline constexpr int command_type_count = 29;

enum class EventType : std::uint8_t {
  cart_created,
  cart_line_added,
  cart_quantity_changed,
  cart_line_removed,
  cart_adjusted,
  cart_expired,
  cart_canceled,
  cart_merged,
  cart_converted,
  checkout_started,
  checkout_reopened,
  checkout_completed,
  inventory_reservation_requested,
  inventory_commit_requested,
  inventory_release_requested,
  payment_session_opened,
  payment_authorization_requested,
  payment_action_required,
  payment_authorized,
  payment_declined,
  payment_in_doubt,
  payment_status_requested,
  payment_capture_requested,
  payment_captured,
  payment_cancel_requested,
  payment_canceled,
  payment_refund_requested,
  payment_refunded,
  payment_unresolved,
  payment_session_ended,
  order_placed,
  command_rejected,
  command_dead_lettered,
  payment_attempt_failed,
  payment_unmatched,
  payment_disputed,
  cart_assigned,
  order_pending,
  order_canceled,
  payment_pending,
  cart_merge_started,
  cart_merge_refused,
};
inline constexpr int event_type_count = 42;

/// Why a command was refused: `code` of command.rejected.
enum class Code : std::uint8_t {
  cart_unknown,
  cart_exists,
  cart_ended,
  already_converted,
  checkout_in_progress,
  order_placed,
  id_reused,
  data_invalid,
  currency_unknown,
  currency_mismatch,
  quantity_out_of_range,
  amount_out_of_range,
  line_unknown,
  cart_full,
  cart_empty,
  total_negative,
  total_mismatch,
  payment_missing,
  card_number_refused,
  attempts_exhausted,
  merge_into_self,
  too_many_carts,
  try_later,
  session_unknown,
  reservation_unknown,
  reply_unexpected,
  checkout_not_running,
  amount_implausible,
  line_conflict,
  capture_unexpected,
  capture_in_progress,
  capture_repeated,
  merge_in_progress,
  merge_over,
};
inline constexpr int code_count = 34;

/// Why a record became a dead letter.
enum class DeadLetterReason : std::uint8_t {
  too_large,
  not_cloudevent,
  key_invalid,
  subject_mismatch,
  type_unknown,
  json_invalid,
  wrong_partition,
  keeps_failing,
  quarantined,
  state_unreadable,
  source_refused,
};
inline constexpr int dead_letter_reason_count = 11;

/// `outcome` of payment.session_ended.
enum class SessionOutcome : std::uint8_t {
  captured,
  declined,
  canceled,
  refunded,
  capture_failed,
  unresolved,
  abandoned,
  refund_failed,
  refund_pending,
  capture_expired,
};
inline constexpr int session_outcome_count = 10;

/// `cause` of payment.unresolved, where it says one.
enum class Cause : std::uint8_t { none, abandoned, refund_pending, refund_failed };

/// `state` of payment.disputed.
enum class DisputeState : std::uint8_t { opened, won, lost };

/// `why` of checkout.reopened and order.canceled; `canceled`, `paid` and `released` are the ends of a session that
/// reopen nothing: the first closes with cart.canceled, the second with checkout.completed, the third with one of
/// checkout.completed and order.canceled (decisions.md 5.3).
enum class Why : std::uint8_t {
  out_of_stock,
  reservation_timeout,
  payment_declined,
  payment_canceled,
  payment_short,
  partial_authorization,
  payment_expired,
  payment_unknown,
  canceled,
  paid,
  abandoned,
  released,
};
inline constexpr int why_count = 12;

enum class AdjustmentKind : std::uint8_t { shipping, tax, discount, fee };

/// `state` of payment.status.
enum class StatusState : std::uint8_t {
  pending,
  requires_action,
  authorized,
  captured,
  refunded,
  declined,
  canceled,
  not_found,
  refund_pending,
};

/// The name without prefix and suffix, e.g. "cart.add_line".
std::string_view name(CommandType);
std::string_view name(EventType);
/// The whole ce_type, e.g. "dev.mayfly.cart.add_line.v1".
std::string_view ce_type(CommandType);
std::string_view ce_type(EventType);
std::string_view name(Code);
std::string_view name(DeadLetterReason);
std::string_view name(SessionOutcome);
std::string_view name(Why);
/// Empty for none.
std::string_view name(Cause);
std::string_view name(DisputeState);
std::string_view name(AdjustmentKind);
std::string_view name(StatusState);

std::optional<CommandType> command_type_from_ce_type(std::string_view);
/// From the short name, "cart.add_line".
std::optional<CommandType> command_type_from_name(std::string_view);
std::optional<EventType> event_type_from_ce_type(std::string_view);
std::optional<Code> code_from_name(std::string_view);
std::optional<AdjustmentKind> adjustment_kind_from_name(std::string_view);
std::optional<StatusState> status_state_from_name(std::string_view);
/// None where it is no cause.
Cause cause_from_name(std::string_view);
std::optional<DisputeState> dispute_state_from_name(std::string_view);
std::optional<DeadLetterReason> dead_letter_reason_from_name(std::string_view);

/// cart.*, checkout.* and payment.capture: what the shop sends, and what is remembered to find repeats. The lines that
/// another cart offers are among them.
constexpr bool is_shop_command(CommandType t) {
  return t <= CommandType::checkout_complete || t == CommandType::checkout_abandon ||
         (t >= CommandType::cart_set_line && t <= CommandType::payment_capture) || t == CommandType::cart_merge_offered;
}
/// What the engine alone writes, from cart to cart.
constexpr bool is_of_merge(CommandType t) {
  return t == CommandType::cart_merge_offered || t == CommandType::cart_merge_answered;
}
/// What nobody but the engine may send.
constexpr bool is_engines_command(CommandType t) { return t == CommandType::clock_tick || is_of_merge(t); }
/// payment.* but payment.capture: what a payment connector sends.
constexpr bool is_payment_reply(CommandType t) {
  return (t >= CommandType::payment_requires_action && t <= CommandType::payment_status) ||
         (t >= CommandType::payment_refund_failed && t <= CommandType::payment_attempt_failed) ||
         t == CommandType::payment_pending;
}
constexpr bool is_inventory_reply(CommandType t) {
  return t == CommandType::inventory_reserved || t == CommandType::inventory_rejected;
}
/// payment.* events: what concerns money.
constexpr bool is_payment_event(EventType t) {
  return (t >= EventType::payment_session_opened && t <= EventType::payment_session_ended) ||
         (t >= EventType::payment_attempt_failed && t <= EventType::payment_disputed) ||
         t == EventType::payment_pending;
}

}  // namespace mayfly::events
