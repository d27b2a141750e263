#include "events/wire/tick_proof.h"

#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

#include <algorithm>
#include <limits>

namespace mayfly::events {

namespace {

/// Keyed or, with an empty key, plain BLAKE2b-256.
class Hash {
 public:
  using Bytes = std::array<unsigned char, 32>;
  explicit Hash(const Bytes* key) {
    crypto_generichash_init(&state_, key != nullptr ? key->data() : nullptr, key != nullptr ? key->size() : 0,
                            Bytes{}.size());
  }
  Hash& bytes(std::string_view text) {
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    return *this;
  }
  Hash& number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) {
      const auto byte = static_cast<unsigned char>(value >> (8 * i));
      crypto_generichash_update(&state_, &byte, 1);
    }
    return *this;
  }
  /// With its length before it, so that two texts cannot be cut elsewhere.
  Hash& text(std::string_view text) { return number(text.size()).bytes(text); }
  Bytes end() {
    Bytes hash{};
    crypto_generichash_final(&state_, hash.data(), hash.size());
    return hash;
  }

 private:
  crypto_generichash_state state_{};
};

}  // namespace

TickSecret::TickSecret(std::string_view text) : key_(Hash(nullptr).bytes(text).end()) {
  const auto hash = Hash(&key_).text("mayfly tick secret").end();
  std::uint64_t id = 0;
  for (std::size_t i = 0; i < 8; ++i) id = id << 8 | hash[i];
  id &= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  id_ = static_cast<std::int64_t>(std::max<std::uint64_t>(id, 1));
}

TickSecret::Proof TickSecret::proof(Partition partition, std::string_view source, std::string_view id,
                                    std::string_view value) const {
  const auto hash = Hash(&key_)
                        .text("mayfly tick")
                        .number(static_cast<std::uint64_t>(partition))
                        .text(source)
                        .text(id)
                        .text(value)
                        .end();
  Proof digits{};
  constexpr std::string_view hex = "0123456789abcdef";
  for (std::size_t i = 0; i < hash.size(); ++i) {
    digits[2 * i] = hex[hash[i] >> 4];
    digits[2 * i + 1] = hex[hash[i] & 15];
  }
  return digits;
}

const TickSecret* TickSecrets::find(std::int64_t id) const {
  const auto found = std::find_if(known.begin(), known.end(), [id](const TickSecret& s) { return s.id() == id; });
  return found == known.end() ? nullptr : &*found;
}

bool TickSecrets::proven(std::int64_t secret_id, std::string_view proof, Partition partition, std::string_view source,
                         std::string_view id, std::string_view value) const {
  if (proof.size() != TickSecret::Proof{}.size()) return false;
  const auto* secret = find(secret_id);
  if (secret == nullptr) return any_proof && proof.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  const auto right = secret->proof(partition, source, id, value);
  return sodium_memcmp(right.data(), proof.data(), right.size()) == 0;
}

}  // namespace mayfly::events
