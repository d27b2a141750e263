#include "events/text/base64.h"

#include <cstddef>

namespace mayfly::events {

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t letters_together = 4;  // for three bytes
constexpr std::size_t most_padding = 2;
constexpr unsigned letter_bits = 6;
constexpr unsigned byte_bits = 8;

}  // namespace

std::optional<std::string_view> from_base64(std::string_view text, std::pmr::memory_resource* arena) {
  if (text.size() % letters_together != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < most_padding && text.ends_with('=')) text.remove_suffix(1), ++padding;
  auto* bytes = static_cast<char*>(arena->allocate(text.size() + 1, 1));
  std::size_t size = 0;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char letter : text) {
    const auto number = letters.find(letter);
    if (number == std::string_view::npos) return std::nullopt;
    bits = (bits << letter_bits | static_cast<unsigned>(number)) & 0xffffU;
    count += letter_bits;
    if (count < byte_bits) continue;
    count -= byte_bits;
    bytes[size++] = static_cast<char>(static_cast<unsigned char>(bits >> count));
  }
  if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return std::string_view{bytes, size};
}

}  // namespace mayfly::events
