#include "tools/front_door/rate_limit.h"

#include <algorithm>

namespace mayfly::tools {

events::Millis RateLimit::take(const std::string& caller, const Rate& rate, events::Millis now, std::int64_t worth) {
  if (rate.requests == 0) return {};
  const std::scoped_lock lock(mutex_);
  auto& bucket = buckets_[caller];
  if (bucket.rate != rate) bucket = {rate, 0, now};  // a new caller, or one whose rate has changed
  // In whole numbers: a request is worth `per` ms, each passing ms gives back `requests`.
  const auto passed = std::min(now.count - bucket.at.count, bucket.missing_ms / rate.requests + 1);
  bucket.missing_ms = std::max<std::int64_t>(0, bucket.missing_ms - passed * rate.requests);
  bucket.at = now;
  const auto over = bucket.missing_ms + rate.per.count - rate.per.count * rate.requests;
  if (over > 0) return {(over + rate.requests - 1) / rate.requests};
  bucket.missing_ms += rate.per.count * worth;
  return {};
}

}  // namespace mayfly::tools
