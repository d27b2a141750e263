// How webhooks are signed: Standard Webhooks 1.0 (standardwebhooks.com), and Stripe's own scheme
// (docs.stripe.com/webhooks). Nothing here says a secret.
#pragma once

#include "adapters/http/http.h"
#include "events/log/types.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

enum class WebhookScheme : std::uint8_t { standard, stripe };

/// Keys of HMAC-SHA256, the newest first. A signature by any of them holds.
using WebhookKeys = std::vector<std::string>;

/// Reads secrets with spaces or line ends between. Standard: "whsec_" and the base64 of 24 to 64 bytes each. Stripe:
/// any text. Returns an empty string, or what is wrong: a sentence without the secret.
[[nodiscard]] std::string read_webhook_keys(std::string_view text, WebhookScheme, WebhookKeys&);

/// The value of `webhook-signature`: one signature for each key, spaces between.
[[nodiscard]] std::string webhook_signature(const WebhookKeys&, std::string_view id, std::int64_t time_s,
                                            std::string_view body);

/// Whether somebody who has a key has sent that request within `tolerance` of `now`. Returns an empty string, or why
/// not.
[[nodiscard]] std::string signature_fault(WebhookScheme, const WebhookKeys&, events::Millis tolerance,
                                          const adapters::HttpRequest&, events::Timestamp now);

}  // namespace mayfly::tools
