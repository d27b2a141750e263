// The data members of each event, in the order of contract.md 7.
#include "events/wire/event_json.h"

#include "events/rules/identity.h"
#include "events/text/precondition.h"
#include "events/text/time_text.h"
#include "events/wire/json_writer.h"

#include <algorithm>

namespace mayfly::events {

namespace {

void extras(JsonObject& json, Text line_id, std::int64_t per_quantity, Text attributes) {
  json.text_if("line_id", line_id);
  if (per_quantity != 1) json.number("per_quantity", per_quantity);
  if (!attributes.empty()) json.value_of("attributes").put(attributes);
}

/// The members of a line in orders and merges.
void full_line(JsonObject& json, const Cart& cart, const Line& line) {
  json.text("sku", line.sku);
  json.number("quantity", line.quantity);
  json.number("unit_price_minor", line.unit_price_minor);
  json.text_if("name", line.name);
  if (line.extras != 0) extras(json, cart.line_id(line), cart.per_quantity(line), cart.attributes(line));
}

void append_full_lines(JsonObject& object, const Cart& cart) {
  object.array("lines", cart.lines, [&cart](JsonText& text, const Line& line) {
    JsonObject json(text);
    full_line(json, cart, line);
    json.close();
  });
}

class Writer {
 public:
  Writer(JsonText& text, const EventSurroundings& round) : json_(text), round_(round) {}
  void close() { json_.close(); }

  void operator()(const CartCreated& e) {
    json_.plain_text("currency", e.currency.view());
    json_.text_if("customer_id", e.customer_id);
    json_.number("expires_after_s", e.expires_after_s);
  }
  void operator()(const LineChanged& e) {
    json_.text("sku", e.sku);
    json_.number("quantity", e.quantity);
    json_.number("unit_price_minor", e.unit_price_minor);
    json_.text_if("name", e.name);
    extras(json_, e.line_id, e.per_quantity, e.attributes);
    json_.number("total_minor", e.total_minor);
  }
  void operator()(const CartAssigned& e) { json_.text("customer_id", e.customer_id); }
  void operator()(const CartLineRemoved& e) {
    json_.text("sku", e.sku);
    json_.text_if("line_id", e.line_id);
    json_.number("total_minor", e.total_minor);
  }
  void operator()(const CartAdjusted& e) {
    adjustments(e.adjustments);
    json_.number("total_minor", e.total_minor);
  }
  void operator()(const CartExpired&) {}
  void operator()(const CartCanceled& e) { json_.text_if("reason", e.reason); }
  void operator()(const CartMerged& e) {
    json_.text("into", e.into);
    full_lines();
  }
  void operator()(const CartMergeStarted& e) { json_.text("into", e.into); }
  void operator()(const CartMergeRefused& e) {
    json_.text("into", e.into);
    json_.plain_text("code", name(e.code));
  }
  void operator()(const CartConverted&) { order(); }
  void operator()(const CheckoutStarted&) { total(); }
  void operator()(const CheckoutReopened& e) {
    json_.plain_text("why", name(e.why));
    if (!e.skus.empty()) skus(e.skus);
    if (!e.available.empty()) available(e.available);
  }
  void operator()(const CheckoutCompleted& e) {
    order();
    total();
    if (e.captured_minor) json_.number("captured_minor", *e.captured_minor);
  }
  void operator()(const OrderCanceled& e) {
    order();
    json_.plain_text("why", name(e.why));
  }
  void operator()(const InventoryRequested& e) {
    const int number = e.number == cart_reservation ? cart().reservations : e.number;
    json_.text("reservation_id", reservation_id(round_.cart_id, number));
    stock_lines(e.with_lines);
    effect(e.type, number, 0, e.answer_within);
    if (e.type == EventType::inventory_reservation_requested) {
      time("hold_until", Millis{round_.settings.reservation_hold.count + e.hold_longer.count});
    }
  }
  void operator()(const PaymentEvent& e) {
    session(e.number, e.session_id);
    json_.number("amount_minor", e.amount_minor);
    json_.plain_text("currency", e.currency.view());
    json_.text_if("reference", e.reference);
    json_.text_if("provider", e.provider);
    json_.text_if("token", e.token);
    json_.text_if("url", e.url);
    json_.text_if("reason", e.reason);
    if (e.type == EventType::payment_session_ended) json_.plain_text("outcome", name(e.outcome));
    if (e.type == EventType::payment_disputed) json_.plain_text("state", name(e.dispute));
    if (e.type == EventType::payment_attempt_failed) json_.number("attempt", e.attempt);
    if (e.type == EventType::payment_pending) moment("expires_at", e.expires_at);
    if (e.final) json_.boolean("final", true);
    if (e.type == EventType::payment_authorization_requested && e.terms != nullptr) terms(*e.terms);
    json_.text_if("cause", name(e.cause));
    if (e.with_order) order();
    if (e.answer_within.count > 0) effect(e.type, e.number, e.key_amount_minor, e.answer_within, e.late_key);
  }
  void operator()(const OrderPlaced& e) {
    order();
    full_lines();
    kept_adjustments();
    total();
    if (e.payments.front().session > 0) payments(e.payments);
    if (e.session > 0) session(e.session, {});
    json_.text_if("payment_reference", e.reference);
    if (e.expires_at != Timestamp{}) moment("expires_at", e.expires_at);
  }
  void operator()(const CommandRejected& e) {
    std::string message{sentence(e.code)};
    if (!e.about.empty()) message.append(" ").append(e.about).append(".");
    json_.plain_text("code", name(e.code));
    json_.text("message", message);
    json_.plain_text("command_type", name(round_.command->type));
    json_.text("command_id", round_.command->id);
    if (e.with_order) order();
    if (e.total_minor) json_.number("total_minor", *e.total_minor);
    if (e.retry_after_s) json_.number("retry_after_s", *e.retry_after_s);
  }

