// The seam between the model's texts and the types of events/: steps in, lines out.
#include "rules/model/engine_side.h"
#include "rules/model/said.h"

#include <algorithm>
#include <stdexcept>

namespace mayfly::model {

using namespace events;

namespace {

std::string line_text(Text sku, std::int64_t quantity, Minor price, Text name, Text line_id, std::int64_t per_quantity,
                      Text attributes) {
  std::string text("[");
  text.append(sku).append(" ").append(std::to_string(quantity)).append(" ").append(std::to_string(price));
  text.append(" ").append(name).append(" ").append(line_id).append(" ").append(std::to_string(per_quantity));
  return text.append(" ").append(attributes).append("]");
}
std::string lines_text(const Cart& cart) {
  std::string text;
  for (const auto& l : cart.lines) {
    text += line_text(l.sku, l.quantity, l.unit_price_minor, l.name, cart.line_id(l), cart.per_quantity(l),
                      cart.attributes(l));
  }
  return text;
}
const events::Line* line_of(const Cart& cart, const Adjustment& a) {
  return a.sku.empty() && a.line_id.empty() ? nullptr : cart.find(a.sku, a.line_id);
}
const events::Line* line_of(const Cart& cart, const KeptAdjustment& a) {
  return a.line == 0 ? nullptr : &cart.lines[a.line - 1U];
}
template <class Adjustments>
std::string adjustments_text(const Cart& cart, const Adjustments& adjustments) {
  std::string text;
  for (const auto& a : adjustments) {
    text.append("[").append(name(a.kind)).append(" ").append(a.label).append(" ");
    text.append(std::to_string(a.amount_minor)).append(a.included ? " included " : " ");
    const auto* line = line_of(cart, a);
    text.append(line != nullptr ? Text{line->sku} : Text{}).append(" ");
    text.append(line != nullptr ? cart.line_id(*line) : Text{}).append("]");
  }
  return text;
}

struct Line {
  Said& said;
  const Cart* cart;
  void operator()(const CartCreated& e) const {
    said.text("currency", e.currency.view()).text("customer", e.customer_id).number("expires", e.expires_after_s);
  }
  void operator()(const LineChanged& e) const {
    said.text("line",
              line_text(e.sku, e.quantity, e.unit_price_minor, e.name, e.line_id, e.per_quantity, e.attributes));
    said.number("total", e.total_minor);
  }
  void operator()(const CartLineRemoved& e) const {
    said.text("sku", e.sku).text("id", e.line_id).number("total", e.total_minor);
  }
  void operator()(const CartAssigned& e) const { said.text("customer", e.customer_id); }
  void operator()(const CartAdjusted& e) const {
    said.text("adjustments", adjustments_text(*cart, e.adjustments)).number("total", e.total_minor);
  }
  void operator()(const CartExpired&) const {}
  void operator()(const CartCanceled& e) const { said.text("reason", e.reason); }
  void operator()(const CartMerged& e) const { said.text("into", e.into).text("lines", lines_text(*cart)); }
  void operator()(const CartMergeStarted& e) const { said.text("into", e.into); }
  void operator()(const CartMergeRefused& e) const { said.text("into", e.into).text("code", name(e.code)); }
  void operator()(const CartConverted& e) const {
    said.text("as", e.paid ? "converted paid" : "converted unpaid").number("w", e.session);
  }
  void operator()(const CheckoutStarted&) const { said.number("total", cart->total_minor()); }
  void operator()(const CheckoutReopened& e) const {
    std::string skus;
    for (const auto sku : e.skus) skus.append("[").append(sku).append("]");
    said.text("why", name(e.why)).text("skus", skus);
  }
  void operator()(const CheckoutCompleted& e) const {
    said.number("total", cart->total_minor());
    if (e.captured_minor) said.number("captured", *e.captured_minor);
  }
  void operator()(const OrderCanceled& e) const { said.text("why", name(e.why)); }
  void operator()(const InventoryRequested& e) const {
    said.number("r", e.number == cart_reservation ? cart->reservations : e.number);
    said.number("within", e.answer_within.count);
    if (e.with_lines) said.text("lines", lines_text(*cart));
    if (e.type == EventType::inventory_reservation_requested) said.number("longer", e.hold_longer.count / 1000);
  }
  void operator()(const PaymentEvent& e) const {
    if (e.number == 0) {
      said.text("session", e.session_id);
    } else {
      said.number("n", e.number);
    }
    said.number("amount", e.amount_minor).text("currency", e.currency.view()).text("ref", e.reference);
    said.text("provider", e.provider).text("token", e.token).text("url", e.url).text("reason", e.reason);
    if (e.type == EventType::payment_session_ended) said.text("outcome", name(e.outcome));
    said.flag("order", e.with_order).text("cause", name(e.cause));
    if (e.type == EventType::payment_attempt_failed) said.number("attempt", e.attempt);
    if (e.type == EventType::payment_disputed) said.text("dispute", name(e.dispute));
    if (e.type == EventType::payment_pending) said.number("until", e.expires_at.ms);
    if (e.type == EventType::payment_authorization_requested) {
      const Terms terms = e.terms != nullptr ? *e.terms : Terms{};
      said.flag("on_command", terms.on_command).number("capture_within", terms.capture_within_s);
      said.number("settles_within", terms.settles_within_s).number("extra", terms.extra_up_to_minor);
    }
    if (e.type == EventType::payment_capture_requested) said.flag("final", e.final);
    const bool request = e.type == EventType::payment_authorization_requested ||
                         e.type == EventType::payment_status_requested ||
                         e.type == EventType::payment_capture_requested ||
                         e.type == EventType::payment_cancel_requested || e.type == EventType::payment_refund_requested;
    if (request) {
      said.number("within", e.answer_within.count).number("key", e.key_amount_minor).flag("late", e.late_key);
    }
  }
  void operator()(const OrderPlaced& e) const {
    if (e.session != 0) said.number("n", e.session).text("ref", e.reference);
    said.text("lines", lines_text(*cart)).text("adjustments", adjustments_text(*cart, cart->adjustments));
    said.number("total", cart->total_minor()).text("currency", cart->currency.view());
    if (e.expires_at != Timestamp{}) said.number("until", e.expires_at.ms);
  }
  void operator()(const CommandRejected& e) const {
    said.text("code", name(e.code)).flag("order", e.with_order);
    if (e.total_minor) said.number("total", *e.total_minor);
    if (e.retry_after_s) said.number("retry", *e.retry_after_s);
  }
};

}  // namespace

std::string offer_text(const Cart& cart, Text into, Offset merge) {
  std::string text = "writes ";
  text.append(into).append(" cart.merge_offered from ").append(cart.id).append(" ").append(std::to_string(merge));
  return text.append(" ").append(cart.currency.view()).append(lines_text(cart));
}

std::string answer_text(const std::string& id, const MergeAnswer& answer) {
  std::string text = "writes ";
  text.append(answer.to).append(" cart.merge_answered from ").append(id).append(" ");
  text.append(std::to_string(answer.merge)).append(" ");
  return answer.code ? text.append(name(*answer.code)) : text;
}

std::string line_of(const std::string& id, const Cart* cart, const Event& event) {
  std::string text;
  Said said(text, id, cart != nullptr ? cart->sequence + 1 : 0, name(type_of(event)));
  std::visit(Line{said, cart}, event);
  return text;
}

Command command_of(const Step& s, KeptViews& kept) {
  for (const auto& a : s.adjustments) {
    kept.adjustments.push_back(
        {adjustment_kind_from_name(a.kind).value(), a.label, a.amount_minor, a.included, a.sku, a.line_id});
  }
  kept.skus.assign(s.skus.begin(), s.skus.end());
  Command c{command_type_from_name(s.type).value(), CartCancel{}, s.id, {}};
  if (s.unreadable) {
    Invalid invalid{c.type, "a member", s.session_id, {}, s.currency};
    const Minor amount = c.type == CommandType::payment_status ? std::max(s.authorized_minor, s.captured_minor)
                         : c.type == CommandType::payment_authorized || c.type == CommandType::payment_captured
                             ? s.amount_minor
                             : 0;
    if (amount > 0) invalid.money_minor = amount;
    c.data = invalid;
    return c;
  }
  switch (c.type) {
    case CommandType::cart_create: c.data = CartCreate{s.currency, s.customer_id, s.expires_after_s}; break;
    case CommandType::cart_add_line:
    case CommandType::cart_set_line: {
      CartAddLine line{s.sku, s.quantity, s.unit_price_minor, s.name, s.currency, s.line_id, s.per_quantity};
      if (s.attributes) line.attributes = *s.attributes;
      if (c.type == CommandType::cart_add_line) {
        c.data = line;
      } else {
        c.data = CartSetLine{line};
      }
      break;
    }
    case CommandType::cart_assign: c.data = CartAssign{s.customer_id}; break;
    case CommandType::cart_change_quantity: c.data = CartChangeQuantity{s.sku, s.quantity, s.line_id}; break;
    case CommandType::cart_remove_line: c.data = CartRemoveLine{s.sku, s.line_id}; break;
    case CommandType::cart_adjust: c.data = CartAdjust{kept.adjustments}; break;
    case CommandType::cart_cancel: c.data = CartCancel{s.reason}; break;
    case CommandType::cart_merge: c.data = CartMerge{s.into}; break;
    case CommandType::cart_merge_offered:
      for (const auto& l : s.lines) {
        CartAddLine line{l.sku, l.quantity, l.price, l.name, "", l.line_id, l.per_quantity};
        if (!l.attributes.empty()) line.attributes = l.attributes;
        kept.lines.push_back(line);
      }
      c.data = CartMergeOffered{s.from, s.merge, s.currency, kept.lines};
      break;
    case CommandType::cart_merge_answered: c.data = CartMergeAnswered{s.from, s.merge, code_from_name(s.code)}; break;
    case CommandType::checkout_complete:
      c.data = CheckoutComplete{s.expected_total_minor,
                                s.payment,
                                s.provider,
                                s.token,
                                {s.on_command, static_cast<std::int32_t>(s.capture_within_s),
                                 static_cast<std::int32_t>(s.settles_within_s), s.extra_up_to_minor}};
      break;
    case CommandType::payment_capture: c.data = PaymentCapture{s.session_id, s.total_minor, s.final}; break;
    case CommandType::payment_pending: c.data = PaymentPending{s.session_id, s.reference, s.expires_after_s}; break;
    case CommandType::inventory_reserved: c.data = InventoryReserved{s.reservation_id}; break;
    case CommandType::inventory_rejected: c.data = InventoryRejected{s.reservation_id, kept.skus, s.reason}; break;
    case CommandType::payment_requires_action:
      c.data = PaymentRequiresAction{s.session_id, s.url, s.expires_after_s};
      break;
    case CommandType::payment_authorized:
      c.data = PaymentAuthorized{s.session_id, s.reference, s.amount_minor, s.currency, s.expires_after_s};
      break;
    case CommandType::payment_declined:
      c.data = PaymentDeclined{s.session_id, s.reference, s.reason, s.retryable};
      break;
    case CommandType::payment_captured:
      c.data = PaymentCaptured{s.session_id, s.reference, s.amount_minor, s.currency, s.final};
      break;
    case CommandType::payment_capture_failed:
      c.data = PaymentCaptureFailed{s.session_id, s.reason, s.retryable, s.reference, s.currency};
      break;
    case CommandType::payment_canceled:
      c.data = PaymentCanceled{s.session_id, s.reference, s.amount_minor, s.currency};
      break;
    case CommandType::payment_refunded:
      c.data = PaymentRefunded{s.session_id, s.reference, s.amount_minor, s.currency};
      break;
    case CommandType::checkout_abandon: c.data = CheckoutAbandon{s.reason}; break;
    case CommandType::payment_refund_failed:
      c.data = PaymentRefundFailed{s.session_id, s.amount_minor, s.currency, s.reason, s.retryable, s.reference};
      break;
    case CommandType::payment_disputed:
      c.data = PaymentDisputed{s.session_id, s.amount_minor, s.currency, dispute_state_from_name(s.state).value(),
                               s.reference,  s.reason};
      break;
    case CommandType::payment_attempt_failed:
      c.data = PaymentAttemptFailed{s.session_id, s.reason, s.attempt, s.reference};
      break;
    case CommandType::payment_status:
      c.data = PaymentStatus{s.session_id,       status_state_from_name(s.state).value(),
                             s.authorized_minor, s.captured_minor,
                             s.refunded_minor,   s.reference,
                             s.currency};
      break;
    default: throw std::logic_error("a tick is not a cart's command");
  }
  return c;
}

}  // namespace mayfly::model
