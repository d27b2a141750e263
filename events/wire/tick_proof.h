// What shows that a clock.tick was written by somebody who has the secret: a keyed hash in its header ce_proof. Pure:
// whoever reads the secret from a file gives its text.
#pragma once

#include "events/log/types.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mayfly::events {

inline constexpr std::string_view proof_header = "ce_proof";

class TickSecret {
 public:
  explicit TickSecret(std::string_view text);
  /// Names the secret and does not give it away; above 0.
  [[nodiscard]] std::int64_t id() const { return id_; }
  using Proof = std::array<char, 64>;  // lower-case hexadecimal digits
  /// BLAKE2b-256 keyed with the secret's hash, over partition, source, id and value of the tick.
  [[nodiscard]] Proof proof(Partition, std::string_view source, std::string_view id, std::string_view value) const;

 private:
  std::array<unsigned char, 32> key_{};
  std::int64_t id_ = 0;
};

/// The secrets that a reader or writer of ticks knows. Which of them ticks must be proven with is a setting, so that a
/// replay that knows them all decides the same.
struct TickSecrets {
  std::vector<TickSecret> known;
  /// Without the secret: every proof of the right form is taken for a true one. For readers that only look back.
  bool any_proof = false;

  [[nodiscard]] const TickSecret* find(std::int64_t id) const;
  /// Is `proof` that of the secret with this id?
  [[nodiscard]] bool proven(std::int64_t secret_id, std::string_view proof, Partition, std::string_view source,
                            std::string_view id, std::string_view value) const;
};

}  // namespace mayfly::events
