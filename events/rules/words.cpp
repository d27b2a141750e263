// The words themselves, in the order of their enumerators.
#include "events/rules/words.h"

#include "events/log/log.h"
#include "events/log/record.h"
#include "events/rules/command.h"

#include <array>

namespace mayfly::events {

namespace {

/// A name with the prefix and suffix of a ce_type; the short name is the part between.
struct TypeWord {
  std::string_view ce_type;
  [[nodiscard]] constexpr std::string_view name() const {
    constexpr std::size_t prefix = std::string_view("dev.mayfly.").size();
    constexpr std::size_t suffix = std::string_view(".v1").size();
    return ce_type.substr(prefix, ce_type.size() - prefix - suffix);
  }
};

constexpr std::array command_types{
    TypeWord{"dev.mayfly.cart.create.v1"},
    TypeWord{"dev.mayfly.cart.add_line.v1"},
    TypeWord{"dev.mayfly.cart.change_quantity.v1"},
    TypeWord{"dev.mayfly.cart.remove_line.v1"},
    TypeWord{"dev.mayfly.cart.adjust.v1"},
    TypeWord{"dev.mayfly.cart.cancel.v1"},
    TypeWord{"dev.mayfly.cart.merge.v1"},
    TypeWord{"dev.mayfly.checkout.complete.v1"},
    TypeWord{"dev.mayfly.inventory.reserved.v1"},
    TypeWord{"dev.mayfly.inventory.rejected.v1"},
    TypeWord{"dev.mayfly.payment.requires_action.v1"},
    TypeWord{"dev.mayfly.payment.authorized.v1"},
    TypeWord{"dev.mayfly.payment.declined.v1"},
    TypeWord{"dev.mayfly.payment.captured.v1"},
    TypeWord{"dev.mayfly.payment.capture_failed.v1"},
    TypeWord{"dev.mayfly.payment.canceled.v1"},
    TypeWord{"dev.mayfly.payment.refunded.v1"},
    TypeWord{"dev.mayfly.payment.status.v1"},
    TypeWord{"dev.mayfly.clock.tick.v1"},
    TypeWord{"dev.mayfly.checkout.abandon.v1"},
    TypeWord{"dev.mayfly.payment.refund_failed.v1"},
    TypeWord{"dev.mayfly.payment.disputed.v1"},
    TypeWord{"dev.mayfly.payment.attempt_failed.v1"},
    TypeWord{"dev.mayfly.cart.set_line.v1"},
    TypeWord{"dev.mayfly.cart.assign.v1"},
    TypeWord{"dev.mayfly.payment.capture.v1"},
    TypeWord{"dev.mayfly.payment.pending.v1"},
    TypeWord{"dev.mayfly.cart.merge_offered.v1"},
    TypeWord{"dev.mayfly.cart.merge_answered.v1"},
};
constexpr std::array event_types{
    TypeWord{"dev.mayfly.cart.created.v1"},
    TypeWord{"dev.mayfly.cart.line_added.v1"},
    TypeWord{"dev.mayfly.cart.quantity_changed.v1"},
    TypeWord{"dev.mayfly.cart.line_removed.v1"},
    TypeWord{"dev.mayfly.cart.adjusted.v1"},
    TypeWord{"dev.mayfly.cart.expired.v1"},
    TypeWord{"dev.mayfly.cart.canceled.v1"},
    TypeWord{"dev.mayfly.cart.merged.v1"},
    TypeWord{"dev.mayfly.cart.converted.v1"},
    TypeWord{"dev.mayfly.checkout.started.v1"},
    TypeWord{"dev.mayfly.checkout.reopened.v1"},
    TypeWord{"dev.mayfly.checkout.completed.v1"},
    TypeWord{"dev.mayfly.inventory.reservation_requested.v1"},
    TypeWord{"dev.mayfly.inventory.commit_requested.v1"},
    TypeWord{"dev.mayfly.inventory.release_requested.v1"},
    TypeWord{"dev.mayfly.payment.session_opened.v1"},
    TypeWord{"dev.mayfly.payment.authorization_requested.v1"},
    TypeWord{"dev.mayfly.payment.action_required.v1"},
    TypeWord{"dev.mayfly.payment.authorized.v1"},
    TypeWord{"dev.mayfly.payment.declined.v1"},
    TypeWord{"dev.mayfly.payment.in_doubt.v1"},
    TypeWord{"dev.mayfly.payment.status_requested.v1"},
    TypeWord{"dev.mayfly.payment.capture_requested.v1"},
    TypeWord{"dev.mayfly.payment.captured.v1"},
    TypeWord{"dev.mayfly.payment.cancel_requested.v1"},
    TypeWord{"dev.mayfly.payment.canceled.v1"},
    TypeWord{"dev.mayfly.payment.refund_requested.v1"},
    TypeWord{"dev.mayfly.payment.refunded.v1"},
    TypeWord{"dev.mayfly.payment.unresolved.v1"},
    TypeWord{"dev.mayfly.payment.session_ended.v1"},
    TypeWord{"dev.mayfly.order.placed.v1"},
    TypeWord{"dev.mayfly.command.rejected.v1"},
    TypeWord{"dev.mayfly.command.dead_lettered.v1"},
    TypeWord{"dev.mayfly.payment.attempt_failed.v1"},
    TypeWord{"dev.mayfly.payment.unmatched.v1"},
    TypeWord{"dev.mayfly.payment.disputed.v1"},
    TypeWord{"dev.mayfly.cart.assigned.v1"},
    TypeWord{"dev.mayfly.order.pending.v1"},
    TypeWord{"dev.mayfly.order.canceled.v1"},
    TypeWord{"dev.mayfly.payment.pending.v1"},
    TypeWord{"dev.mayfly.cart.merge_started.v1"},
    TypeWord{"dev.mayfly.cart.merge_refused.v1"},
};
constexpr std::string_view codes[] = {
    "cart_unknown",
    "cart_exists",
    "cart_ended",
    "already_converted",
    "checkout_in_progress",
    "order_placed",
    "id_reused",
    "data_invalid",
    "currency_unknown",
    "currency_mismatch",
    "quantity_out_of_range",
    "amount_out_of_range",
    "line_unknown",
    "cart_full",
    "cart_empty",
    "total_negative",
    "total_mismatch",
    "payment_missing",
    "card_number_refused",
    "attempts_exhausted",
    "merge_into_self",
    "too_many_carts",
    "try_later",
    "session_unknown",
    "reservation_unknown",
    "reply_unexpected",
    "checkout_not_running",
    "amount_implausible",
    "line_conflict",
    "capture_unexpected",
    "capture_in_progress",
    "capture_repeated",
    "merge_in_progress",
    "merge_over",
};
constexpr std::string_view reasons[] = {
    "too_large",       "not_cloudevent", "key_invalid", "subject_mismatch", "type_unknown",   "json_invalid",
    "wrong_partition", "keeps_failing",  "quarantined", "state_unreadable", "source_refused",
};
constexpr std::string_view outcomes[] = {
    "captured",   "declined",  "canceled",      "refunded",       "capture_failed",
    "unresolved", "abandoned", "refund_failed", "refund_pending", "capture_expired",
};
constexpr std::string_view causes[] = {"", "abandoned", "refund_pending", "refund_failed"};
constexpr std::string_view dispute_states[] = {"opened", "won", "lost"};
constexpr std::string_view whys[] = {
    "out_of_stock",     "reservation_timeout",
    "payment_declined", "payment_canceled",
    "payment_short",    "partial_authorization",
    "payment_expired",  "payment_unknown",
    "canceled",         "paid",
    "abandoned",        "released",
};
constexpr std::string_view adjustment_kinds[] = {
    "shipping",
    "tax",
    "discount",
    "fee",
};
constexpr std::string_view status_states[] = {
    "pending",  "requires_action", "authorized", "captured",       "refunded",
    "declined", "canceled",        "not_found",  "refund_pending",
};
constexpr std::string_view wait_kinds[] = {
    "none",   "idle",          "reservation", "authorization", "action", "pending",      "capture", "cancel",
    "refund", "capture_retry", "status_try",  "settle",        "hold",   "refund_retry", "merge",
};
constexpr std::string_view streams[] = {
    "checkout.commands.v1", "checkout.events.v1", "checkout.state.v1", "checkout.deadletters.v1", "checkout.alerts.v1",
};
constexpr std::string_view log_errors[] = {
    "none", "unavailable", "fenced", "owned", "full", "corrupt", "invalid",
};
constexpr std::string_view commit_outcomes[] = {
    "committed", "aborted", "indefinite", "fenced", "failed",
};

template <class Enum>
constexpr std::size_t at(Enum e) {
  return static_cast<std::size_t>(e);
}

static_assert(command_types.size() == command_type_count);
static_assert(event_types.size() == event_type_count);
static_assert(std::size(codes) == code_count);
static_assert(std::size(reasons) == dead_letter_reason_count);
static_assert(std::size(outcomes) == session_outcome_count);
static_assert(std::size(whys) == why_count);
static_assert(std::size(streams) == stream_count);

template <class Enum, class Words, class Key>
std::optional<Enum> find(const Words& words, std::string_view wanted, Key key) {
  for (std::size_t i = 0; i < std::size(words); ++i) {
    if (key(words[i]) == wanted) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

constexpr auto by_ce_type = [](const TypeWord& word) { return word.ce_type; };
constexpr auto itself = [](std::string_view word) { return word; };

}  // namespace

std::string_view name(CommandType t) { return command_types[at(t)].name(); }
std::string_view name(EventType t) { return event_types[at(t)].name(); }
std::string_view ce_type(CommandType t) { return command_types[at(t)].ce_type; }
std::string_view ce_type(EventType t) { return event_types[at(t)].ce_type; }
std::string_view name(Code c) { return codes[at(c)]; }
std::string_view name(DeadLetterReason r) { return reasons[at(r)]; }
std::string_view name(SessionOutcome o) { return outcomes[at(o)]; }
std::string_view name(Why w) { return whys[at(w)]; }
std::string_view name(Cause c) { return causes[at(c)]; }
std::string_view name(DisputeState s) { return dispute_states[at(s)]; }
std::string_view name(AdjustmentKind k) { return adjustment_kinds[at(k)]; }
std::string_view name(StatusState s) { return status_states[at(s)]; }
std::string_view name(WaitKind k) { return wait_kinds[at(k)]; }
std::string_view name(Stream s) { return streams[at(s)]; }
std::string_view name(LogError e) { return log_errors[at(e)]; }
std::string_view name(CommitOutcome o) { return commit_outcomes[at(o)]; }

std::optional<CommandType> command_type_from_ce_type(std::string_view wanted) {
  return find<CommandType>(command_types, wanted, by_ce_type);
}
std::optional<CommandType> command_type_from_name(std::string_view wanted) {
  return find<CommandType>(command_types, wanted, [](const TypeWord& word) { return word.name(); });
}
std::optional<EventType> event_type_from_ce_type(std::string_view wanted) {
  return find<EventType>(event_types, wanted, by_ce_type);
}
std::optional<Code> code_from_name(std::string_view wanted) { return find<Code>(codes, wanted, itself); }
std::optional<AdjustmentKind> adjustment_kind_from_name(std::string_view wanted) {
  return find<AdjustmentKind>(adjustment_kinds, wanted, itself);
}
std::optional<StatusState> status_state_from_name(std::string_view wanted) {
  return find<StatusState>(status_states, wanted, itself);
}
Cause cause_from_name(std::string_view wanted) { return find<Cause>(causes, wanted, itself).value_or(Cause::none); }
std::optional<DisputeState> dispute_state_from_name(std::string_view wanted) {
  return find<DisputeState>(dispute_states, wanted, itself);
}
std::optional<DeadLetterReason> dead_letter_reason_from_name(std::string_view wanted) {
  return find<DeadLetterReason>(reasons, wanted, itself);
}

}  // namespace mayfly::events
