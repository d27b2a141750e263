// Bytes as hexadecimal digits.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::events {

/// Two lower-case digits for each byte.
[[nodiscard]] std::string to_hex(std::string_view bytes);

}  // namespace mayfly::events
