// The cart's part of a state record (docs/state-format.md).
#include "events/state/snapshot_layout.h"

#include <algorithm>

namespace mayfly::events {

namespace {

// Flags: the phase in the two low bits, and which optional members follow. Second flags, since version 3, say what
// follows at the end.
constexpr std::uint64_t phase_bits = 3, has_checkouts = 4, has_customer = 8, has_payment = 16, has_adjustments = 32,
                        has_terms = 64, has_more = 128;
constexpr std::uint64_t has_line_extras = 1, has_adjustment_extras = 2, has_merge = 4, has_tenders = 8,
                        has_further = 16;
constexpr std::uint64_t known_without_tenders = 7, second_known = 31;
// What an adjustment's extras begin with: its line's place, and whether it is included.
constexpr std::uint64_t is_included = 1, places = 2;

constexpr std::int64_t most_adjustments_without_extras = 16;  // of version 2

bool has_extras(const KeptAdjustment& a) { return a.included || a.line > 0; }

std::uint64_t second_flags_of(const Cart& cart) {
  const bool bound = std::any_of(cart.adjustments.begin(), cart.adjustments.end(), has_extras);
  return (cart.extras.empty() ? 0 : has_line_extras) | (bound ? has_adjustment_extras : 0) |
         (cart.merge_into.empty() ? 0 : has_merge) | (cart.tenders ? has_tenders : 0) |
         (cart.further_sessions > 0 ? has_further : 0);
}

void put_line_extras(ByteWriter& to, const Cart& cart) {
  to.varint(cart.extras.size());
  for (const auto& line : cart.lines) {
    if (line.extras == 0) continue;
    to.varint(static_cast<std::uint64_t>(&line - cart.lines.data()));
    to.text(cart.line_id(line));
    layout::put(to, cart.per_quantity(line));
    to.text(cart.attributes(line));
  }
}

void put_adjustment_extras(ByteWriter& to, const Cart& cart) {
  to.varint(static_cast<std::uint64_t>(std::count_if(cart.adjustments.begin(), cart.adjustments.end(), has_extras)));
  for (const auto& adjustment : cart.adjustments) {
    if (!has_extras(adjustment)) continue;
    to.varint(static_cast<std::uint64_t>(&adjustment - cart.adjustments.data()));
    to.varint(adjustment.line * places + (adjustment.included ? is_included : 0));
  }
}

void put_more(ByteWriter& to, const Cart& cart, std::uint64_t second) {
  to.fixed(second, 1);
  if ((second & has_line_extras) != 0) put_line_extras(to, cart);
  if ((second & has_adjustment_extras) != 0) put_adjustment_extras(to, cart);
  if ((second & has_merge) != 0) {
    layout::put(to, cart.merge);
    to.text(cart.merge_into);
  }
  if ((second & has_tenders) != 0) layout::put(to, *cart.tenders);
  if ((second & has_further) != 0) to.fixed(cart.further_sessions, 1);
}

/// Without several tenders a checkout has one session at most, and none before the stock is held.
bool has_more_sessions(const Cart& cart) {
  return cart.sessions > cart.reservations - (cart.phase == Phase::reserving ? 1 : 0);
}

}  // namespace

void append_cart(std::string& out, const Cart& cart) {
  const bool checkouts = cart.reservations != 0 || cart.sessions != 0;
  const bool customer = !cart.customer_id.empty();
  const bool payment = !cart.provider.empty() || !cart.token.empty();
  const auto second = second_flags_of(cart);
  // The older layout where it can say all: the same history leaves the same bytes as with an older program.
  const bool terms = cart.terms.any();
  const bool newest = second != 0 || terms || std::ssize(cart.adjustments) > most_adjustments_without_extras;
  ByteWriter to(out);
  const bool tenders = second > known_without_tenders || has_more_sessions(cart);
  to.fixed(tenders ? layout::newest_cart : newest ? layout::without_tenders : layout::without_extras, 1);
  to.fixed(static_cast<std::uint64_t>(cart.phase) | (checkouts ? has_checkouts : 0) | (customer ? has_customer : 0) |
               (payment ? has_payment : 0) | (cart.adjustments.empty() ? 0 : has_adjustments) |
               (terms ? has_terms : 0) | (second != 0 ? has_more : 0),
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
  if (terms) layout::put(to, cart.terms);
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
  if (second != 0) put_more(to, cart, second);
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
    line.quantity = static_cast<std::int32_t>(layout::take_least(in, 1, limits::quantity));
    line.unit_price_minor = layout::take_reported(in);
  }
}

void take_line_extras(ByteReader& in, Cart& cart) {
  const auto count = in.varint(cart.lines.size());
  cart.extras.reserve(count);
  std::uint64_t least = 0;
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const auto place = in.varint(limits::cart_lines);
    if (place < least || place >= cart.lines.size()) return in.fail();
    least = place + 1;
    auto& extras = cart.extras.emplace_back();
    cart.lines[place].extras = static_cast<std::int32_t>(cart.extras.size());
    extras.line_id = in.text();
    extras.per_quantity = layout::take_least(in, 1, limits::per_quantity);
    extras.attributes = in.text();
    if (extras.line_id.empty() && extras.attributes.empty() && extras.per_quantity == 1) in.fail();
    const bool object = extras.attributes.starts_with("{\"") && extras.attributes.ends_with("\"}");
    if (!extras.attributes.empty() && !object) in.fail();
  }
  if (count == 0) in.fail();
}

