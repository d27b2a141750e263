// When a request that was not taken is sent again: webhooks, traces.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

namespace mayfly::tools {

/// What an answer's status says of the request.
enum class Answered : std::uint8_t {
  delivered,  // 2xx
  refused,    // 400, 410, 413, 415, 422: the same request would be refused again
  not_now,    // all others, redirections too
};
[[nodiscard]] Answered answered(int status);

/// Retry-After (RFC 9110, 10.2.3): seconds, or a date as "Sun, 06 Nov 1994 08:49:37 GMT". None where it is neither.
[[nodiscard]] std::optional<events::Timestamp> retry_after(std::string_view value, events::Timestamp now);

/// Exponential backoff with full jitter: any time up to a limit that doubles with each attempt.
class Backoff {
 public:
  static constexpr events::Millis first{500};
  static constexpr events::Millis most{60'000};
  explicit Backoff(std::uint64_t seed) : random_(seed) {}
  /// After so many attempts that failed; 1 or more.
  [[nodiscard]] events::Millis after(int attempts);

 private:
  std::mt19937_64 random_;
};

}  // namespace mayfly::tools
