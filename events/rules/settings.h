// Every number that decides (contract.md 15.2). They change only by a tick's `settings` (decisions.md 3), so that a
// replay meets the same ones at the same record.
#pragma once

#include "events/log/types.h"
#include "events/rules/source_patterns.h"

#include <cstdint>

namespace mayfly::events {

/// Made without more: what every partition begins with. These values never change, whatever later engines want by
/// default, because a replay of any log must begin where the log began. The rest comes with the engine's first tick.
struct Settings {
  // Waits and the time that is written into requests (decisions.md 3).
  Millis cart_idle = 24_h;
  Millis cart_life = 30_d;
  Millis reservation_wait = 60_s;
  Millis reservation_hold = 3_h;
  Millis authorization_wait = 120_s;
  Millis pending_wait = 120_s;
  Millis refund_wait = 120_s;
  Millis action_wait = 900_s;
  Millis action_total = 3600_s;  // since session_opened; also the time a status reply may extend
  Millis capture_wait = 60_s;
  Millis cancel_wait = 60_s;
  Millis capture_retry[2] = {60_s, 300_s};
  Millis request_answer = 120_s;                        // `deadline` of commit, release and late requests
  Millis status_try[4] = {30_s, 120_s, 600_s, 1800_s};  // the last holds for all further tries
  std::int32_t status_tries = 4;
  std::int32_t status_tries_order_placed = 48;
  // Admission (decisions.md 2): closed under pressure, by a tick.
  bool admission_closed = false;
  Millis retry_after = 30_s;
  // Bounds.
  std::int64_t live_carts = 1'000'000;  // per partition
  // Who may say what (docs/security.md).
  std::int64_t tick_secret = 0;  // id of the secret that proves ticks; 0: they need no proof
  SourcePatterns reply_sources;  // of replies; empty: any source

  bool operator==(const Settings&) const = default;
};

/// What an engine wants to hold unless its configuration says otherwise.
inline Settings default_settings() {
  Settings s;
  s.cart_life = 365_d;
  return s;
}

/// Limits of the domain that no setting changes (contract.md 15.1).
namespace limits {
inline constexpr std::int64_t data_bytes = 64 * 1024;
inline constexpr std::int64_t offer_bytes = 1'000'000;  // data of cart.merge_offered
inline constexpr std::int64_t cart_id_bytes = 128;
inline constexpr std::int64_t short_id_bytes = 64;    // sku, line_id, provider, name of an attribute
inline constexpr std::int64_t reference_bytes = 128;  // reference, customer_id
inline constexpr std::int64_t text_bytes = 256;       // name, label, reason, value of an attribute
inline constexpr std::int64_t token_bytes = 512;
inline constexpr std::int64_t url_bytes = 2048;
inline constexpr std::int64_t attribute_bytes = 1024;  // a CloudEvents attribute that we carry on
inline constexpr std::int64_t quantity = 1'000'000;
inline constexpr std::int64_t cart_lines = 2'000;
inline constexpr std::int64_t per_quantity = 1'000'000;
inline constexpr std::int64_t line_attributes = 16;
inline constexpr std::int64_t line_attributes_bytes = 1'024;  // of a line, the object as escaped JSON
inline constexpr std::int64_t cart_text_bytes = 256 * 1024;   // skus, names, line ids, attributes as escaped JSON
inline constexpr std::int64_t adjustments = 512;
inline constexpr std::int64_t adjustments_text_bytes = 32 * 1024;  // labels as escaped JSON
inline constexpr std::int64_t checkouts = 32;
inline constexpr std::int64_t tenders_min = 2;  // of a checkout with `payments`
inline constexpr std::int64_t tenders = 4;
inline constexpr std::int64_t remembered_commands = 32;
inline constexpr std::int64_t expires_after_min_s = 60;
inline constexpr std::int64_t expires_after_max_s = 31'536'000;
inline constexpr std::int64_t deadlines_per_tick = 1'000;
inline constexpr Millis tick_skew = 60_s;
inline constexpr Millis epitaph_age = 72_h;
inline constexpr Millis epitaph_age_with_session = 35_d;  // of a cart that opened a session: providers repeat for 30
inline constexpr Millis merge_wait = 900_s;
inline constexpr Millis refund_retry[2] = {300_s, 3600_s};
inline constexpr Millis settle_try[4] = {1_h, 4_h, 12_h, 24_h};  // the last holds for all further ones
inline constexpr std::int64_t captures_asked = 32;               // of a session, by payment.capture
inline constexpr std::int64_t capture_within_min_s = 60;
inline constexpr std::int64_t capture_within_max_s = 7'776'000;
inline constexpr std::int64_t capture_within_default_s = 604'800;
inline constexpr std::int64_t settles_within_min_s = 3'600;
inline constexpr std::int64_t settles_within_max_s = 2'592'000;
inline constexpr std::int64_t attempts_told = 32;  // payment.attempt_failed of a session that are passed on
inline constexpr std::int64_t attempt_number = 1'000'000;
inline constexpr std::int64_t implausible_times = 10;  // a reply that reports this many times the session's amount
inline constexpr std::int64_t implausible_least_minor = 100;    // or of this, if the amount is less
inline constexpr std::int64_t epitaphs_with_session = 262'144;  // per partition
inline constexpr std::int64_t epitaphs_without_session = 65'536;
inline constexpr int attempts = 3;  // a command that kills its actor this often is dead-lettered
}  // namespace limits

}  // namespace mayfly::events
