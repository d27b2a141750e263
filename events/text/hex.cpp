#include "events/text/hex.h"

#include <sodium/utils.h>

namespace mayfly::events {

std::string to_hex(std::string_view bytes) {
  std::string text(2 * bytes.size() + 1, '\0');  // libsodium ends it with a zero
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  text.pop_back();
  return text;
}

}  // namespace mayfly::events
