// The tables [connect] of a config file: where events are delivered to, and which webhooks are taken. docs/connect.md
// has every key.
#pragma once

#include "adapters/http/http_caller.h"
#include "events/log/types.h"
#include "tools/connect/webhook_signature.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// [connect.deliver.NAME]
struct DeliveryConfig {
  std::string name;
  std::string url_text;
  adapters::HttpUrl url;
  std::vector<std::string> types;    // short, of events
  std::vector<std::string> replies;  // families of commands that an answer may hold; none: answers are not read
  WebhookKeys keys;
  bool from_end = false;  // where it begins that has no position yet
  events::Millis retry_for{86'400'000};
  events::Millis timeout{10'000};
  std::int32_t in_flight = 16;
};

/// [connect.hooks.NAME.TYPE]: what a provider's webhook of that type becomes.
struct HookCommand {
  std::string type;  // short, of the command
  /// Members of the command's data: a path into the webhook's body, or JSON that begins with '='.
  std::map<std::string, std::string> members;
};

/// [connect.hooks.NAME]
struct HookConfig {
  std::string name;
  WebhookScheme scheme = WebhookScheme::standard;
  WebhookKeys keys;
  events::Millis tolerance{300'000};
  std::string cart;                             // a path; empty: the body is the command
  std::map<std::string, HookCommand> commands;  // by the webhook's type
};

struct ConnectConfig {
  std::string listen;            // HOST:PORT of the hooks; empty: none
  std::string http;              // HOST:PORT of probe and metrics; empty: none
  std::string certificate_file;  // of the hooks; empty: HTTP
  std::string key_file;          // of the certificate
  std::string ca_file;           // authorities that sign the certificates of https addresses; empty: this machine's
  std::vector<DeliveryConfig> deliveries;
  std::vector<HookConfig> hooks;
};

/// Reads the tables from a config file's text; `name` stands for the file in messages. Returns an empty string, or all
/// that is wrong, a line each: file, line, key, what to do. Never a secret.
[[nodiscard]] std::string read_connect_config(const std::string& text, const std::string& name, ConnectConfig&);

}  // namespace mayfly::tools
