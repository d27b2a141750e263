// Well-formed UTF-8 (RFC 3629), and text without control characters. Pure.
#pragma once

#include <string_view>

namespace mayfly::events {

/// No overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view);
/// UTF-8 without U+0000..1F and U+7F..9F.
[[nodiscard]] bool is_plain_text(std::string_view);

}  // namespace mayfly::events
