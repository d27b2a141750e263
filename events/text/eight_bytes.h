// Eight bytes of text at a time, for what looks at every byte of every record.
#pragma once

#include "events/text/precondition.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mayfly::events {

class EightBytes {
 public:
  static constexpr std::size_t size = 8;
  /// Precondition: text.size() >= at + size.
  EightBytes(std::string_view text, std::size_t at) {
    precondition(text.size() >= size && at <= text.size() - size, "EightBytes: the text has eight bytes there");
    std::memcpy(&bytes_, text.data() + at, size);
  }

  [[nodiscard]] bool any_beyond_ascii() const { return (bytes_ & highs) != 0; }
  template <unsigned char n>
  requires(n <= 128) [[nodiscard]] bool any_below() const { return ((bytes_ - ones * n) & ~bytes_ & highs) != 0; }
  [[nodiscard]] bool any_equal(char c) const {
    const auto zero_where_equal = bytes_ ^ (ones * static_cast<unsigned char>(c));
    return ((zero_where_equal - ones) & ~zero_where_equal & highs) != 0;
  }
  [[nodiscard]] bool any_needs_json_escape() const { return any_below<0x20>() || any_equal('"') || any_equal('\\'); }

 private:
  static constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  static constexpr std::uint64_t highs = 0x8080'8080'8080'8080;
  std::uint64_t bytes_ = 0;
};

}  // namespace mayfly::events
