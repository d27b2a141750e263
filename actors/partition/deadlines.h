// The waits of a partition's carts, one each: those that no tick has started yet, in the order they were set, and
// those that run, by (due time, cart id bytes). Two heaps of 16 bytes an entry; each cart knows its place.
#pragma once

#include "actors/partition/cart_table.h"
#include "events/log/types.h"

#include <memory_resource>
#include <optional>
#include <vector>

namespace mayfly::actors {

class Deadlines {
 public:
  explicit Deadlines(std::pmr::memory_resource* = std::pmr::get_default_resource());

  /// Lists the entry by its wait; nothing if it has none. Precondition: not listed.
  void list(CartEntry&);
  /// Takes the entry off. Its wait must be the one it was listed with.
  void remove(CartEntry&);

  /// The next wait set by a record at or before `through`, taken off; null if none.
  CartEntry* take_unstarted(events::Offset through);
  /// The next deadline at or before `time`, taken off; null if none.
  CartEntry* take_due(events::Timestamp time);

  [[nodiscard]] bool any_unstarted() const { return !unstarted_.empty(); }
  [[nodiscard]] std::optional<events::Timestamp> next_due() const;
  [[nodiscard]] std::size_t size() const { return unstarted_.size() + started_.size(); }
  /// Memory held, by its own account.
  [[nodiscard]] std::int64_t bytes() const {
    return static_cast<std::int64_t>((unstarted_.capacity() + started_.capacity()) * sizeof(Node));
  }

 private:
  struct Node {
    std::int64_t key;  // offset it was set at, or due time in milliseconds
    CartEntry* entry;
  };
  using Heap = std::pmr::vector<Node>;  // at most a quarter more than was needed, once it is large
  static bool before(const Node&, const Node&);
  static void place(Heap&, std::size_t at, Node);
  static void sift(Heap&, std::size_t at);
  static void take(Heap&, std::size_t at);
  static void fit(Heap&, std::size_t nodes);
  Heap& heap_of(const events::Wait& wait) { return wait.due ? started_ : unstarted_; }

  Heap unstarted_;
  Heap started_;
};

}  // namespace mayfly::actors
