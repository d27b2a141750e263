// How a cart's events change it. Decides nothing.
#include "events/rules/cart.h"

#include <algorithm>

namespace mayfly::events {

namespace {

std::int64_t text_of(const Line& line) { return escaped_bytes(line.sku) + escaped_bytes(line.name); }

Line* find_line(Cart& cart, Text sku) { return const_cast<Line*>(cart.find(sku)); }

void forget_payment(Cart& cart) {
  cart.provider.clear();
  cart.provider.shrink_to_fit();
  cart.token.clear();
  cart.token.shrink_to_fit();
}

/// What each event does to the cart besides taking a sequence number.
struct Evolve {
  Cart& cart;
  const Context& context;

  void operator()(const CartCreated& e) const {
    cart.created = context.at;
    cart.created_at = context.time;
    cart.currency = e.currency;
    cart.customer_id = e.customer_id;
    cart.expires_after_s = e.expires_after_s;
  }
  void operator()(const LineChanged& e) const {
    Line* line = find_line(cart, e.sku);
    if (line == nullptr) {
      line = &cart.lines.emplace_back();
      line->sku = e.sku;
    } else {
      cart.lines_minor -= line->quantity * line->unit_price_minor;
      cart.text_bytes -= text_of(*line);
    }
    line->quantity = e.quantity;
    line->unit_price_minor = e.unit_price_minor;
    if (line->name != e.name) line->name = e.name;
    cart.lines_minor += line->quantity * line->unit_price_minor;
    cart.text_bytes += text_of(*line);
  }
  void operator()(const CartLineRemoved& e) const {
    const Line* line = cart.find(e.sku);
    cart.lines_minor -= line->quantity * line->unit_price_minor;
    cart.text_bytes -= text_of(*line);
    cart.lines.erase(cart.lines.begin() + (line - cart.lines.data()));
  }
  void operator()(const CartAdjusted& e) const {
    cart.adjustments.clear();
    for (const auto& given : e.adjustments) {
      auto& kept = cart.adjustments.emplace_back();
      kept.kind = given.kind;
      kept.label = given.label;
      kept.amount_minor = given.amount_minor;
    }
    cart.adjustments_minor = e.total_minor - cart.lines_minor;
  }
  void operator()(const CartExpired&) const { cart.end = {CartOutcome::expired, 0}; }
  void operator()(const CartCanceled&) const { cart.end = {CartOutcome::canceled, 0}; }
  void operator()(const CartMerged&) const { cart.end = {CartOutcome::merged, 0}; }
  void operator()(const CartConverted& e) const {
    cart.end = {e.paid ? CartOutcome::converted_paid : CartOutcome::converted_unpaid, e.session};
  }
  void operator()(const CheckoutStarted& e) const {
    cart.phase = Phase::reserving;
    ++cart.reservations;
    cart.provider = e.provider;
    cart.token = e.token;
  }
  void operator()(const CheckoutReopened&) const {
    cart.phase = Phase::active;
    forget_payment(cart);
  }
  void operator()(const PaymentEvent& e) const {
    if (e.type == EventType::payment_session_opened) {
      cart.phase = Phase::paying;
      ++cart.sessions;
    } else if (e.type == EventType::payment_authorization_requested) {
      forget_payment(cart);
    }
  }
  void operator()(const CheckoutCompleted&) const {}
  void operator()(const InventoryRequested&) const {}
  void operator()(const OrderPlaced&) const {}
  void operator()(const CommandRejected&) const {}
};

}  // namespace

const Line* Cart::find(Text sku) const {
  const auto found = std::find_if(lines.begin(), lines.end(), [sku](const Line& line) { return line.sku == sku; });
  return found == lines.end() ? nullptr : &*found;
}

void evolve(Cart& cart, const Event& event, const Context& context) {
  ++cart.sequence;
  std::visit(Evolve{cart, context}, event);
}

void remember(Cart& cart, const Fingerprint& fingerprint) {
  if (cart.remembered.size() >= static_cast<std::size_t>(limits::remembered_commands)) {
    cart.remembered.erase(cart.remembered.begin());
  }
  cart.remembered.push_back(fingerprint);
}

std::int64_t escaped_bytes(Text text) {
  std::int64_t bytes = 0;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool short_escape = c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t';
    bytes += short_escape ? 2 : u < 0x20 ? 6 : 1;
  }
  return bytes;
}

}  // namespace mayfly::events
