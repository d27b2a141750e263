// What the parts of a state record have in common. The layouts are docs/state-format.md: change that page, the version
// and a golden test together. Private to events/.
#pragma once

#include "events/bytes.h"
#include "events/snapshot.h"

#include <limits>
#include <optional>
#include <string_view>

namespace mayfly::events::layout {

/// Every part begins with its own: the parts of one record may have been written by programs of different age.
inline constexpr std::uint64_t newest = 2;
inline constexpr std::uint64_t without_action_url = 1;

inline constexpr std::string_view a_cart = "the cart's state";
inline constexpr std::string_view a_session = "the state of the cart's payment session";

/// The version that `bytes` begin with is one of 1..newest_known, or why it is not.
[[nodiscard]] std::optional<Unsupported> check(std::string_view what, std::string_view bytes,
                                               std::uint64_t newest_known = newest);

/// Reads on behind the version. Precondition: checked.
[[nodiscard]] inline ByteReader behind_version(std::string_view bytes) {
  ByteReader in(bytes);
  (void)in.fixed(1);
  return in;
}

[[nodiscard]] inline Unsupported damage(std::string_view what, const ByteReader& in, std::string_view bytes) {
  return {damaged(what, in.position(), bytes.size())};
}

// Members of several parts. Times and amounts are varints of their two's complement.

inline void put(ByteWriter& to, std::int64_t value) { to.varint(static_cast<std::uint64_t>(value)); }
void put(ByteWriter&, Currency);
[[nodiscard]] inline std::int64_t take_signed(ByteReader& in) { return static_cast<std::int64_t>(in.varint()); }
[[nodiscard]] inline int take_int(ByteReader& in) {
  return static_cast<int>(in.varint(std::numeric_limits<int>::max()));
}
/// Fails unless it is three upper-case letters.
[[nodiscard]] Currency take_currency(ByteReader&);

}  // namespace mayfly::events::layout
