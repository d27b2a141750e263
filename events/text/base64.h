// Base64 (RFC 4648, section 4).
#pragma once

#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::events {

/// The bytes, which lie in `arena`. Nothing where the text is not what an encoder writes: another letter, padding that
/// lacks or is too much, or bits set behind the last byte.
[[nodiscard]] std::optional<std::string_view> from_base64(std::string_view text, std::pmr::memory_resource* arena);

[[nodiscard]] std::string to_base64(std::string_view bytes);

}  // namespace mayfly::events
