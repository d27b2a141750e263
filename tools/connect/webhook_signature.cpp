#include "tools/connect/webhook_signature.h"

#include "events/text/base64.h"
#include "events/text/hex.h"
#include "events/text/hmac.h"
#include "tools/console/numbers.h"

#include <algorithm>
#include <memory_resource>
#include <optional>

namespace mayfly::tools {

namespace {

constexpr std::string_view prefix = "whsec_";
constexpr std::string_view version = "v1,";
constexpr std::size_t least_key_bytes = 24;
constexpr std::size_t most_key_bytes = 64;
constexpr std::int64_t second_ms = 1'000;

/// The text up to one of the separators, which goes with it.
std::string_view take_part(std::string_view& text, std::string_view separators) {
  const auto part = text.substr(0, text.find_first_of(separators));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

std::string signed_text(std::string_view id, std::string_view time, std::string_view body) {
  std::string text(id);
  text.append(".").append(time).append(".").append(body);
  return text;
}

/// What a request says of itself.
struct Signed {
  std::string time;
  std::vector<std::string_view> signatures;
  std::string text;  // that they are of
};

Signed read_standard(const adapters::HttpRequest& request) {
  Signed s;
  s.time = request.header("webhook-timestamp");
  for (auto rest = request.header("webhook-signature"); !rest.empty();) {
    const auto part = take_part(rest, " ");
    if (part.starts_with(version)) s.signatures.push_back(part.substr(version.size()));
  }
  const auto id = request.header("webhook-id");
  if (!id.empty()) s.text = signed_text(id, s.time, request.body);
  return s;
}

/// Stripe-Signature: t=SECONDS,v1=HEX,v1=HEX,v0=...
Signed read_stripe(const adapters::HttpRequest& request) {
  Signed s;
  for (auto rest = request.header("stripe-signature"); !rest.empty();) {
    auto part = take_part(rest, ",");
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    const auto name = take_part(part, "=");
    if (name == "t") s.time = part;
    if (name == "v1") s.signatures.push_back(part);
  }
  s.text.append(s.time).append(".").append(request.body);
  return s;
}

}  // namespace

std::string read_webhook_keys(std::string_view text, WebhookScheme scheme, WebhookKeys& keys) {
  while (!text.empty()) {
    const auto secret = take_part(text, " \t\r\n");
    if (secret.empty()) continue;
    if (scheme == WebhookScheme::stripe) {
      keys.emplace_back(secret);
      continue;
    }
    std::pmr::monotonic_buffer_resource arena;
    std::optional<std::string_view> key;
    if (secret.starts_with(prefix)) key = events::from_base64(secret.substr(prefix.size()), &arena);
    if (!key || key->size() < least_key_bytes || key->size() > most_key_bytes) {
      return "a secret is whsec_ and the base64 of 24 to 64 random bytes: printf whsec_; openssl rand -base64 32";
    }
    keys.emplace_back(*key);
  }
  return keys.empty() ? "there is no secret in it" : "";
}

std::string webhook_signature(const WebhookKeys& keys, std::string_view id, std::int64_t time_s,
                              std::string_view body) {
  const auto text = signed_text(id, std::to_string(time_s), body);
  std::string all;
  for (const auto& key : keys) {
    all.append(all.empty() ? "" : " ").append(version).append(events::to_base64(events::hmac_sha256(key, text)));
  }
  return all;
}

std::string signature_fault(WebhookScheme scheme, const WebhookKeys& keys, events::Millis tolerance,
                            const adapters::HttpRequest& request, events::Timestamp now) {
  const bool stripe = scheme == WebhookScheme::stripe;
  const auto given = stripe ? read_stripe(request) : read_standard(request);
  const auto time_s = number_from_text(given.time);
  if (!time_s || given.signatures.empty() || given.text.empty()) {
    return stripe ? "a signature is needed: Stripe-Signature: t=SECONDS,v1=..."
                  : "a signature is needed: webhook-id, webhook-timestamp and webhook-signature: v1,...";
  }
  bool holds = false;
  for (const auto& key : keys) {
    const auto mac = events::hmac_sha256(key, given.text);
    const auto wanted = stripe ? events::to_hex(mac) : events::to_base64(mac);
    for (const auto& signature : given.signatures) holds = events::same_bytes(signature, wanted) || holds;
  }
  if (!holds) return "no signature is by a secret of this hook";
  const auto away_s = now.ms / second_ms - *time_s;
  if (away_s > tolerance.count / second_ms || -away_s > tolerance.count / second_ms)
    return "the signature was made too long ago, or the clocks differ";
  return {};
}

}  // namespace mayfly::tools
