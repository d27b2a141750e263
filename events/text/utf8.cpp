#include "events/text/utf8.h"

#include "events/text/eight_bytes.h"

namespace mayfly::events {

std::uint32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return malformed;
  std::uint32_t point = length == 1 ? first : first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return malformed;
    point = point << 6 | (byte(i) & 0x3f);
  }
  text.remove_prefix(length);
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return overlong || surrogate || point > 0x10ffff ? malformed : point;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_code_point(text) == malformed) return false;
  }
  return true;
}

bool is_plain_text(std::string_view text) {
  constexpr char del = 0x7f;
  while (!text.empty()) {
    if (text.size() >= EightBytes::size) {
      const EightBytes bytes(text, 0);
      if (!bytes.any_beyond_ascii() && !bytes.any_below<0x20>() && !bytes.any_equal(del)) {
        text.remove_prefix(EightBytes::size);
        continue;
      }
    }
    if (text[0] >= 0x20 && text[0] < del) {
      text.remove_prefix(1);
      continue;
    }
    const auto point = take_code_point(text);
    if (point == malformed || point < 0x20 || (point >= 0x7f && point < 0xa0)) return false;
  }
  return true;
}

}  // namespace mayfly::events
