// One queue of epitaphs, oldest out first, as a ring of pages that are records of the state stream
// (docs/state-format.md). Knows no carts, no time and no index.
#pragma once

#include "events/rules/identity.h"
#include "events/state/snapshot.h"

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

namespace mayfly::events {

/// What is kept of an ended cart. All zero: nobody's.
struct Epitaph {
  CartHash hash{};
  Offset created = 0;
  std::uint32_t ended_s = 0;  // seconds since 1970
  std::uint8_t outcome = 0;   // CartOutcome, or 0; in two more bits how many sessions of the order follow W
  std::uint8_t order_session = 0;
  std::uint8_t newest_session = 0;
  std::uint8_t newest_reservation = 0;
};
static_assert(sizeof(Epitaph) == 32);
inline constexpr int outcome_bits = 0x0f, further_bits = 0x30, further_shift = 4;

/// Whether it is forgotten at that time, in seconds since 1970: sooner where the cart opened no payment session.
[[nodiscard]] bool is_forgotten(const Epitaph&, std::int64_t at_s);

/// Epitaphs have ordinals 0, 1, 2 ... in the order they came; begin() <= those kept < end(). An ordinal's place in the
/// ring is ordinal % capacity, its page place / per_page. A page takes memory while it holds one that is kept.
class EpitaphRing {
 public:
  static constexpr std::int64_t per_page = 128;

  /// Throws std::invalid_argument unless the capacity is a positive multiple of per_page.
  EpitaphRing(std::int64_t capacity, std::pmr::memory_resource*);

  [[nodiscard]] std::int64_t capacity() const { return capacity_; }
  [[nodiscard]] std::int64_t page_count() const { return capacity_ / per_page; }
  [[nodiscard]] std::int64_t begin() const { return begin_; }
  [[nodiscard]] std::int64_t end() const { return end_; }
  [[nodiscard]] std::int64_t size() const { return end_ - begin_; }
  [[nodiscard]] bool full() const { return size() == capacity_; }
  /// Memory held, by its own account.
  [[nodiscard]] std::int64_t bytes() const;

  [[nodiscard]] std::int64_t place_of(std::int64_t ordinal) const { return ordinal % capacity_; }
  /// Precondition: the place holds one that is kept.
  [[nodiscard]] std::int64_t ordinal_at(std::int64_t place) const;
  /// Precondition: the place is one of the ring's, and its page is held.
  [[nodiscard]] const Epitaph& at_place(std::int64_t place) const;
  /// Precondition: size() > 0.
  [[nodiscard]] const Epitaph& oldest() const;

  /// Precondition: not full.
  void push(const Epitaph&);
  /// Lets go of the oldest. Precondition: size() > 0.
  void pop();

  /// Calls `write(page, bytes)` for each page that push changed since the last call. Views end with each call.
  void take_dirty_pages(const std::function<void(std::int64_t page, std::string_view bytes)>& write);

  /// Takes the pages as they were written, in any order, into a ring that has had no push; then restored() finds the
  /// oldest that the ring still holds. What was popped since it came is kept again.
  [[nodiscard]] std::optional<Unsupported> restore_page(std::int64_t page, std::string_view bytes);
  [[nodiscard]] std::optional<Unsupported> restored();

  /// Of a page as it was written: the lowest `created` of those in it that are not forgotten at `ticked`, whether
  /// their ring holds them still or not; nothing if there is none. 0 if the page cannot be read.
  [[nodiscard]] static std::optional<Offset> oldest_created(std::string_view page, Timestamp ticked);

 private:
  using Page = std::pmr::vector<Epitaph>;  // per_page of them, or none
  Page& page_for(std::int64_t page);
  void append_page(std::string& out, std::int64_t lap_page) const;

  std::int64_t capacity_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t written_ = 0;  // the pages hold all ordinals below
  std::pmr::vector<Page> pages_;
};

}  // namespace mayfly::events
