#include "events/rules/session_life.h"

#include <algorithm>
#include <type_traits>

namespace mayfly::events {

namespace {

/// All tries of one state, each with its wait.
std::int64_t tries_ms(const Settings& s, std::int32_t tries) {
  constexpr auto last = std::int32_t{std::extent_v<decltype(Settings::status_try)>} - 1;
  std::int64_t sum = 0;
  for (std::int32_t i = 0; i < tries; ++i) sum += s.status_try[std::min(i, last)].count;
  return sum;
}

}  // namespace

Millis longest_life(const Settings& s, const Session& session) {
  const bool placed = session.ledger.order_placed;
  const auto tries = tries_ms(s, placed ? s.status_tries_order_placed : s.status_tries);
  auto ms = s.action_total.count + std::max(s.authorization_wait.count, s.pending_wait.count) +
            tries_ms(s, s.status_tries);           // authorizing
  if (!placed) ms += s.cancel_wait.count + tries;  // canceling
  if (placed) {                                    // capturing
    ms += 3 * s.capture_wait.count + s.capture_retry[0].count + s.capture_retry[1].count + tries;
  }
  ms += 3 * s.refund_wait.count + limits::refund_retry[0].count + limits::refund_retry[1].count + tries;  // refunding
  const auto& terms = session.terms;
  if (terms.any()) ms += (std::int64_t{terms.settles_within_s} + terms.capture_within_s) * 1000 + Millis{24_h}.count;
  if (session.tenders) ms *= static_cast<std::int64_t>(session.tenders->list.size());  // one after the other
  return {ms + ms / 4};
}

}  // namespace mayfly::events
