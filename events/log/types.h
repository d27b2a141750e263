// The numbers that address and time a record, as types that cannot be mixed up. Pure values.
#pragma once

#include <compare>
#include <cstdint>

namespace mayfly::events {

/// Partition number, 0 .. partition count - 1. The same in commands, events and state.
using Partition = std::int32_t;

/// Offset of a record in its partition, from 0; may have gaps (Kafka writes its transaction marks there).
using Offset = std::int64_t;
inline constexpr Offset no_offset = -1;

struct Position {
  Partition partition = 0;
  Offset offset = 0;
  auto operator<=>(const Position&) const = default;
};

/// A length of time in milliseconds.
struct Millis {
  std::int64_t count = 0;
  auto operator<=>(const Millis&) const = default;
};
constexpr Millis operator""_ms(unsigned long long n) { return {static_cast<std::int64_t>(n)}; }
constexpr Millis operator""_s(unsigned long long n) { return {static_cast<std::int64_t>(n) * 1000}; }
constexpr Millis operator""_h(unsigned long long n) { return {static_cast<std::int64_t>(n) * 3'600'000}; }
constexpr Millis operator""_d(unsigned long long n) { return {static_cast<std::int64_t>(n) * 86'400'000}; }

/// Milliseconds since 1970-01-01T00:00:00Z. In decisions it is always a record's log-append time.
struct Timestamp {
  std::int64_t ms = 0;
  auto operator<=>(const Timestamp&) const = default;
};
constexpr Timestamp operator+(Timestamp t, Millis d) { return {t.ms + d.count}; }
constexpr Timestamp operator-(Timestamp t, Millis d) { return {t.ms - d.count}; }
constexpr Millis operator-(Timestamp a, Timestamp b) { return {a.ms - b.ms}; }
/// By a clock that people may set: `length` has gone by since then, or the clock was set back, for nothing waits until
/// it has caught up.
constexpr bool has_passed(Millis length, Timestamp since, Timestamp now) {
  return now < since || now - since >= length;
}

}  // namespace mayfly::events
