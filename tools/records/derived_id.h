// Ids that Mayfly makes out of a cart's: of its order, its payment sessions, its reservations (docs/contract.md, 4).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mayfly::tools {

struct DerivedId {
  enum class Kind : std::uint8_t { cart, order, session, reservation };
  Kind kind = Kind::cart;
  std::string cart;
  int number = 0;  // of a session or reservation, from 1
};

/// All that `id` can be by its form. A cart comes first, because a cart may be called as a session would be. None if no
/// cart id is in it.
[[nodiscard]] std::vector<DerivedId> readings_of(const std::string& id);

}  // namespace mayfly::tools
