#include "events/rules/sha1.h"

#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace mayfly::events {

namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::size_t length_bytes = 8;  // of the message's length in bits, at the end of the last block

using Words = std::array<std::uint32_t, 5>;
using TakeBlock = void (*)(Words&, const unsigned char*);

std::uint32_t big_endian(const unsigned char* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | std::uint32_t{at[3]};
}

void put_big_endian(unsigned char* to, std::uint32_t word) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<unsigned char>(word >> (24 - 8 * i));
}

std::uint32_t choose(std::uint32_t b, std::uint32_t c, std::uint32_t d) { return d ^ (b & (c ^ d)); }
std::uint32_t parity(std::uint32_t b, std::uint32_t c, std::uint32_t d) { return b ^ c ^ d; }
std::uint32_t majority(std::uint32_t b, std::uint32_t c, std::uint32_t d) { return (b & c) | (d & (b | c)); }

/// Twenty rounds. Names go round instead of values: after five each is back in its place.
template <class F>
void take_rounds(Words& s, const std::uint32_t* w, std::uint32_t k, F f) {
  const auto round = [f, k](std::uint32_t a, std::uint32_t& b, std::uint32_t c, std::uint32_t d, std::uint32_t& e,
                            std::uint32_t word) {
    e += std::rotl(a, 5) + f(b, c, d) + k + word;
    b = std::rotl(b, 30);
  };
  std::uint32_t a = s[0], b = s[1], c = s[2], d = s[3], e = s[4];
  for (int i = 0; i < 20; i += 5) {
    round(a, b, c, d, e, w[i]);
    round(e, a, b, c, d, w[i + 1]);
    round(d, e, a, b, c, w[i + 2]);
    round(c, d, e, a, b, w[i + 3]);
    round(b, c, d, e, a, w[i + 4]);
  }
  s = {a, b, c, d, e};
}

void take_block(Words& state, const unsigned char* block) {
  std::array<std::uint32_t, 80> w;
  for (std::size_t i = 0; i < 16; ++i) w[i] = big_endian(block + 4 * i);
  for (std::size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  Words after = state;
  take_rounds(after, w.data(), 0x5a827999, choose);
  take_rounds(after, w.data() + 20, 0x6ed9eba1, parity);
  take_rounds(after, w.data() + 40, 0x8f1bbcdc, majority);
  take_rounds(after, w.data() + 60, 0xca62c1d6, parity);
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += after[i];
}

#if defined(__x86_64__)
/// Four rounds at a time: group i of the schedule follows from the four before it (Intel's SHA extensions).
__attribute__((target("sha,ssse3,sse4.1"))) void take_block_by_processor(Words& state, const unsigned char* block) {
  constexpr int groups = 20;
  const __m128i reversed = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  const __m128i first = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(state.data())), 0x1b);
  const __m128i first_e = _mm_set_epi32(static_cast<int>(state[4]), 0, 0, 0);
  __m128i w[groups];
  for (int i = 0; i < 4; ++i) {
    w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + i), reversed);
  }
  for (int i = 4; i < groups; ++i) {
    w[i] = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w[i - 4], w[i - 3]), w[i - 2]), w[i - 1]);
  }
  __m128i before = first;
  __m128i abcd = _mm_sha1rnds4_epu32(first, _mm_add_epi32(first_e, w[0]), 0);
  for (int i = 1; i < groups; ++i) {
    const __m128i e = _mm_sha1nexte_epu32(before, w[i]);
    before = abcd;
    if (i < 5) {
      abcd = _mm_sha1rnds4_epu32(abcd, e, 0);
    } else if (i < 10) {
      abcd = _mm_sha1rnds4_epu32(abcd, e, 1);
    } else if (i < 15) {
      abcd = _mm_sha1rnds4_epu32(abcd, e, 2);
    } else {
      abcd = _mm_sha1rnds4_epu32(abcd, e, 3);
    }
  }
  const __m128i last_e = _mm_sha1nexte_epu32(before, first_e);
  abcd = _mm_shuffle_epi32(_mm_add_epi32(abcd, first), 0x1b);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), abcd);
  state[4] = static_cast<std::uint32_t>(_mm_extract_epi32(last_e, 3));
}

bool has_sha_instructions() {
  constexpr unsigned sha = 1U << 29, ssse3 = 1U << 9, sse41 = 1U << 19;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & ssse3) == 0 || (c & sse41) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & sha) != 0;
}

TakeBlock fastest() { return has_sha_instructions() ? take_block_by_processor : take_block; }
#else
TakeBlock fastest() { return take_block; }
#endif

Sha1 digest(std::string_view bytes, TakeBlock take) {
  Words state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= block_bytes; left -= block_bytes, at += block_bytes) take(state, at);
  std::array<unsigned char, 2 * block_bytes> last{};
  if (left > 0) std::memcpy(last.data(), at, left);
  last[left] = 0x80;
  const std::size_t padded = left + 1 + length_bytes <= block_bytes ? block_bytes : 2 * block_bytes;
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  put_big_endian(last.data() + padded - 8, static_cast<std::uint32_t>(bits >> 32));
  put_big_endian(last.data() + padded - 4, static_cast<std::uint32_t>(bits));
  for (std::size_t i = 0; i < padded; i += block_bytes) take(state, last.data() + i);
  Sha1 digest;
  for (std::size_t i = 0; i < state.size(); ++i) put_big_endian(digest.data() + 4 * i, state[i]);
  return digest;
}

}  // namespace

Sha1 sha1(std::string_view bytes) {
  static const TakeBlock take = fastest();
  return digest(bytes, take);
}

Sha1 sha1_portable(std::string_view bytes) { return digest(bytes, take_block); }

}  // namespace mayfly::events