 private:
  void order() { json_.text("order_id", order_id(round_.cart_id)); }
  /// `known`: its id where it has no number.
  void session(int number, Text known) {
    json_.text("session_id", number > 0 ? session_id(round_.cart_id, number) : known);
  }
  void total() {
    json_.number("total_minor", cart().total_minor());
    json_.plain_text("currency", cart().currency.view());
  }
  void time(std::string_view member, Millis after) { moment(member, round_.time + after); }
  void moment(std::string_view member, Timestamp at) {
    const auto text = to_text(at);
    json_.plain_text(member, {text.data(), text.size()});
  }
  void terms(const Terms& t) {
    if (t.on_command) json_.plain_text("capture", "on_command");
    if (t.capture_within_s > 0) json_.number("capture_within_s", t.capture_within_s);
    if (t.settles_within_s > 0) json_.number("settles_within_s", t.settles_within_s);
    if (t.extra_up_to_minor > 0) json_.number("extra_up_to_minor", t.extra_up_to_minor);
  }
  void payments(std::span<const OrderPayment> list) {
    const auto none = [](const OrderPayment& one) { return one.session == 0; };
    const auto given =
        list.first(static_cast<std::size_t>(std::find_if(list.begin(), list.end(), none) - list.begin()));
    json_.array("payments", given, [this](JsonText& text, const OrderPayment& one) {
      JsonObject json(text);
      json.text("session_id", session_id(round_.cart_id, one.session));
      json.number("amount_minor", one.amount_minor);
      json.text_if("reference", one.reference);
      json.close();
    });
  }
  void skus(std::span<const Text> list) {
    json_.array("skus", list, [](JsonText& text, Text sku) { text.string(sku); });
  }
  void available(std::span<const Available> list) {
    json_.array("available", list, [](JsonText& text, const Available& item) {
      JsonObject json(text);
      json.text("sku", item.sku);
      json.text_if("line_id", item.line_id);
      json.number("quantity", item.quantity);
      json.close();
    });
  }
  void effect(EventType type, int number, Minor amount, Millis answer_within, bool late = false) {
    const auto key = idempotency_key(round_.engine, round_.cart_id, round_.created, name(type), number, amount, late);
    json_.plain_text("idempotency_key", {key.data(), key.size()});
    time("deadline", answer_within);
  }
  void full_lines() { append_full_lines(json_, cart()); }
  void stock_lines(bool with_lines) {
    if (!with_lines) return json_.value_of("lines").put("[]");
    json_.array("lines", cart().lines, [this](JsonText& text, const Line& line) {
      JsonObject json(text);
      json.text("sku", line.sku);
      json.number("quantity", line.quantity);
      if (line.extras != 0) extras(json, cart().line_id(line), 1, cart().attributes(line));
      json.close();
    });
  }
  void adjustments(std::span<const Adjustment> list) {
    json_.array("adjustments", list, [this](JsonText& text, const Adjustment& a) {
      const bool bound = !a.sku.empty() || !a.line_id.empty();
      const Line* line = bound ? cart().find(a.sku, a.line_id) : nullptr;
      precondition(!bound || line != nullptr, "append_event_data: the cart has the line that is adjusted");
      adjustment(text, a, line);
    });
  }
  void kept_adjustments() {
    const auto& cart = this->cart();
    json_.array("adjustments", cart.adjustments, [&](JsonText& text, const auto& a) {
      adjustment(text, a, a.line > 0 ? &cart.lines[a.line - 1U] : nullptr);
    });
  }
  /// `line`: the one that it is bound to, or null.
  template <class OneAdjustment>
  void adjustment(JsonText& text, const OneAdjustment& a, const Line* line) {
    JsonObject json(text);
    json.plain_text("kind", name(a.kind));
    json.text("label", a.label);
    json.number("amount_minor", a.amount_minor);
    if (line != nullptr) {
      json.text("sku", line->sku);
      json.text_if("line_id", cart().line_id(*line));
    }
    if (a.included) json.boolean("included", true);
    json.close();
  }