void take_adjustment_extras(ByteReader& in, Cart& cart) {
  const auto count = in.varint(cart.adjustments.size());
  std::uint64_t least = 0;
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const auto place = in.varint(limits::adjustments);
    const auto extras = in.varint(limits::cart_lines * places + is_included);
    if (place < least || place >= cart.adjustments.size() || extras == 0) return in.fail();
    least = place + 1;
    auto& adjustment = cart.adjustments[place];
    adjustment.included = (extras & is_included) != 0;
    adjustment.line = static_cast<std::uint16_t>(extras / places);
    if (adjustment.line > cart.lines.size()) in.fail();
  }
  if (count == 0) in.fail();
}

/// The sums, from lines and adjustments with all that they have.
void sum_up(ByteReader& in, Cart& cart) {
  if (in.failed()) return;
  for (const auto& line : cart.lines) {
    const auto cost = line_cost(line.quantity, line.unit_price_minor, cart.per_quantity(line));
    if (!cost) return in.fail();
    cart.lines_minor += *cost;
    cart.text_bytes += text_bytes_of(cart, line);
  }
  std::uint64_t sum = 0;  // modulo 2^64: right whatever the order, if the sum is an int64
  for (const auto& adjustment : cart.adjustments) sum += static_cast<std::uint64_t>(adjustment.signed_minor());
  cart.adjustments_minor = static_cast<Minor>(sum);
}

void take_adjustments(ByteReader& in, Cart& cart, std::int64_t most) {
  const auto count = in.varint(static_cast<std::uint64_t>(most));
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    auto& adjustment = cart.adjustments.emplace_back();
    adjustment.kind = in.one_of(AdjustmentKind::fee);
    adjustment.label = in.text();
    adjustment.amount_minor = static_cast<Minor>(in.varint(std::numeric_limits<Minor>::max()));
  }
}

void take_tenders(ByteReader& in, Cart& cart) {
  Tenders tenders(std::pmr::get_default_resource());
  layout::take_tenders(in, tenders);
  if (cart.phase != Phase::reserving) in.fail();
  if (!in.failed()) cart.tenders.keep(tenders, cart.token.get_allocator().resource());
}

void take_more(ByteReader& in, Cart& cart, bool may_have_tenders) {
  const auto second = in.fixed(1);
  if (second == 0 || second > (may_have_tenders ? second_known : known_without_tenders)) in.fail();
  if ((second & has_line_extras) != 0) take_line_extras(in, cart);
  if ((second & has_adjustment_extras) != 0) take_adjustment_extras(in, cart);
  if ((second & has_merge) != 0) {
    cart.merge = layout::take_offset(in);
    cart.merge_into = in.text();
    if (cart.merge_into.empty()) in.fail();
  }
  if ((second & has_tenders) != 0) take_tenders(in, cart);
  if ((second & has_further) != 0) {
    const auto further = in.fixed(1);
    const bool open = cart.phase == Phase::paying && static_cast<std::int64_t>(further) < cart.sessions;
    if (further == 0 || further >= limits::tenders || !open) in.fail();
    cart.further_sessions = static_cast<std::uint8_t>(further);
  }
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
  const auto version = static_cast<unsigned char>(bytes.front());
  const bool extras = version > layout::without_extras;
  const bool tenders = version > layout::without_tenders;
  const auto flags = in.fixed(1);
  if ((flags & phase_bits) > static_cast<std::uint64_t>(extras ? Phase::merging : Phase::paying)) in.fail();
  if ((flags & ~(extras ? has_terms | has_more : 0)) >= 2 * has_adjustments) in.fail();
  cart.phase = static_cast<Phase>(flags & phase_bits);
  cart.created.partition = layout::take_int(in);
  cart.created.offset = layout::take_offset(in);
  cart.created_at = layout::take_time(in);
  cart.sequence = static_cast<std::uint64_t>(layout::take_least(in, 1, std::numeric_limits<std::int64_t>::max()));
  cart.currency = layout::take_currency(in);
  cart.expires_after_s = layout::take_least(in, 0, layout::longest_s);
  if ((flags & has_checkouts) != 0) {
    cart.reservations = static_cast<int>(layout::take_least(in, 0, limits::checkouts));
    cart.sessions = static_cast<int>(layout::take_least(in, 0, cart.reservations * (tenders ? limits::tenders : 1)));
  }
  // A reservation that is waited for has no session yet: its session is opened when the stock is held.
  const auto before = (cart.reservations - 1) * (tenders ? limits::tenders : 1);
  if (cart.phase == Phase::reserving && cart.sessions > before) in.fail();
  if (cart.phase == Phase::paying && cart.sessions == 0) in.fail();
  if ((flags & has_customer) != 0) cart.customer_id = in.text();
  if ((flags & has_payment) != 0) {
    cart.provider = in.text();
    cart.token = in.text();
  }
  if ((flags & has_terms) != 0) cart.terms = layout::take_terms(in);
  take_lines(in, cart);
  if ((flags & has_adjustments) != 0) {
    take_adjustments(in, cart, extras ? limits::adjustments : most_adjustments_without_extras);
  }
  take_remembered(in, cart);
  if ((flags & has_more) != 0) take_more(in, cart, tenders);
  const bool frozen = cart.phase == Phase::reserving || cart.phase == Phase::paying;
  if (cart.merge_into.empty() ? cart.phase == Phase::merging : frozen) in.fail();
  sum_up(in, cart);
  const auto total = add(cart.lines_minor, cart.adjustments_minor);
  if (!total || !within_limit(*total)) in.fail();
  if (!in.done()) return layout::damage(layout::a_cart, in, bytes);
  return cart;
}

}  // namespace mayfly::events
