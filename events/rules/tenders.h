// Several tenders for one checkout, each with a payment session of its own (decisions.md 5.11).
#pragma once

#include "events/log/types.h"
#include "events/rules/money.h"

#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::events {

/// As checkout.complete asks for it.
struct TenderAsked {
  std::string_view provider;
  std::string_view token;
  Minor amount_minor;  // 1 or more
};
[[nodiscard]] Minor sum_of(std::span<const TenderAsked>);
[[nodiscard]] bool any_card_number(std::span<const TenderAsked>);

/// What became of a tender's session. captured, returned, unpaid: over, with an order. over: without one.
enum class TenderState : std::uint8_t { waiting, open, captured, returned, unpaid, over };
[[nodiscard]] std::string_view name(TenderState);

struct Tender {
  using allocator_type = std::pmr::polymorphic_allocator<>;
  explicit Tender(allocator_type a = {}) : provider(a), token(a), reference(a) {}
  Tender(const Tender& o, allocator_type a)
      : state(o.state),
        amount_minor(o.amount_minor),
        authorized_minor(o.authorized_minor),
        captured_minor(o.captured_minor),
        refunded_minor(o.refunded_minor),
        provider(o.provider, a),
        token(o.token, a),
        reference(o.reference, a) {}
  Tender(Tender&& o, allocator_type a)
      : state(o.state),
        amount_minor(o.amount_minor),
        authorized_minor(o.authorized_minor),
        captured_minor(o.captured_minor),
        refunded_minor(o.refunded_minor),
        provider(std::move(o.provider), a),
        token(std::move(o.token), a),
        reference(std::move(o.reference), a) {}
  Tender(const Tender&) = default;
  Tender(Tender&&) = default;
  Tender& operator=(const Tender&) = default;
  Tender& operator=(Tender&&) = default;
  ~Tender() = default;

  TenderState state = TenderState::waiting;
  Minor amount_minor = 0;
  // Totals so far, while its session is open and another one moves.
  Minor authorized_minor = 0;
  Minor captured_minor = 0;
  Minor refunded_minor = 0;
  std::pmr::string provider;
  std::pmr::string token;  // until its session opens
  std::pmr::string reference;
};

/// In the order in which they are given: their sessions have the numbers from `first` on.
struct Tenders {
  explicit Tenders(std::pmr::memory_resource* memory) : list(memory) {}
  Tenders(const Tenders& o, std::pmr::memory_resource* memory) : first(o.first), list(o.list, memory) {}
  Tenders(const Tenders&) = delete;
  Tenders& operator=(const Tenders&) = delete;

  [[nodiscard]] Tender& of(int session) { return list.at(static_cast<std::size_t>(session - first)); }
  [[nodiscard]] int last() const { return first + static_cast<int>(list.size()) - 1; }

  int first = 1;
  std::pmr::vector<Tender> list;
};

/// Tenders, or none, which takes a pointer. A copy's memory is the default resource's, as of every pmr container.
class KeptTenders {
 public:
  KeptTenders() = default;
  KeptTenders(const KeptTenders& o) {
    if (o.kept_ != nullptr) keep(*o.kept_, std::pmr::get_default_resource());
  }
  KeptTenders(KeptTenders&& o) noexcept : kept_(std::exchange(o.kept_, nullptr)) {}
  KeptTenders& operator=(KeptTenders o) noexcept {
    std::swap(kept_, o.kept_);
    return *this;
  }
  ~KeptTenders() { clear(); }

  explicit operator bool() const { return kept_ != nullptr; }
  [[nodiscard]] const Tenders* get() const { return kept_; }
  const Tenders* operator->() const { return kept_; }
  const Tenders& operator*() const { return *kept_; }

  /// A copy in that memory, which outlives it.
  void keep(const Tenders&, std::pmr::memory_resource*);
  void clear();
  /// Tokens of sessions that are open or were are needed no more.
  void forget_tokens();

 private:
  Tenders* kept_ = nullptr;
};

}  // namespace mayfly::events
