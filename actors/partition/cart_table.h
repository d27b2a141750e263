// The open carts of a partition: each one's state record as bytes, and its actor while it is awake.
// A cart's actor may be dropped at any time between segments: the bytes are all that it knew.
#pragma once

#include "actors/cart/task.h"
#include "events/rules/identity.h"
#include "events/state/snapshot.h"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

namespace mayfly::actors {

inline constexpr std::uint32_t not_listed = 0xffff'ffff;

/// What is kept of a cart only while it is busy: from its first task in a segment until it sleeps or ends.
struct Awake {
  CartEntry* entry = nullptr;  // whose it is; follows it when it moves
  caf::actor actor;            // none between joining a chain and the first message
  Task* first = nullptr;       // its tasks in this segment, in record order
  Task* last = nullptr;
  events::Timestamp last_used{};
  std::optional<events::CartHash> hash;  // of the cart's id, where it was asked for
  bool ordered = false;                  // in the order of use
  Awake* newer = nullptr;                // neighbours in the order of use
  Awake* older = nullptr;
};

/// One block of memory: this, the cart's id, its state record's value. Made, moved and freed by its CartTable alone:
/// CartTable::keep gives it another address.
class CartEntry {
 public:
  [[nodiscard]] std::string_view id() const { return {text(), id_bytes_}; }
  /// As the state stream holds it (docs/state-format.md), but for what supervision remembers; empty before the cart's
  /// first commit.
  [[nodiscard]] std::string_view snapshot() const { return {text() + id_bytes_, snapshot_bytes_}; }
  [[nodiscard]] std::string_view cart() const { return parts().cart; }
  [[nodiscard]] std::string_view session() const { return parts().session; }
  [[nodiscard]] events::Wait wait() const { return parts().wait; }
  /// Precondition: there is a snapshot.
  void set_wait(const events::Wait& wait) { events::put_wait({text() + id_bytes_, snapshot_bytes_}, wait); }
  [[nodiscard]] bool has_actor() const { return awake != nullptr && awake->actor; }
  /// Of the whole block.
  [[nodiscard]] std::size_t bytes() const { return sizeof(CartEntry) + id_bytes_ + snapshot_bytes_; }

  Awake* awake = nullptr;  // freed by the table
  std::uint32_t place_in_waits = not_listed;
  std::uint32_t place_in_dirty = not_listed;
  bool session_too_old = false;  // PartitionState::sessions_too_old counts it
  bool troubled = false;         // supervision remembers something of it (Troubles)

 private:
  friend class CartTable;
  CartEntry() = default;
  [[nodiscard]] events::SnapshotParts parts() const { return events::parts_of(snapshot()); }
  [[nodiscard]] const char* text() const { return reinterpret_cast<const char*>(this + 1); }
  [[nodiscard]] char* text() { return reinterpret_cast<char*>(this + 1); }

  std::uint8_t id_bytes_ = 0;
  std::uint32_t snapshot_bytes_ = 0;
  CartEntry* next_ = nullptr;  // in its bucket
};

/// Where a table's memory comes from, by purpose. They outlive it.
struct TableMemory {
  std::pmr::memory_resource* entries = std::pmr::get_default_resource();
  std::pmr::memory_resource* route = std::pmr::get_default_resource();
  std::pmr::memory_resource* awake = std::pmr::get_default_resource();
};

/// Entries by cart id: chains of one or two behind a bucket. Its order is nobody's business: it is another in each
/// process.
class CartTable {
 public:
  explicit CartTable(TableMemory = {}, events::KeyedHash = events::KeyedHash());
  ~CartTable();
  CartTable(const CartTable&) = delete;
  CartTable& operator=(const CartTable&) = delete;

  [[nodiscard]] CartEntry* find(std::string_view id) const;
  /// Precondition: the id is one (is_cart_id) and is not there.
  CartEntry& add(std::string_view id);
  /// Takes over the bytes of a state record; they may be views of the old ones. The entry moves: use what is returned.
  CartEntry& keep(CartEntry&, std::string_view snapshot);
  CartEntry& keep(CartEntry&, const events::Wait&, std::string_view cart, std::string_view session);
  void remove(CartEntry&);
  /// Makes what is kept of a busy cart, if it is not there yet.
  Awake& wake(CartEntry&);
  /// Frees it. Precondition: it is not in the order of use.
  void sleep(CartEntry&);

  [[nodiscard]] std::int64_t size() const { return size_; }
  /// What the table holds now, by its own account: the ledger must agree to the byte.
  [[nodiscard]] std::int64_t entry_bytes() const { return entry_bytes_; }
  [[nodiscard]] std::int64_t route_bytes() const {
    return static_cast<std::int64_t>(buckets_.capacity() * sizeof(void*));
  }
  [[nodiscard]] std::int64_t awake_count() const { return awake_count_; }
  /// In no order.
  template <class F>
  void for_each(F&& f) const {
    for (auto* first : buckets_) {
      for (auto* entry = first; entry != nullptr; entry = entry->next_) f(*entry);
    }
  }

 private:
  [[nodiscard]] CartEntry** link_to(const CartEntry&);
  CartEntry& make(std::string_view id, std::size_t snapshot_bytes);
  CartEntry& replace(CartEntry& old, CartEntry& made);
  void free(CartEntry&);
  void free_awake(CartEntry&);
  void resize(std::size_t buckets);

  [[nodiscard]] std::size_t place_of(std::string_view id) const { return hash_(id) & (buckets_.size() - 1); }

  TableMemory memory_;
  events::KeyedHash hash_;
  std::pmr::vector<CartEntry*> buckets_;  // a power of two
  std::int64_t size_ = 0;
  std::int64_t entry_bytes_ = 0;
  std::int64_t awake_count_ = 0;
};

/// The awake carts from longest idle to last used; links lie in Awake.
class AwakeOrder {
 public:
  void use(Awake&, events::Timestamp);
  /// Nothing if it is not in the order.
  void remove(Awake&);
  [[nodiscard]] Awake* longest_idle() const { return oldest_; }
  [[nodiscard]] std::int64_t size() const { return size_; }

 private:
  Awake* oldest_ = nullptr;
  Awake* newest_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace mayfly::actors
