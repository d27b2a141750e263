// How a cart's events change it. Decides nothing.
#include "events/rules/cart.h"

#include "events/rules/decide.h"
#include "events/text/eight_bytes.h"
#include "events/text/precondition.h"

#include <algorithm>

namespace mayfly::events {

std::string_view name(Phase phase) {
  switch (phase) {
    case Phase::active: return "active";
    case Phase::reserving: return "reserving";
    case Phase::paying: return "paying";
    case Phase::merging: return "merging";
  }
  return "";
}

std::string_view name(CartOutcome outcome) {
  switch (outcome) {
    case CartOutcome::converted_paid: return "converted_paid";
    case CartOutcome::converted_unpaid: return "converted_unpaid";
    case CartOutcome::expired: return "expired";
    case CartOutcome::canceled: return "canceled";
    case CartOutcome::merged: return "merged";
  }
  return "";
}

namespace {

__extension__ using Wide = __int128;

Line* find_line(Cart& cart, Text sku, Text line_id) { return const_cast<Line*>(cart.find(sku, line_id)); }

void forget_extras(Cart& cart, Line& line) {
  if (line.extras == 0) return;
  for (auto& other : cart.lines) {
    if (other.extras > line.extras) --other.extras;
  }
  cart.extras.erase(cart.extras.begin() + (line.extras - 1));
  line.extras = 0;
}

void keep_extras(Cart& cart, Line& line, const LineChanged& e) {
  if (e.line_id.empty() && e.attributes.empty() && e.per_quantity == 1) return forget_extras(cart, line);
  if (line.extras == 0) {
    cart.extras.emplace_back().line_id = e.line_id;
    line.extras = static_cast<std::int32_t>(cart.extras.size());
  }
  auto& kept = cart.extras[static_cast<std::size_t>(line.extras - 1)];
  if (kept.attributes != e.attributes) kept.attributes = e.attributes;
  kept.per_quantity = e.per_quantity;
}

/// A line is gone: so are its adjustments, and the others' lines have moved up.
void unbind_adjustments(Cart& cart, std::size_t place) {
  auto sum = static_cast<std::uint64_t>(cart.adjustments_minor);  // modulo 2^64: right whatever the order
  for (std::size_t i = 0; i < cart.adjustments.size();) {
    auto& adjustment = cart.adjustments[i];
    if (adjustment.line == place + 1) {
      sum -= static_cast<std::uint64_t>(adjustment.signed_minor());
      cart.adjustments.erase(cart.adjustments.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (adjustment.line > place + 1) --adjustment.line;
    ++i;
  }
  cart.adjustments_minor = static_cast<Minor>(sum);
}

void forget_payment(Cart& cart) {
  cart.provider.clear();
  cart.provider.shrink_to_fit();
  cart.token.clear();
  cart.token.shrink_to_fit();
  cart.terms = {};
  cart.tenders.clear();
}

/// The cart is another one than its lines were offered of: a late answer does not end it.
void forget_merge(Cart& cart) {
  if (cart.merge_into.empty()) return;
  cart.merge = no_offset;
  cart.merge_into.clear();
  cart.merge_into.shrink_to_fit();
}

void keep_tenders(Cart& cart, std::span<const TenderAsked> payments) {
  if (payments.empty()) return;
  Tenders tenders(std::pmr::get_default_resource());
  for (const auto& given : payments) {
    auto& tender = tenders.list.emplace_back();
    tender.amount_minor = given.amount_minor;
    tender.provider = given.provider;
    tender.token = given.token;
  }
  cart.tenders.keep(tenders, cart.token.get_allocator().resource());
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
    forget_merge(cart);
    Line* line = find_line(cart, e.sku, e.line_id);
    if (line == nullptr) {
      line = &cart.lines.emplace_back();
      line->sku = e.sku;
    } else {
      cart.lines_minor -= cart.cost(*line);
      cart.text_bytes -= text_bytes_of(cart, *line);
    }
    line->quantity = static_cast<std::int32_t>(e.quantity);
    line->unit_price_minor = e.unit_price_minor;
    if (line->name != e.name) line->name = e.name;
    keep_extras(cart, *line, e);
    cart.lines_minor += cart.cost(*line);
    cart.text_bytes += text_bytes_of(cart, *line);
  }
  void operator()(const CartLineRemoved& e) const {
    forget_merge(cart);
    Line* line = find_line(cart, e.sku, e.line_id);
    precondition(line != nullptr, "evolve: the line that is removed is one of the cart's");
    const auto place = line - cart.lines.data();
    cart.lines_minor -= cart.cost(*line);
    cart.text_bytes -= text_bytes_of(cart, *line);
    forget_extras(cart, *line);
    cart.lines.erase(cart.lines.begin() + place);
    unbind_adjustments(cart, static_cast<std::size_t>(place));
  }
  void operator()(const CartAssigned& e) const {
    forget_merge(cart);
    cart.customer_id = e.customer_id;
  }
  void operator()(const CartAdjusted& e) const {
    forget_merge(cart);
    cart.adjustments.clear();
    for (const auto& given : e.adjustments) {
      auto& kept = cart.adjustments.emplace_back();
      kept.kind = given.kind;
      kept.included = given.included;
      kept.label = given.label;
      kept.amount_minor = given.amount_minor;
      if (given.sku.empty() && given.line_id.empty()) continue;
      const Line* line = cart.find(given.sku, given.line_id);
      precondition(line != nullptr, "evolve: the line that is adjusted is one of the cart's");
      kept.line = static_cast<std::uint16_t>(line - cart.lines.data() + 1);
    }
    cart.adjustments_minor = e.total_minor - cart.lines_minor;
  }
  void operator()(const CartExpired&) const { cart.end = {CartOutcome::expired, 0}; }
  void operator()(const CartCanceled&) const { cart.end = {CartOutcome::canceled, 0}; }
  void operator()(const CartMerged&) const { cart.end = {CartOutcome::merged, 0}; }
  void operator()(const CartMergeStarted& e) const {
    cart.phase = Phase::merging;
    cart.merge = context.at.offset;
    cart.merge_into = e.into;
  }
  void operator()(const CartMergeRefused& e) const {
    cart.phase = Phase::active;
    if (!e.unanswered) forget_merge(cart);
  }
  void operator()(const CartConverted& e) const {
    cart.end = {e.paid ? CartOutcome::converted_paid : CartOutcome::converted_unpaid, e.session, e.further};
  }
  void operator()(const CheckoutStarted& e) const {
    forget_merge(cart);
    cart.phase = Phase::reserving;
    ++cart.reservations;
    cart.provider = e.provider;
    cart.token = e.token;
    cart.terms = e.terms;
    keep_tenders(cart, e.payments);
  }
  void operator()(const CheckoutReopened&) const {
    cart.phase = Phase::active;
    cart.further_sessions = 0;
    forget_payment(cart);
  }
  void operator()(const PaymentEvent& e) const {
    if (e.type == EventType::payment_session_opened) {
      cart.phase = Phase::paying;
      ++cart.sessions;
      if (e.next_tender) ++cart.further_sessions;
    } else if (e.type == EventType::payment_authorization_requested) {
      forget_payment(cart);
    }
  }
  void operator()(const CheckoutCompleted&) const {}
  void operator()(const InventoryRequested&) const {}
  void operator()(const OrderPlaced&) const {}
  void operator()(const OrderCanceled&) const {}
  void operator()(const CommandRejected&) const {}
};

}  // namespace

const Line* Cart::find(Text sku, Text line_id) const {
  const auto named = [&](const Line& line) {
    if (line_id.empty()) return line.sku == sku && this->line_id(line).empty();
    return line.extras != 0 && more(line).line_id == line_id;
  };
  const auto found = std::find_if(lines.begin(), lines.end(), named);
  return found == lines.end() ? nullptr : &*found;
}

const Line* Cart::find_known(Text sku, Text line_id) const {
  const Line* line = find(sku, line_id);
  return line != nullptr && (sku.empty() || line->sku == sku) ? line : nullptr;
}

Minor Cart::cost(const Line& line) const {
  if (line.extras == 0) return line.quantity * line.unit_price_minor;
  return line_cost(line.quantity, line.unit_price_minor, more(line).per_quantity).value_or(0);
}

std::optional<Minor> line_cost(std::int64_t quantity, Minor unit_price_minor, std::int64_t per_quantity) {
  if (per_quantity == 1) {
    const auto cost = multiply(quantity, unit_price_minor);
    return cost && within_limit(*cost) ? cost : std::nullopt;
  }
  const Wide whole = static_cast<Wide>(quantity) * unit_price_minor;
  Wide cost = whole / per_quantity;
  const Wide twice_rest = whole % per_quantity * 2;
  if (twice_rest > per_quantity || (twice_rest == per_quantity && cost % 2 != 0)) ++cost;
  if (cost > max_amount_minor) return std::nullopt;
  return static_cast<Minor>(cost);
}

std::int64_t text_bytes_of(const Cart& cart, const Line& line) {
  const auto bytes = escaped_bytes(line.sku) + escaped_bytes(line.name);
  return line.extras == 0 ? bytes : bytes + escaped_bytes(cart.line_id(line)) + std::ssize(cart.attributes(line));
}

void evolve(Cart& cart, const Event& event, const Context& context) {
  precondition(!cart.end, "evolve: the cart is not over");
  ++cart.sequence;
  std::visit(Evolve{cart, context}, event);
}

void remember(Cart& cart, const Fingerprint& fingerprint) {
  if (cart.remembered.size() >= static_cast<std::size_t>(limits::remembered_commands)) {
    cart.remembered.erase(cart.remembered.begin());
  }
  cart.remembered.push_back(fingerprint);
}

Seen recognise(const Cart& cart, const Command& command) {
  if (!is_shop_command(command.type) || std::holds_alternative<Invalid>(command.data)) return Seen::no;
  for (const auto& known : cart.remembered) {
    if (known.id == command.fingerprint.id)
      return known.body == command.fingerprint.body ? Seen::same : Seen::other_body;
  }
  return Seen::no;
}

std::int64_t escaped_bytes(Text text) {
  std::int64_t bytes = 0;
  while (!text.empty()) {
    if (text.size() >= EightBytes::size && !EightBytes(text, 0).any_needs_json_escape()) {
      bytes += EightBytes::size;
      text.remove_prefix(EightBytes::size);
      continue;
    }
    const char c = text[0];
    const auto u = static_cast<unsigned char>(c);
    const bool short_escape = c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t';
    bytes += short_escape ? 2 : u < 0x20 ? 6 : 1;
    text.remove_prefix(1);
  }
  return bytes;
}

}  // namespace mayfly::events
