// HMAC with SHA-256 (RFC 2104, FIPS 180-4).
#pragma once

#include <string>
#include <string_view>

namespace mayfly::events {

/// 32 bytes.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// Takes as long for wrong bytes as for the right ones, so that nobody can find them one by one.
[[nodiscard]] bool same_bytes(std::string_view, std::string_view);

}  // namespace mayfly::events
