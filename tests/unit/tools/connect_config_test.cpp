#include "tools/connect/connect_config.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using mayfly::events::Millis;
using mayfly::tools::ConnectConfig;
using mayfly::tools::read_connect_config;
using mayfly::tools::WebhookScheme;

namespace {

const std::string deliver = "[connect.deliver.w]\nurl = 'http://a:81/x?y'\ntypes = 'order.placed'\n";
const std::string secret = "secret_env = 'MAYFLY_UNIT_SECRET'\n";
const std::string hook = "[connect]\nlisten = '127.0.0.1:0'\n[connect.hooks.h]\n";

std::string said(const std::string& text) {
  ::setenv("MAYFLY_UNIT_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
  ::setenv("MAYFLY_UNIT_SHORT", "whsec_c2hvcnQ=", 1);
  ConnectConfig config;
  return read_connect_config(text, "f", config);
}

}  // namespace

TEST_CASE("every key of a delivery and of a hook is read, and other tables are left to the engine") {
  ::setenv("MAYFLY_UNIT_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
  ConnectConfig c;
  CHECK(read_connect_config("log = 'sqlite:a.db'\n[engine]\nname = 'x'\n"
                            "[connect]\nhttp = '127.0.0.1:9291'\nlisten = '127.0.0.1:0'\n[connect.hooks.h]\n" +
                                secret +
                                "scheme = 'stripe'\ntolerance_s = 60\ncart = 'data.cart'\n"
                                "[connect.hooks.h.'charge.refunded']\ncommand = 'payment.refunded'\n"
                                "amount_minor = 'data.amount'\nreference = '=\"r\"'\n" +
                                deliver + secret +
                                "replies = 'inventory, payment'\nfrom = 'end'\nretry_for_s = 60\ntimeout_ms = 500\n"
                                "in_flight = 3\n",
                            "f", c) == "");
  CHECK(c.listen == "127.0.0.1:0");
  CHECK(c.http == "127.0.0.1:9291");
  REQUIRE(c.deliveries.size() == 1);
  const auto& d = c.deliveries[0];
  CHECK(d.name == "w");
  CHECK(d.url.place.host == "a");
  CHECK(d.url.place.port == 81);
  CHECK(d.url.target == "/x?y");
  CHECK(d.types == std::vector<std::string>{"order.placed"});
  CHECK(d.replies == std::vector<std::string>{"inventory", "payment"});
  CHECK(d.from_end);
  CHECK(d.retry_for == Millis{60'000});
  CHECK(d.timeout == Millis{500});
  CHECK(d.in_flight == 3);
  CHECK(d.keys.size() == 1);
  REQUIRE(c.hooks.size() == 1);
  const auto& h = c.hooks[0];
  CHECK(h.scheme == WebhookScheme::stripe);
  CHECK(h.keys == std::vector<std::string>{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
  CHECK(h.tolerance == Millis{60'000});
  CHECK(h.cart == "data.cart");
  REQUIRE(h.commands.count("charge.refunded") == 1);
  CHECK(h.commands.at("charge.refunded").type == "payment.refunded");
  CHECK(h.commands.at("charge.refunded").members ==
        std::map<std::string, std::string>{{"amount_minor", "data.amount"}, {"reference", "=\"r\""}});
}

TEST_CASE("what is wrong in the tables of connect is named with its line and what to do") {
  const struct {
    std::string text;
    const char* said;
  } rows[] = {
      {"log = 'x'\n",
       "f: nothing to do: it has no table [connect.deliver.NAME] and no [connect.hooks.NAME]. docs/connect.md shows "
       "them."},
      {"[connect]\nlisten = 'here'\n",
       "f:2: connect.listen: 'here' is no address. Give HOST:PORT, for example 127.0.0.1:9290."},
      {"[connect]\nlistn = 'a:1'\n", "f:2: there is no key 'connect.listn'. Did you mean 'connect.listen'?"},
      {"[connect.deliver.'a b']\nurl = 'x'\n", "f:2: connect.deliver.a b.url: a name has 1 to 40 of A-Z a-z 0-9 _ -."},
      {"[connect.deliver.w]\nurl = 'ftp://a/'\n",
       "f:2: connect.deliver.w.url: give https://HOST/PATH or http://HOST:PORT/PATH, without a user's name and without "
       "'#'."},
      {"[connect]\nca_file = ''\n", "f:2: connect.ca_file: give a file's path."},
      {"[connect.deliver.w]\ntypes = 'order.place'\n",
       "f:2: connect.deliver.w.types: no event has the type 'order.place'. Did you mean 'order.placed'?"},
      {"[connect.deliver.w]\nreplies = 'cart'\n",
       "f:2: connect.deliver.w.replies: 'cart' is no family of replies. Give inventory, payment, or both."},
      {"[connect.deliver.w]\nfrom = 'now'\n", "f:2: connect.deliver.w.from: give begin or end."},
      {"[connect.deliver.w]\nin_flight = 0\n", "f:2: connect.deliver.w.in_flight must be an integer from 1 to 1000."},
      {"[connect.deliver.w]\ntimeout = 1\n",
       "f:2: there is no key 'connect.deliver.w.timeout'. Did you mean 'connect.deliver.w.timeout_ms'?"},
      {"[connect.deliver.w]\n" + secret, "f:2: connect.deliver.w lacks `url`: where events are sent to."},
      {"[connect.deliver.w]\nurl = 'http://a/'\n",
       "f:2: connect.deliver.w lacks `types`: which events are sent, for example order.placed."},
      {deliver,
       "f:2: connect.deliver.w lacks a secret: give secret_file, a file that only its owner may read, or secret_env."},
      {deliver + "secret_env = 'MAYFLY_UNIT_NONE'\n",
       "f:4: connect.deliver.w.secret_env: the environment has no variable MAYFLY_UNIT_NONE."},
      {deliver + "secret_env = 'MAYFLY_UNIT_SHORT'\n",
       "f:4: connect.deliver.w.secret_env: a secret is whsec_ and the base64 of 24 to 64 random bytes: printf whsec_; "
       "openssl rand -base64 32."},
      {deliver + secret + "secret_file = 'x'\n", "f:5: connect.deliver.w.secret_file: the secret is given twice."},
      {"[connect.hooks.h]\n" + secret, "f:2: connect.listen is missing: HOST:PORT where the hooks listen."},
      {hook + "scheme = 'paypal'\n", "f:4: connect.hooks.h.scheme: give standard or stripe."},
      {hook + secret + "scheme = 'stripe'\n",
       "f:4: connect.hooks.h lacks `cart`: the path of the cart's id in Stripe's body."},
      {hook + secret + "cart = 'c'\n",
       "f:4: connect.hooks.h needs both or neither: `cart`, and a table for each of the provider's types."},
      {hook + secret + "cart = 'c'\n[connect.hooks.h.t]\namount_minor = 'a'\n",
       "f:4: connect.hooks.h.t lacks `command`: what it becomes."},
      {hook + "[connect.hooks.h.t]\ncommand = 'payment.capturd'\n",
       "f:5: connect.hooks.h.t.command: no reply has the type 'payment.capturd'. Did you mean 'payment.captured'?"},
      {hook + "[connect.hooks.h.t]\nreason = '=no'\n",
       "f:5: connect.hooks.h.t.reason: give a path such as data.object.id, or JSON behind '=' such as =\"won\"."},
      {hook + "[connect.hooks.h.t]\namount_minor = 5\n",
       "f:5: connect.hooks.h.t.amount_minor must be a text in quotes: a path, or JSON behind '='."},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(said(row.text) == row.said);
  }
}
