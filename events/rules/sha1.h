// SHA-1 (FIPS 180-4), for UUIDs of version 5 and nothing else: it names, it protects nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mayfly::events {

using Sha1 = std::array<unsigned char, 20>;

/// By the processor's SHA instructions where it has them.
[[nodiscard]] Sha1 sha1(std::string_view bytes);
/// Without them, whatever the processor: the same.
[[nodiscard]] Sha1 sha1_portable(std::string_view bytes);

}  // namespace mayfly::events
