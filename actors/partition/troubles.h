// What supervision remembers of a partition's carts: few have trouble, so it lies beside the table of carts.
#pragma once

#include "actors/cart/intensity.h"
#include "actors/partition/cart_table.h"
#include "events/rules/identity.h"
#include "events/state/trouble.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mayfly::actors {

class Troubles {
 public:
  explicit Troubles(const events::HashKey& key) : carts_(0, events::KeyedHash(key)) {}
  /// A cart comes from its state record.
  void restore(CartEntry&, const events::Trouble&);
  /// What the cart's state record keeps; nothing where there is no trouble.
  [[nodiscard]] events::Trouble kept(const CartEntry&) const;
  [[nodiscard]] bool quarantined(const CartEntry& entry) const { return entry.troubled && kept(entry).quarantined(); }
  [[nodiscard]] std::int64_t quarantined_carts() const { return quarantined_; }

  /// The cart's actor died. True: more often than is borne.
  bool died(CartEntry&, const Intensity&, events::Timestamp);
  /// One of its commands is a dead letter because it keeps failing.
  void failed(CartEntry& entry, events::Timestamp at) { of(entry).kept.add_failure(at); }
  /// One of its commands is a dead letter because it is quarantined. True: by that one it became so.
  bool quarantine(CartEntry&, events::Offset by);
  /// All is forgotten: it ended, was released, or never came to be.
  void forget(CartEntry&);

 private:
  struct Of {
    events::Trouble kept;
    RestartWindow deaths;
  };
  Of& of(CartEntry&);
  std::unordered_map<std::string, Of, events::KeyedHash, std::equal_to<>> carts_;  // by id: entries move
  std::int64_t quarantined_ = 0;
};

}  // namespace mayfly::actors
