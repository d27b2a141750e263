// Well-formed UTF-8 (RFC 3629), and text without control characters. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace mayfly::events {

inline constexpr std::uint32_t malformed = 0xffff'ffff;
/// Takes one code point off the front of a text that is not empty. `malformed` where there is none: how much was taken
/// is then not said.
std::uint32_t take_code_point(std::string_view& text);

/// No overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view);
/// UTF-8 without U+0000..1F and U+7F..9F.
[[nodiscard]] bool is_plain_text(std::string_view);

}  // namespace mayfly::events
