// The open carts of a partition: each one's newest snapshot as bytes, its wait, and its actor while it is awake.
// A cart's actor may be dropped at any time between segments: the bytes are all that it knew.
#pragma once

#include "actors/task.h"
#include "events/snapshot.h"

#include <caf/actor.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <vector>

namespace mayfly::actors {

inline constexpr std::uint32_t not_listed = 0xffff'ffff;

/// What is kept of a cart only while its actor lives.
struct Awake {
  caf::actor actor;
  Task* deciding = nullptr;  // the task it was last sent
  events::Timestamp last_used{};
  bool ordered = false;        // in the order of use
  CartEntry* newer = nullptr;  // neighbours in the order of use
  CartEntry* older = nullptr;
};

struct CartEntry {
  std::unique_ptr<char[]> block;  // id, then cart part, then session part
  std::uint32_t cart_bytes = 0;
  std::uint32_t session_bytes = 0;
  std::uint8_t id_bytes = 0;
  std::uint32_t place_in_waits = not_listed;
  std::uint32_t place_in_dirty = not_listed;
  events::Wait wait;
  std::unique_ptr<Awake> awake;
  Task* first = nullptr;  // its tasks in this segment
  Task* last = nullptr;

  [[nodiscard]] std::string_view id() const { return {block.get(), id_bytes}; }
  [[nodiscard]] std::string_view cart() const { return {block.get() + id_bytes, cart_bytes}; }
  [[nodiscard]] std::string_view session() const { return {block.get() + id_bytes + cart_bytes, session_bytes}; }
  /// Replaces the bytes; the arguments may be views of the old ones.
  void keep(std::string_view id, std::string_view cart, std::string_view session);
};

/// Entries by cart id, at stable addresses. Open addressing; its order is nobody's business.
class CartTable {
 public:
  [[nodiscard]] CartEntry* find(std::string_view id) const;
  /// Precondition: not there.
  CartEntry& add(std::string_view id);
  void remove(CartEntry&);
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// In no order.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& slot : slots_) {
      if (slot) f(*slot);
    }
  }

 private:
  [[nodiscard]] std::size_t place_of(std::string_view id) const;
  void grow();
  std::vector<std::unique_ptr<CartEntry>> slots_;
  std::int64_t size_ = 0;
};

/// The awake carts from longest idle to last used; links lie in Awake.
class AwakeOrder {
 public:
  void use(CartEntry&, events::Timestamp);
  /// Nothing if it is not in the order.
  void remove(CartEntry&);
  [[nodiscard]] CartEntry* longest_idle() const { return oldest_; }
  [[nodiscard]] std::int64_t size() const { return size_; }

 private:
  CartEntry* oldest_ = nullptr;
  CartEntry* newest_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace mayfly::actors
