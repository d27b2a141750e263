#include "events/rules/sha1.h"

#include "events/text/hex.h"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly::events;

namespace {

std::string hex(const Sha1& digest) { return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()}); }

}  // namespace

TEST_CASE("SHA-1 is that of FIPS 180-4's examples, with the processor's instructions and without") {
  const struct {
    std::string bytes;
    const char* digest;
  } rows[] = {{"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
              {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
              {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
              {std::string(1'000'000, 'a'), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"}};
  for (const auto& row : rows) {
    CHECK(hex(sha1(row.bytes)) == row.digest);
    CHECK(hex(sha1_portable(row.bytes)) == row.digest);
  }
}

TEST_CASE("SHA-1 of every length round one, two and three blocks is Python's hashlib's") {
  for (const auto hash : {sha1, sha1_portable}) {
    std::string digests;
    for (std::size_t length = 0; length < 300; ++length) {
      std::string bytes;
      for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>((i * 7 + length) & 255);
      const auto digest = hash(bytes);
      digests.append(digest.begin(), digest.end());
    }
    CHECK(hex(sha1(digests)) == "dfc942b5ddc5fe6421ccada9be50fa42e873926c");
  }
}
