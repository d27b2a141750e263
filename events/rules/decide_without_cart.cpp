// Commands whose cart does not live: never heard of, or ended (decisions.md 2 none and ended, 6).
#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/rules/merging.h"
#include "events/rules/replies.h"

#include <algorithm>

namespace mayfly::events {

namespace {

void create(Decision& d, const CartCreate& command, const Context& context, std::int64_t live_carts) {
  const auto currency = currency_in_force(command.currency);
  if (!currency) return void(d.events.emplace_back(rejected(Code::currency_unknown)));
  const auto expires_s = command.expires_after_s.value_or(context.settings.cart_idle.count / 1000);
  if (command.expires_after_s && (expires_s < limits::expires_after_min_s || expires_s > limits::expires_after_max_s)) {
    auto refusal = rejected(Code::data_invalid);
    refusal.about = "expires_after_s must be from 60 to 31536000";
    return void(d.events.emplace_back(refusal));
  }
  if (live_carts >= context.settings.live_carts) return void(d.events.emplace_back(rejected(Code::too_many_carts)));
  if (context.settings.admission_closed) {
    auto refusal = rejected(Code::try_later);
    refusal.retry_after_s = context.settings.retry_after.count / 1000;
    return void(d.events.emplace_back(refusal));
  }
  d.events.emplace_back(CartCreated{*currency, command.customer_id, expires_s});
  d.wait = {WaitChange::Kind::set, WaitKind::idle, std::min(Millis{expires_s * 1000}, context.settings.cart_life)};
}

/// Never heard of, or over for longer than epitaphs are kept: the events know which, the engine does not.
void answer_unknown(Decision& d, Text cart_id, const Command& command) {
  if (const auto* disputed = std::get_if<PaymentDisputed>(&command.data)) {
    d.events.emplace_back(disputed_event(*disputed, {}));
    return;
  }
  d.events.emplace_back(rejected(Code::cart_unknown));
  if (!is_payment_reply(command.type)) return;
  const auto says = reported(command);
  const auto tell = [&](EventType type, Minor amount) {
    d.events.emplace_back(
        stranger_event(type, says.session_id, amount, currency_of(says.currency, {}), says.reference));
  };
  if (says.money() > 0) {
    tell(EventType::payment_unmatched, says.money());
    d.concern = Concern::payment_unmatched;
    return;
  }
  if (session_number(says.session_id, cart_id) == 0) return;
  if (const auto* canceled = std::get_if<PaymentCanceled>(&command.data)) {
    tell(EventType::payment_canceled, canceled->amount_minor);
  } else if (const auto* refunded = std::get_if<PaymentRefunded>(&command.data)) {
    tell(EventType::payment_refunded, refunded->amount_minor);
  }
}

void answer_ended(Decision& d, const Ended& ended, Text cart_id, const Command& command, const Context& context) {
  const bool paid = ended.outcome == CartOutcome::converted_paid;
  const bool converted = paid || ended.outcome == CartOutcome::converted_unpaid;
  const Bygone bygone{
      cart_id,    converted,    paid, ended.order_session, ended.newest_session, ended.newest_reservation,
      Currency{}, ended.further};
  const bool of_a_checkout =
      command.type == CommandType::checkout_complete || command.type == CommandType::checkout_abandon;
  if (of_a_checkout && converted) {
    d.events.emplace_back(rejected(Code::already_converted, true));
  } else if (is_payment_reply(command.type)) {
    answer_late_payment(d, bygone, command, context);
  } else if (is_inventory_reply(command.type)) {
    answer_late_inventory(d, bygone, command, context);
  } else {
    d.events.emplace_back(rejected(Code::cart_ended));
  }
}

}  // namespace

Decision decide_without_cart(const Ended* ended, Text cart_id, const Command& command, const Context& context,
                             std::int64_t live_carts) {
  Decision d;
  if (const auto* invalid = std::get_if<Invalid>(&command.data)) {
    refuse_invalid(d, *invalid, {});
  } else if (const auto* answer = std::get_if<CartMergeAnswered>(&command.data)) {
    answered_too_late(d, *answer);
  } else if (ended != nullptr) {
    answer_ended(d, *ended, cart_id, command, context);
  } else if (const auto* cart = std::get_if<CartCreate>(&command.data)) {
    create(d, *cart, context, live_carts);
  } else {
    answer_unknown(d, cart_id, command);
  }
  return d;
}

bool creates_cart(const std::vector<Event>& events) {
  return !events.empty() && std::holds_alternative<CartCreated>(events.front());
}

}  // namespace mayfly::events
