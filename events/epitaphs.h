// What remains of ended carts: 32 bytes each, bounded in time and count, in pages of the state stream
// (decisions.md 6). One per partition.
#pragma once

#include "events/decide.h"
#include "events/identity.h"
#include "events/snapshot.h"

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::events {

class Epitaphs {
 public:
  static constexpr int per_page = 128;

  /// Capacities in epitaphs, multiples of per_page.
  explicit Epitaphs(std::int64_t with_session = limits::epitaphs_with_session,
                    std::int64_t without_session = limits::epitaphs_without_session,
                    std::pmr::memory_resource* = std::pmr::get_default_resource());

  [[nodiscard]] std::optional<Ended> find(const CartHash&) const;
  /// Adds one that ended at `time`; where its queue is full the oldest goes out (counted). The page is dirty then.
  void add(const CartHash&, const Ended&, Timestamp time);
  /// Forgets those that ended more than 72 h before `ticked`. Pages are not rewritten for it.
  void forget(Timestamp ticked);

  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] std::int64_t evicted() const;

  /// Calls `write(key, bytes)` for each page changed since the last call. Views end with each call.
  void take_dirty_pages(const std::function<void(std::string_view key, std::string_view bytes)>& write);

  /// True for keys of pages. restore takes pages in any order, then restored() completes the queues.
  [[nodiscard]] static bool is_page_key(std::string_view key);
  [[nodiscard]] std::optional<Unsupported> restore_page(std::string_view key, std::string_view bytes);
  void restored(Timestamp ticked);

 private:
  struct Stored {
    CartHash hash;
    std::int64_t created;
    std::uint32_t ended_s;
    std::uint8_t outcome, order_session, newest_session, newest_reservation;
  };
  static_assert(sizeof(Stored) == 32);

  /// A ring of epitaphs, oldest out first. Slots are numbered from first_slot in the page keys.
  struct Queue {
    std::pmr::vector<Stored> ring;  // grows up to capacity, page by page
    std::int64_t capacity;
    std::int64_t head = 0;  // ordinal of the next one; its place is head % capacity
    std::int64_t tail = 0;  // ordinal of the oldest one kept
    std::int64_t evicted = 0;
    std::pmr::vector<std::int32_t> dirty;  // page numbers in this queue, each once
    std::int32_t first_slot;
  };
  Queue queues_[2];
  std::pmr::vector<std::uint32_t> index_;  // open addressing: 0 free, 1 gone, else place + 2 (queue in the top bit)
  std::int64_t index_used_ = 0;
};

}  // namespace mayfly::events
