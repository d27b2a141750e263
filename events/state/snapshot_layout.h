// What the parts of a state record have in common. The layouts are docs/state-format.md: change that page, the version
// and a golden test together. Private to events/.
#pragma once

#include "events/state/bytes.h"
#include "events/state/snapshot.h"
#include "events/text/precondition.h"

#include <limits>
#include <optional>
#include <string_view>

namespace mayfly::events::layout {

/// Every part begins with its own: the parts of one record may have been written by programs of different age.
inline constexpr std::uint64_t newest_cart = 4;
inline constexpr std::uint64_t newest_session = 4;
inline constexpr std::uint64_t without_tenders = 3;     // a cart's, a session's
inline constexpr std::uint64_t without_extras = 2;      // a cart's: no second flags
inline constexpr std::uint64_t without_action_url = 1;  // a session's
inline constexpr std::uint64_t without_terms = 2;       // a session's: no second flags

inline constexpr std::string_view a_cart = "the cart's state";
inline constexpr std::string_view a_session = "the state of the cart's payment session";

/// The version that `bytes` begin with is one of 1..newest_known, or why it is not.
[[nodiscard]] std::optional<Unsupported> check(std::string_view what, std::string_view bytes,
                                               std::uint64_t newest_known);

/// Reads on behind the version. Precondition: there is one (check).
[[nodiscard]] inline ByteReader behind_version(std::string_view bytes) {
  precondition(!bytes.empty(), "behind_version: there is a version");
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
[[nodiscard]] inline int take_int(ByteReader& in) {
  return static_cast<int>(in.varint(std::numeric_limits<int>::max()));
}
// What a decision computes with must lie where it cannot overflow: the readers below fail beyond.

inline constexpr std::int64_t latest_time_ms = 253'402'300'799'999;  // the end of the year 9999
inline constexpr std::int64_t longest_s = 3'155'760'000;             // a hundred years
inline constexpr std::uint64_t most_tries = 1'000'000;               // of anything that is counted and has a limit

[[nodiscard]] inline std::int64_t take_least(ByteReader& in, std::int64_t least, std::int64_t most) {
  const auto value = static_cast<std::int64_t>(in.varint(static_cast<std::uint64_t>(most)));
  if (value < least) in.fail();
  return value;
}
[[nodiscard]] inline Offset take_offset(ByteReader& in) {
  return take_least(in, 0, std::numeric_limits<Offset>::max());
}
[[nodiscard]] inline Timestamp take_time(ByteReader& in) { return {take_least(in, 0, latest_time_ms)}; }
[[nodiscard]] inline Millis take_length(ByteReader& in) { return {take_least(in, 0, longest_s * 1000)}; }
/// What a provider reported: any amount, never a negative one.
[[nodiscard]] inline Minor take_reported(ByteReader& in) {
  return take_least(in, 0, std::numeric_limits<Minor>::max());
}
[[nodiscard]] inline int take_tries(ByteReader& in) { return static_cast<int>(in.varint(most_tries)); }
void put(ByteWriter&, const Terms&);
/// Fails where there are none, or such that no command may give.
[[nodiscard]] Terms take_terms(ByteReader&);
// Several tenders, whose sessions are `first` and on.
void put(ByteWriter&, const Tenders&);
/// Into default memory. Fails unless there are two to four, each with something to pay.
void take_tenders(ByteReader&, Tenders&);
/// Fails unless it is three upper-case letters.
[[nodiscard]] Currency take_currency(ByteReader&);

}  // namespace mayfly::events::layout
