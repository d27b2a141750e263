// The state of a live cart and how its events change it. All its memory comes from the resource it is made with.
#pragma once

#include "events/log/types.h"
#include "events/rules/command.h"
#include "events/rules/event.h"
#include "events/rules/tenders.h"

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::events {

enum class Phase : std::uint8_t {
  active,     // may be edited
  reserving,  // frozen, waits for inventory
  paying,     // frozen, a payment session is open
  merging,    // frozen, its lines are offered to another cart
};
[[nodiscard]] std::string_view name(Phase);

struct Line {
  using allocator_type = std::pmr::polymorphic_allocator<>;
  explicit Line(allocator_type a = {}) : sku(a), name(a) {}
  Line(const Line& o, allocator_type a)
      : sku(o.sku, a), name(o.name, a), quantity(o.quantity), extras(o.extras), unit_price_minor(o.unit_price_minor) {}
  Line(Line&& o, allocator_type a)
      : sku(std::move(o.sku), a),
        name(std::move(o.name), a),
        quantity(o.quantity),
        extras(o.extras),
        unit_price_minor(o.unit_price_minor) {}
  Line(const Line&) = default;
  Line(Line&&) = default;
  Line& operator=(const Line&) = default;
  Line& operator=(Line&&) = default;
  ~Line() = default;

  std::pmr::string sku;
  std::pmr::string name;
  std::int32_t quantity = 0;
  std::int32_t extras = 0;  // its place among the cart's, plus 1; 0: it has none
  Minor unit_price_minor = 0;
};

/// What few lines have. A line without any of it keeps nothing.
struct LineExtras {
  using allocator_type = std::pmr::polymorphic_allocator<>;
  explicit LineExtras(allocator_type a = {}) : line_id(a), attributes(a) {}
  LineExtras(const LineExtras& o, allocator_type a)
      : line_id(o.line_id, a), attributes(o.attributes, a), per_quantity(o.per_quantity) {}
  LineExtras(LineExtras&& o, allocator_type a)
      : line_id(std::move(o.line_id), a), attributes(std::move(o.attributes), a), per_quantity(o.per_quantity) {}
  LineExtras(const LineExtras&) = default;
  LineExtras(LineExtras&&) = default;
  LineExtras& operator=(const LineExtras&) = default;
  LineExtras& operator=(LineExtras&&) = default;
  ~LineExtras() = default;

  std::pmr::string line_id;
  std::pmr::string attributes;  // an object of texts as JSON, empty: none
  std::int64_t per_quantity = 1;
};

struct KeptAdjustment {
  using allocator_type = std::pmr::polymorphic_allocator<>;
  explicit KeptAdjustment(allocator_type a = {}) : label(a) {}
  KeptAdjustment(const KeptAdjustment& o, allocator_type a)
      : kind(o.kind), included(o.included), line(o.line), label(o.label, a), amount_minor(o.amount_minor) {}
  KeptAdjustment(KeptAdjustment&& o, allocator_type a)
      : kind(o.kind), included(o.included), line(o.line), label(std::move(o.label), a), amount_minor(o.amount_minor) {}
  KeptAdjustment(const KeptAdjustment&) = default;
  KeptAdjustment(KeptAdjustment&&) = default;
  KeptAdjustment& operator=(const KeptAdjustment&) = default;
  KeptAdjustment& operator=(KeptAdjustment&&) = default;
  ~KeptAdjustment() = default;

  [[nodiscard]] Minor signed_minor() const { return events::signed_minor(kind, included, amount_minor); }

  AdjustmentKind kind = AdjustmentKind::shipping;
  bool included = false;   // shown, not added
  std::uint16_t line = 0;  // place of the line that it is bound to, plus 1; 0: of the whole cart
  std::pmr::string label;
  Minor amount_minor = 0;
};

/// How a cart ended, as its epitaph says it.
enum class CartOutcome : std::uint8_t { converted_paid = 1, converted_unpaid, expired, canceled, merged };
[[nodiscard]] std::string_view name(CartOutcome);

struct CartEnd {
  CartOutcome outcome;
  int session;      // W: the session that paid or was to pay the order, 0 if none
  int further = 0;  // of several tenders: how many more sessions of the order follow W
};

/// Where a cart's memory comes from, by purpose. They outlive the cart.
struct CartMemory {
  CartMemory(std::pmr::memory_resource* all) : id(all), lines(all), adjustments(all), payment(all), dedupe(all) {}
  std::pmr::memory_resource* id;  // and the customer's, and that of the cart to merge into
  std::pmr::memory_resource* lines;
  std::pmr::memory_resource* adjustments;
  std::pmr::memory_resource* payment;
  std::pmr::memory_resource* dedupe;
};

/// A member that allocates belongs in footprint.cpp too.
struct Cart {
  explicit Cart(const CartMemory& memory)
      : id(memory.id),
        customer_id(memory.id),
        lines(memory.lines),
        extras(memory.lines),
        adjustments(memory.adjustments),
        provider(memory.payment),
        token(memory.payment),
        merge_into(memory.id),
        remembered(memory.dedupe) {}

  std::pmr::string id;
  Position created{};  // of the record that created it: part of every idempotency key
  Timestamp created_at{};
  std::uint64_t sequence = 0;  // of the newest event
  Currency currency{};
  std::pmr::string customer_id;
  std::int64_t expires_after_s = 0;
  Phase phase = Phase::active;
  std::uint8_t further_sessions = 0;  // of the open payment, of several tenders: those opened beyond its first
  std::pmr::vector<Line> lines;
  std::pmr::vector<LineExtras> extras;  // of the lines that have any, in no order
  std::pmr::vector<KeptAdjustment> adjustments;
  Minor lines_minor = 0;        // sum over lines
  Minor adjustments_minor = 0;  // shipping + tax + fees - discounts
  std::int64_t text_bytes = 0;  // skus, names, line ids and attributes as escaped JSON
  int reservations = 0;         // R, the newest reservation's number = checkouts had
  int sessions = 0;             // the newest session's number
  std::pmr::string provider;    // from checkout.complete until the session is opened
  std::pmr::string token;
  Terms terms;
  KeptTenders tenders;  // in place of provider, token and terms
  // The merge whose answer ends the cart: while it merges, and behind a wait for the answer until it is changed.
  Offset merge = no_offset;                  // of the cart.merge
  std::pmr::string merge_into;               // empty: there is none
  std::pmr::vector<Fingerprint> remembered;  // oldest first, at most 32
  std::optional<CartEnd> end;                // set: the cart is over, its state dies now

  [[nodiscard]] Minor total_minor() const { return lines_minor + adjustments_minor; }
  /// By `line_id`, whatever its sku; where that is empty the line of that sku without one.
  [[nodiscard]] const Line* find(Text sku, Text line_id = {}) const;
  /// As `find`, for who means a line that is there: its id counts only with its sku, which an adjustment may leave out.
  [[nodiscard]] const Line* find_known(Text sku, Text line_id) const;
  [[nodiscard]] Text line_id(const Line& line) const { return line.extras == 0 ? Text{} : more(line).line_id; }
  [[nodiscard]] Text attributes(const Line& line) const { return line.extras == 0 ? Text{} : more(line).attributes; }
  [[nodiscard]] std::int64_t per_quantity(const Line& line) const {
    return line.extras == 0 ? 1 : more(line).per_quantity;
  }
  /// What a line costs: it has been decided that it may.
  [[nodiscard]] Minor cost(const Line&) const;

 private:
  [[nodiscard]] const LineExtras& more(const Line& line) const {
    return extras[static_cast<std::size_t>(line.extras - 1)];
  }
};

/// quantity x price / per_quantity, rounded half to even; nothing where a line may not cost that much.
[[nodiscard]] std::optional<Minor> line_cost(std::int64_t quantity, Minor unit_price_minor, std::int64_t per_quantity);

/// What a line counts in the cart's text budget.
[[nodiscard]] std::int64_t text_bytes_of(const Cart&, const Line&);

/// Applies one event of this cart, in order; every event, refusals too, takes the next sequence number.
/// Precondition: the event was decided for this state: the cart is not over, and has the lines that the event names.
void evolve(Cart&, const Event&, const Context&);

/// Keeps the fingerprint of a decided shop command, forgetting the oldest beyond 32.
void remember(Cart&, const Fingerprint&);

/// Bytes of `text` inside JSON quotes as this engine writes them (the cart's text budget, decisions.md 2).
[[nodiscard]] std::int64_t escaped_bytes(Text text);

}  // namespace mayfly::events
