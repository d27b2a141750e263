#include "events/text/hmac.h"

#include "events/text/hex.h"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;

TEST_CASE("HMAC-SHA256 is that of RFC 4231, also with a key that is longer than a block") {
  const struct {
    std::string key;
    std::string bytes;
    const char* mac;
  } rows[] = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const auto& row : rows) CHECK(events::to_hex(events::hmac_sha256(row.key, row.bytes)) == row.mac);
}

TEST_CASE("bytes are the same only as a whole") {
  CHECK(events::same_bytes("", ""));
  CHECK(events::same_bytes("abc", "abc"));
  for (const char* other : {"", "ab", "abd", "abcd", "Abc"}) CHECK_FALSE(events::same_bytes("abc", other));
}
