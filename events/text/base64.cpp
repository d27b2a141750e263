#include "events/text/base64.h"

#include <sodium/utils.h>

#include <cstddef>

namespace mayfly::events {

std::optional<std::string_view> from_base64(std::string_view text, std::pmr::memory_resource* arena) {
  auto* bytes = static_cast<char*>(arena->allocate(text.size() + 1, 1));
  std::size_t size = 0;
  const int wrong = ::sodium_base642bin(reinterpret_cast<unsigned char*>(bytes), text.size(), text.data(), text.size(),
                                        nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (wrong != 0) return std::nullopt;
  return std::string_view{bytes, size};
}

std::string to_base64(std::string_view bytes) {
  // The length counts the null that it ends with.
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  ::sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

}  // namespace mayfly::events
