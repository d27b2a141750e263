// The state of a live cart and how its events change it. All its memory comes from the resource it is made with.
#pragma once

#include "events/log/types.h"
#include "events/rules/command.h"
#include "events/rules/event.h"

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
};

struct Line {
  using allocator_type = std::pmr::polymorphic_allocator<>;
  explicit Line(allocator_type a = {}) : sku(a), name(a) {}
  Line(const Line& o, allocator_type a)
      : sku(o.sku, a), name(o.name, a), quantity(o.quantity), unit_price_minor(o.unit_price_minor) {}
  Line(Line&& o, allocator_type a)
      : sku(std::move(o.sku), a),
        name(std::move(o.name), a),
        quantity(o.quantity),
        unit_price_minor(o.unit_price_minor) {}
  Line(const Line&) = default;
  Line(Line&&) = default;
  Line& operator=(const Line&) = default;
  Line& operator=(Line&&) = default;
  ~Line() = default;

  std::pmr::string sku;
  std::pmr::string name;
  std::int64_t quantity = 0;
  Minor unit_price_minor = 0;
};

struct KeptAdjustment {
  using allocator_type = std::pmr::polymorphic_allocator<>;
  explicit KeptAdjustment(allocator_type a = {}) : label(a) {}
  KeptAdjustment(const KeptAdjustment& o, allocator_type a)
      : kind(o.kind), label(o.label, a), amount_minor(o.amount_minor) {}
  KeptAdjustment(KeptAdjustment&& o, allocator_type a)
      : kind(o.kind), label(std::move(o.label), a), amount_minor(o.amount_minor) {}
  KeptAdjustment(const KeptAdjustment&) = default;
  KeptAdjustment(KeptAdjustment&&) = default;
  KeptAdjustment& operator=(const KeptAdjustment&) = default;
  KeptAdjustment& operator=(KeptAdjustment&&) = default;
  ~KeptAdjustment() = default;

  AdjustmentKind kind = AdjustmentKind::shipping;
  std::pmr::string label;
  Minor amount_minor = 0;
};

/// How a cart ended, as its epitaph says it.
enum class CartOutcome : std::uint8_t { converted_paid = 1, converted_unpaid, expired, canceled, merged };

struct CartEnd {
  CartOutcome outcome;
  int session;  // W: the session that paid or was to pay the order, 0 if none
};

/// Where a cart's memory comes from, by purpose. They outlive the cart.
struct CartMemory {
  CartMemory(std::pmr::memory_resource* all) : id(all), lines(all), adjustments(all), payment(all), dedupe(all) {}
  std::pmr::memory_resource* id;  // and the customer's
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
        adjustments(memory.adjustments),
        provider(memory.payment),
        token(memory.payment),
        remembered(memory.dedupe) {}

  std::pmr::string id;
  Position created{};  // of the record that created it: part of every idempotency key
  Timestamp created_at{};
  std::uint64_t sequence = 0;  // of the newest event
  Currency currency{};
  std::pmr::string customer_id;
  std::int64_t expires_after_s = 0;
  Phase phase = Phase::active;
  std::pmr::vector<Line> lines;
  std::pmr::vector<KeptAdjustment> adjustments;
  Minor lines_minor = 0;        // sum over lines
  Minor adjustments_minor = 0;  // shipping + tax + fees - discounts
  std::int64_t text_bytes = 0;  // skus and names as escaped JSON
  int reservations = 0;         // R, the newest reservation's number = checkouts had
  int sessions = 0;             // the newest session's number
  std::pmr::string provider;    // from checkout.complete until the session is opened
  std::pmr::string token;
  std::pmr::vector<Fingerprint> remembered;  // oldest first, at most 32
  std::optional<CartEnd> end;                // set: the cart is over, its state dies now

  [[nodiscard]] Minor total_minor() const { return lines_minor + adjustments_minor; }
  [[nodiscard]] const Line* find(Text sku) const;
};

/// Applies one event of this cart, in order; every event, refusals too, takes the next sequence number.
/// Precondition: the event was decided for this state.
void evolve(Cart&, const Event&, const Context&);

/// Keeps the fingerprint of a decided shop command, forgetting the oldest beyond 32.
void remember(Cart&, const Fingerprint&);

/// Bytes of `text` inside JSON quotes as this engine writes them (the cart's text budget, decisions.md 2).
[[nodiscard]] std::int64_t escaped_bytes(Text text);

}  // namespace mayfly::events
