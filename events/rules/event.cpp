#include "events/rules/event.h"

namespace mayfly::events {

namespace {

struct TypeOf {
  EventType operator()(const CartCreated&) const { return EventType::cart_created; }
  EventType operator()(const LineChanged& e) const { return e.type; }
  EventType operator()(const CartLineRemoved&) const { return EventType::cart_line_removed; }
  EventType operator()(const CartAdjusted&) const { return EventType::cart_adjusted; }
  EventType operator()(const CartExpired&) const { return EventType::cart_expired; }
  EventType operator()(const CartCanceled&) const { return EventType::cart_canceled; }
  EventType operator()(const CartMerged&) const { return EventType::cart_merged; }
  EventType operator()(const CartConverted&) const { return EventType::cart_converted; }
  EventType operator()(const CheckoutStarted&) const { return EventType::checkout_started; }
  EventType operator()(const CheckoutReopened&) const { return EventType::checkout_reopened; }
  EventType operator()(const CheckoutCompleted&) const { return EventType::checkout_completed; }
  EventType operator()(const InventoryRequested& e) const { return e.type; }
  EventType operator()(const PaymentEvent& e) const { return e.type; }
  EventType operator()(const OrderPlaced& e) const {
    return e.expires_at == Timestamp{} ? EventType::order_placed : EventType::order_pending;
  }
  EventType operator()(const OrderCanceled&) const { return EventType::order_canceled; }
  EventType operator()(const CommandRejected&) const { return EventType::command_rejected; }
  EventType operator()(const CartAssigned&) const { return EventType::cart_assigned; }
  EventType operator()(const CartMergeStarted&) const { return EventType::cart_merge_started; }
  EventType operator()(const CartMergeRefused&) const { return EventType::cart_merge_refused; }
};

}  // namespace

EventType type_of(const Event& event) { return std::visit(TypeOf{}, event); }

}  // namespace mayfly::events
