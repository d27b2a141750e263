#include "tools/connect/webhook_signature.h"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;
using adapters::HttpHeaders;
using adapters::HttpRequest;
using tools::WebhookKeys;
using tools::WebhookScheme;

namespace {

// The example of the reference libraries of Standard Webhooks.
const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t time_s = 1'614'265'330;
const std::string body = R"({"test": 2432232314})";
const std::string signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr events::Millis tolerance{300'000};
constexpr events::Timestamp then{time_s * 1'000};

WebhookKeys keys_of(const std::string& text, WebhookScheme scheme = WebhookScheme::standard) {
  WebhookKeys keys;
  REQUIRE(tools::read_webhook_keys(text, scheme, keys).empty());
  return keys;
}

std::string fault(WebhookScheme scheme, const WebhookKeys& keys, HttpHeaders headers, events::Timestamp now) {
  return signature_fault(scheme, keys, tolerance, HttpRequest{"POST", "/", "", body, std::move(headers)}, now);
}

HttpHeaders standard(const std::string& signatures) {
  return {{"webhook-id", id}, {"webhook-timestamp", std::to_string(time_s)}, {"webhook-signature", signatures}};
}

}  // namespace

TEST_CASE("a webhook is signed as Standard Webhooks' own example, once for each secret") {
  CHECK(tools::webhook_signature(keys_of(secret), id, time_s, body) == signature);
  const auto both =
      tools::webhook_signature(keys_of(secret + "\n whsec_bm90aGluZyBidXQgMjQgYnl0ZXMgbG9uZw==\n"), id, time_s, body);
  CHECK(both.starts_with(signature + " v1,"));
  CHECK(both.size() == 2 * signature.size() + 1);
}

TEST_CASE("a secret of Standard Webhooks is refused by a sentence that does not say it") {
  for (const char* text : {"whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjU*D8I",
                           "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw other"}) {
    CAPTURE(text);
    WebhookKeys keys;
    const auto wrong = tools::read_webhook_keys(text, WebhookScheme::standard, keys);
    CHECK(wrong.find("a secret is whsec_ and the base64 of 24 to 64 random bytes") == 0);
    CHECK(wrong.find("c2hvcnQ") == std::string::npos);
  }
  WebhookKeys keys;
  CHECK(tools::read_webhook_keys(" \n", WebhookScheme::standard, keys) == "there is no secret in it");
}

TEST_CASE("a signature of Standard Webhooks holds among others, by an older secret, and within the tolerance") {
  const auto keys = keys_of("whsec_bm90aGluZyBidXQgMjQgYnl0ZXMgbG9uZw== " + secret);
  const auto holds = [&](const std::string& signatures, events::Timestamp now) {
    return fault(WebhookScheme::standard, keys, standard(signatures), now).empty();
  };
  CHECK(holds(signature, then));
  CHECK(holds("v1a,xxxx v1,AAAA " + signature, then));
  CHECK(holds(signature, then + tolerance));
  CHECK(holds(signature, then - tolerance));
  CHECK_FALSE(holds(signature, then + tolerance + events::Millis{1'000}));
  CHECK_FALSE(holds(signature, then - tolerance - events::Millis{1'000}));
  CHECK_FALSE(holds("v1a," + signature.substr(3), then));
  CHECK_FALSE(holds(signature.substr(0, signature.size() - 1), then));
  CHECK_FALSE(holds("", then));
  CHECK_FALSE(
      fault(WebhookScheme::standard, keys_of("whsec_bm90aGluZyBidXQgMjQgYnl0ZXMgbG9uZw=="), standard(signature), then)
          .empty());
}

TEST_CASE("id, time and body of a webhook of Standard Webhooks are all signed, and all needed") {
  const auto keys = keys_of(secret);
  for (const std::size_t which : {0U, 1U, 2U}) {
    CAPTURE(which);
    auto without = standard(signature);
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(which));
    CHECK_FALSE(fault(WebhookScheme::standard, keys, without, then).empty());
    auto other = standard(signature);
    other[which].second = which == 1 ? std::to_string(time_s + 1) : "x";
    CHECK_FALSE(fault(WebhookScheme::standard, keys, other, then).empty());
  }
  HttpRequest changed{"POST", "/", "", body + " ", standard(signature)};
  CHECK_FALSE(signature_fault(WebhookScheme::standard, keys, tolerance, changed, then).empty());
}

// HMAC-SHA256 with the key "whsec_test" of "1614265330." and the body, as docs.stripe.com/webhooks describes it.
TEST_CASE("Stripe's signature holds by any of its v1, for the secret as it stands, and within the tolerance") {
  const std::string mac = "98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d";
  const auto keys = keys_of("whsec_other\nwhsec_test", WebhookScheme::stripe);
  const auto holds = [&](const std::string& header, events::Timestamp now) {
    return fault(WebhookScheme::stripe, keys, {{"stripe-signature", header}}, now).empty();
  };
  const std::string t = "t=" + std::to_string(time_s);
  CHECK(holds(t + ",v1=" + mac + ",v0=ffff", then));
  CHECK(holds(t + ", v1=00, v1=" + mac, then));
  CHECK_FALSE(holds(t + ",v0=" + mac, then));
  CHECK_FALSE(holds(t, then));
  CHECK_FALSE(holds("v1=" + mac, then));
  CHECK_FALSE(holds("t=" + std::to_string(time_s + 1) + ",v1=" + mac, then));
  CHECK_FALSE(holds("t=-1,v1=" + mac, then));
  CHECK_FALSE(holds("", then));
  CHECK_FALSE(holds(t + ",v1=" + mac, then + tolerance + events::Millis{1'000}));
}
