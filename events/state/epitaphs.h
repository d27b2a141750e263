// What remains of ended carts: 32 bytes each, bounded in time and count, in pages of the state stream
// (decisions.md 6, docs/state-format.md). One per partition.
#pragma once

#include "events/rules/decide.h"
#include "events/rules/identity.h"
#include "events/rules/settings.h"
#include "events/state/epitaph_ring.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

namespace mayfly::events {

class Epitaphs {
 public:
  static constexpr std::int64_t per_page = EpitaphRing::per_page;

  /// Capacities in epitaphs, multiples of per_page, at most 524,287 together; else throws std::invalid_argument.
  explicit Epitaphs(std::int64_t with_session = limits::epitaphs_with_session,
                    std::int64_t without_session = limits::epitaphs_without_session,
                    std::pmr::memory_resource* = std::pmr::get_default_resource());

  [[nodiscard]] std::optional<Ended> find(const CartHash&) const;
  /// True if adding `n` more could evict the epitaph of that hash (it is among the n next to go of a queue that would
  /// then be full). False if there is none.
  [[nodiscard]] bool may_go_out(const CartHash&, std::int64_t n) const;
  /// Adds one that ended at `time`; where its queue is full the oldest goes out (counted). The page is dirty then.
  /// Precondition: none is found under that hash.
  void add(const CartHash&, const Ended&, Timestamp time);
  /// Forgets those that ended more than 72 h before `ticked`, of carts that opened a session more than 35 days, both in
  /// whole seconds. Pages are not rewritten for it.
  void forget(Timestamp ticked);

  [[nodiscard]] std::int64_t size() const;
  /// Memory held, by its own account.
  [[nodiscard]] std::int64_t bytes() const;
  /// Since this program took the partition.
  [[nodiscard]] std::int64_t evicted() const { return evicted_; }

  /// Calls `write(key, bytes)` for each page changed since the last call. Views end with each call.
  void take_dirty_pages(const std::function<void(std::string_view key, std::string_view bytes)>& write);

  /// True for keys of pages. restore takes pages in any order, then restored() completes the queues: what is found from
  /// then on is what was found when the pages were taken.
  [[nodiscard]] static bool is_page_key(std::string_view key);
  [[nodiscard]] std::optional<Unsupported> restore_page(std::string_view key, std::string_view bytes);
  std::optional<Unsupported> restored(Timestamp ticked);

 private:
  // A place counts through both rings. A slot of the index is 0 where free, else place + 1 below bits of the hash.
  [[nodiscard]] std::int64_t first_place(std::size_t ring) const { return ring == 0 ? 0 : rings_[0].capacity(); }
  [[nodiscard]] const Epitaph& at_place(std::int64_t place) const;
  [[nodiscard]] std::optional<std::int64_t> place_of(const CartHash&) const;
  [[nodiscard]] std::size_t slot_of(const CartHash&) const;
  void drop_oldest(std::size_t ring);
  void drop_old(std::size_t ring);
  void index(const CartHash&, std::int64_t place);
  void unindex(const CartHash&, std::int64_t place);
  void rebuild_index();

  std::array<EpitaphRing, 2> rings_;       // carts that opened a session; others
  std::pmr::vector<std::uint32_t> index_;  // open addressing, a power of two long
  std::int64_t indexed_ = 0;
  std::int64_t evicted_ = 0;
  std::int64_t ticked_s_ = 0;
};

}  // namespace mayfly::events
