// How many requests each caller of the front door may make in a time.
#pragma once

#include "events/log/types.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace mayfly::tools {

/// So many at once, and as many again over each `per`. 0: no limit.
struct Rate {
  std::int64_t requests = 1'000;
  events::Millis per{1'000};
  bool operator==(const Rate&) const = default;
};

/// A token bucket for each caller's name. Any thread may ask.
class RateLimit {
 public:
  /// Takes one request, and returns 0; or how long the caller has to wait until it may make one more. `now` is of a
  /// clock that never goes back. `worth`: a batch may be made when one request may, and then counts as so many.
  [[nodiscard]] events::Millis take(const std::string& caller, const Rate&, events::Millis now, std::int64_t worth = 1);

 private:
  struct Bucket {
    Rate rate;
    std::int64_t missing_ms = 0;  // until it is full, times `rate.requests`; after a batch more than it holds
    events::Millis at{};
  };
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace mayfly::tools
