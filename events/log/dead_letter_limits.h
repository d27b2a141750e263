// What a dead letter keeps of the record that it stands for. All of it together, and what is said beside it, stays well
// below the 1,000,000 bytes that the topics take at least (docs/kafka.md).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace mayfly::events {

inline constexpr std::size_t dead_letter_key_bytes = 1024;
inline constexpr std::size_t dead_letter_value_bytes = 256 * 1024;
inline constexpr std::size_t dead_letter_headers_bytes = 64 * 1024;  // names, values and header_overhead_bytes each
inline constexpr std::size_t header_overhead_bytes = 20;             // of a header on the wire, at most

/// Headers that a dead letter has if anything was cut, in this order, before those that all have: what the record had.
/// The hash is empty if the value is whole.
inline constexpr std::array<std::string_view, 4> cut_headers = {"mayfly.key_bytes", "mayfly.value_bytes",
                                                                "mayfly.value_sha256", "mayfly.headers_bytes"};

}  // namespace mayfly::events