  [[nodiscard]] const Cart& cart() const {
    precondition(round_.cart != nullptr, "append_event_data: the cart lives that the event tells of");
    return *round_.cart;
  }

  JsonObject json_;
  const EventSurroundings& round_;
};

}  // namespace

void append_event_data(std::string& out, const Event& event, const EventSurroundings& round) {
  JsonText text(out);
  Writer writer(text, round);
  std::visit(writer, event);
  writer.close();
  text.end();
}

void append_dead_lettered_data(std::string& out, DeadLetterReason reason, Position at, std::string_view command_type,
                               std::string_view command_id, std::string_view deadline_of) {
  JsonObject json(out);
  json.plain_text("reason", name(reason));
  json.number("partition", at.partition);
  json.number("offset", at.offset);
  json.text_if("command_type", command_type);
  json.text_if("command_id", command_id);
  json.text_if("cart_id", deadline_of);
  json.close();
}

void append_merge_offer_data(std::string& out, const Cart& cart, Offset merge) {
  JsonObject json(out);
  json.text("from", cart.id);
  json.number("merge", merge);
  json.plain_text("currency", cart.currency.view());
  append_full_lines(json, cart);
  json.close();
}

void append_merge_answer_data(std::string& out, std::string_view from, const MergeAnswer& answer) {
  JsonObject json(out);
  json.text("from", from);
  json.number("merge", answer.merge);
  if (answer.code) json.plain_text("code", name(*answer.code));
  json.close();
}

std::string_view sentence(Code code) {
  switch (code) {
    case Code::cart_unknown: return "There is no such cart here; create it with cart.create first.";
    case Code::cart_exists: return "A cart with this id exists already; go on with it or choose another id.";
    case Code::cart_ended: return "This cart is over; create another one under a new id.";
    case Code::already_converted: return "This cart has become an order already; see order_id.";
    case Code::checkout_in_progress: return "A checkout of this cart is running; wait for its end or send cart.cancel.";
    case Code::order_placed: return "The order of this cart is placed already; cancel or refund the order instead.";
    case Code::id_reused: return "Another command had this source and id; give each command an id of its own.";
    case Code::data_invalid: return "The command's data cannot be used:";
    case Code::currency_unknown: return "The currency is no ISO 4217 code that is in force and has minor units.";
    case Code::currency_mismatch: return "The currency is not the one of this cart.";
    case Code::quantity_out_of_range:
      return "A line's quantity must be from 1 to 1000000 (0 to remove it by cart.change_quantity).";
    case Code::amount_out_of_range: return "A line or the total would be beyond 10^15 minor units.";
    case Code::line_unknown: return "The cart has no line of this sku.";
    case Code::cart_full: return "The cart is full: 2000 lines, or 256 KiB of skus and names.";
    case Code::cart_empty: return "The cart has no lines; add one before the checkout.";
    case Code::total_negative: return "The total is negative; correct the discounts.";
    case Code::total_mismatch: return "The expected total is not the cart's; show the buyer total_minor and ask again.";
    case Code::payment_missing: return "There is something to pay; give payment with provider and token.";
    case Code::card_number_refused: return "The token is a card number; send a token of the payment provider instead.";
    case Code::attempts_exhausted: return "The cart has had 32 checkouts; create another one.";
    case Code::merge_into_self: return "A cart cannot be merged into itself.";
    case Code::too_many_carts: return "There are as many open carts as this partition may hold; try again later.";
    case Code::try_later: return "No new carts are taken at the moment; try again after retry_after_s.";
    case Code::session_unknown: return "This cart has had no such payment session.";
    case Code::reservation_unknown: return "This cart has had no such reservation.";
    case Code::reply_unexpected: return "The payment session does not wait for such a reply.";
    case Code::checkout_not_running: return "No checkout of this cart is running.";
    case Code::amount_implausible:
      return "The amount is ten times what was asked for, or more; give amounts in minor units of ISO 4217.";
    case Code::capture_unexpected: return "No payment of this cart waits to be captured by payment.capture.";
    case Code::capture_in_progress: return "A capture of this payment runs; wait for payment.captured.";
    case Code::capture_repeated: return "So much is captured already; give `final` to release the rest.";
    case Code::line_conflict: return "This line_id names a line of another sku.";
    case Code::merge_in_progress:
      return "The cart is being merged into another; wait for cart.merged or cart.merge_refused.";
    case Code::merge_over:
      return "The other cart has taken the lines, but this one was not waiting any more: they stand in both.";
  }
  return {};
}

std::string_view sentence(DeadLetterReason reason) {
  switch (reason) {
    case DeadLetterReason::too_large: return "The record's value is larger than 64 KiB.";
    case DeadLetterReason::not_cloudevent: return "The record is no CloudEvent 1.0 in binary or structured mode.";
    case DeadLetterReason::key_invalid:
      return "The record's key is no cart id: 1 to 128 bytes of UTF-8 without control characters.";
    case DeadLetterReason::subject_mismatch: return "The subject is not the record's key.";
    case DeadLetterReason::type_unknown: return "The type is none of this engine's commands.";
    case DeadLetterReason::json_invalid: return "The data is not one JSON object.";
    case DeadLetterReason::wrong_partition:
      return "The key does not belong into this partition; produce with the murmur2 partitioner.";
    case DeadLetterReason::keeps_failing: return "The command killed its cart's actor three times.";
    case DeadLetterReason::quarantined: return "The cart is quarantined because it kept dying.";
    case DeadLetterReason::state_unreadable: return "The cart's state record is damaged and has to be repaired.";
    case DeadLetterReason::source_refused: return "The command's source is not one that may send it.";
  }
  return {};
}

}  // namespace mayfly::events
