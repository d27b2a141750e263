// The cart's part of a state record (docs/state-format.md).
#include "events/state/snapshot_layout.h"

namespace mayfly::events {

namespace {

// Flags: the phase in the two low bits, and which optional members follow.
constexpr std::uint64_t phase_bits = 3, has_checkouts = 4, has_customer = 8, has_payment = 16, has_adjustments = 32;

}  // namespace

void append_cart(std::string& out, const Cart& cart) {
  const bool checkouts = cart.reservations != 0 || cart.sessions != 0;
  const bool customer = !cart.customer_id.empty();
  const bool payment = !cart.provider.empty() || !cart.token.empty();
  ByteWriter to(out);
  to.fixed(layout::newest_cart, 1);
  to.fixed(static_cast<std::uint64_t>(cart.phase) | (checkouts ? has_checkouts : 0) | (customer ? has_customer : 0) |
               (payment ? has_payment : 0) | (cart.adjustments.empty() ? 0 : has_adjustments),
           1);
  layout::put(to, cart.created.partition);
  layout::put(to, cart.created.offset);
  layout::put(to, cart.created_at.ms);
  to.varint(cart.sequence);
  layout::put(to, cart.currency);
  layout::put(to, cart.expires_after_s);
  if (checkouts) {
    layout::put(to, cart.reservations);
    layout::put(to, cart.sessions);
  }
  if (customer) to.text(cart.customer_id);
  if (payment) {
    to.text(cart.provider);
    to.text(cart.token);
  }
  to.varint(cart.lines.size());
  for (const auto& line : cart.lines) {
    to.text(line.sku);
    to.text(line.name);
    layout::put(to, line.quantity);
    layout::put(to, line.unit_price_minor);
  }
  if (!cart.adjustments.empty()) {
    to.varint(cart.adjustments.size());
    for (const auto& adjustment : cart.adjustments) {
      to.fixed(static_cast<std::uint64_t>(adjustment.kind), 1);
      to.text(adjustment.label);
      layout::put(to, adjustment.amount_minor);
    }
  }
  to.varint(cart.remembered.size());
  for (const auto& command : cart.remembered) {
    to.fixed(command.id, 8);
    to.fixed(command.body, 4);
  }
}

namespace {

// The sums of a cart are not in its bytes: they follow from its lines and adjustments. Limits are those that decide
// keeps: a line and the total are bounded, the sums in between need not be.

void take_lines(ByteReader& in, Cart& cart) {
  const auto count = in.varint(limits::cart_lines);
  cart.lines.reserve(count);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    auto& line = cart.lines.emplace_back();
    line.sku = in.text();
    line.name = in.text();
    line.quantity = layout::take_least(in, 1, limits::quantity);
    line.unit_price_minor = static_cast<Minor>(in.varint(max_amount_minor));
    const auto line_minor = multiply(line.quantity, line.unit_price_minor);
    if (!line_minor || !within_limit(*line_minor)) return in.fail();
    cart.lines_minor += *line_minor;
    cart.text_bytes += escaped_bytes(line.sku) + escaped_bytes(line.name);
  }
}

void take_adjustments(ByteReader& in, Cart& cart) {
  std::uint64_t sum = 0;  // modulo 2^64: right whatever the order, if the sum is an int64
  const auto count = in.varint(limits::adjustments);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    auto& adjustment = cart.adjustments.emplace_back();
    adjustment.kind = in.one_of(AdjustmentKind::fee);
    adjustment.label = in.text();
    adjustment.amount_minor = static_cast<Minor>(in.varint(std::numeric_limits<Minor>::max()));
    const auto amount = static_cast<std::uint64_t>(adjustment.amount_minor);
    sum += adjustment.kind == AdjustmentKind::discount ? 0 - amount : amount;
  }
  cart.adjustments_minor = static_cast<Minor>(sum);
}

void take_remembered(ByteReader& in, Cart& cart) {
  const auto count = in.varint(limits::remembered_commands);
  cart.remembered.reserve(count);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    auto& command = cart.remembered.emplace_back();
    command.id = in.fixed(8);
    command.body = static_cast<std::uint32_t>(in.fixed(4));
  }
}

}  // namespace

std::optional<Offset> created_offset(std::string_view cart) {
  if (layout::check(layout::a_cart, cart, layout::newest_cart)) return std::nullopt;
  auto in = layout::behind_version(cart);
  (void)in.fixed(1);
  (void)layout::take_int(in);
  const auto offset = layout::take_offset(in);
  if (in.failed()) return std::nullopt;
  return offset;
}

std::variant<Cart, Unsupported> decode_cart(std::string_view id, std::string_view bytes, const CartMemory& memory) {
  if (auto no = layout::check(layout::a_cart, bytes, layout::newest_cart)) return *no;
  auto in = layout::behind_version(bytes);
  Cart cart(memory);
  cart.id = id;
  const auto flags = in.fixed(1);
  if ((flags & phase_bits) > static_cast<std::uint64_t>(Phase::paying) || flags >= 2 * has_adjustments) in.fail();
  cart.phase = static_cast<Phase>(flags & phase_bits);
  cart.created.partition = layout::take_int(in);
  cart.created.offset = layout::take_offset(in);
  cart.created_at = layout::take_time(in);
  cart.sequence = static_cast<std::uint64_t>(layout::take_least(in, 1, std::numeric_limits<std::int64_t>::max()));
  cart.currency = layout::take_currency(in);
  cart.expires_after_s = layout::take_least(in, 0, layout::longest_s);
  if ((flags & has_checkouts) != 0) {
    cart.reservations = static_cast<int>(layout::take_least(in, 0, limits::checkouts));
    cart.sessions = static_cast<int>(layout::take_least(in, 0, cart.reservations));
  }
  // A reservation that is waited for has no session yet: its session is opened when the stock is held.
  if (cart.phase == Phase::reserving && cart.sessions >= cart.reservations) in.fail();
  if (cart.phase == Phase::paying && cart.sessions == 0) in.fail();
  if ((flags & has_customer) != 0) cart.customer_id = in.text();
  if ((flags & has_payment) != 0) {
    cart.provider = in.text();
    cart.token = in.text();
  }
  take_lines(in, cart);
  if ((flags & has_adjustments) != 0) take_adjustments(in, cart);
  take_remembered(in, cart);
  const auto total = add(cart.lines_minor, cart.adjustments_minor);
  if (!total || !within_limit(*total)) in.fail();
  if (!in.done()) return layout::damage(layout::a_cart, in, bytes);
  return cart;
}

}  // namespace mayfly::events
