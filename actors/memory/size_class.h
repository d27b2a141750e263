// What an allocator of size classes (jemalloc) takes for a request.
#pragma once

#include <bit>
#include <cstdint>

namespace mayfly::actors {

/// jemalloc's classes: 8, then 16 apart up to 128, then four to each doubling. Its manual, SIZE CLASSES.
constexpr std::int64_t size_class(std::int64_t bytes) {
  constexpr std::int64_t smallest = 8;
  constexpr std::int64_t quantum = 16;
  if (bytes <= smallest) return bytes == 0 ? 0 : smallest;
  if (bytes <= 8 * quantum) return (bytes + quantum - 1) / quantum * quantum;
  const auto step = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(bytes)) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace mayfly::actors
