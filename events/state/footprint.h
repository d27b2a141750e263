// What a cart and a payment session take of their memory, member by member: their owner's own account, which the
// ledger must agree with to the byte. A new member that allocates belongs here, and in docs/memory.md.
#pragma once

#include "events/rules/cart.h"
#include "events/rules/session.h"

#include <cstdint>

namespace mayfly::events {

/// In bytes asked for from each resource of CartMemory.
struct CartFootprint {
  std::int64_t id = 0;
  std::int64_t lines = 0;
  std::int64_t adjustments = 0;
  std::int64_t payment = 0;
  std::int64_t dedupe = 0;
};
[[nodiscard]] CartFootprint footprint(const Cart&);
[[nodiscard]] std::int64_t footprint(const Session&);

}  // namespace mayfly::events
