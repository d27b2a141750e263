#include "tools/connect/connect_config.h"

#include "adapters/http/http_names.h"
#include "events/rules/words.h"
#include "tools/console/config_keys.h"
#include "tools/console/nearest.h"
#include "tools/console/parsed_json.h"
#include "tools/console/secret_property.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace mayfly::tools {

namespace {

using events::Millis;

constexpr const char* page = "docs/connect.md";
constexpr std::string_view tables = "connect.";
constexpr std::int64_t day_s = 86'400;
constexpr std::size_t longest_name = 40;  // it is part of a group's name in the log
constexpr std::int64_t most_in_flight = 1'000;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view gaps = ", \t\r\n";
  std::vector<std::string> words;
  for (auto begin = text.find_first_not_of(gaps); begin != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(gaps, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(gaps, end);
  }
  return words;
}

std::string meant(const std::vector<std::string>& known, const std::string& word) {
  const auto best = nearest(known, word);
  return best.empty() ? " docs/contract.md lists them." : " Did you mean '" + best + "'?";
}

std::string read_event_types(const std::string& text, std::vector<std::string>& types) {
  std::vector<std::string> known;
  known.reserve(events::event_type_count);
  for (int t = 0; t < events::event_type_count; ++t) known.emplace_back(name(static_cast<events::EventType>(t)));
  types = words_of(text);
  for (const auto& type : types) {
    if (std::find(known.begin(), known.end(), type) == known.end())
      return "no event has the type '" + type + "'." + meant(known, type);
  }
  return {};
}

std::string read_families(const std::string& text, std::vector<std::string>& families) {
  families = words_of(text);
  for (const auto& family : families) {
    if (family != "inventory" && family != "payment")
      return "'" + family + "' is no family of replies. Give inventory, payment, or both.";
  }
  return {};
}

std::string read_command_type(const std::string& text, std::string& type) {
  std::vector<std::string> known;
  for (int t = 0; t < events::command_type_count; ++t) {
    const std::string reply{name(static_cast<events::CommandType>(t))};
    if (reply.starts_with("inventory.") || reply.starts_with("payment.")) known.push_back(reply);
  }
  type = text;
  if (std::find(known.begin(), known.end(), type) != known.end()) return {};
  return "no reply has the type '" + type + "'." + meant(known, type);
}

/// A table with a name, and where its secret came from.
template <class Of>
struct Draft {
  Of config;
  std::string where;         // of its first line
  std::string secret;        // as it was read
  std::string secret_where;  // with the key's path
};

template <class Of>
ConfigKey secret_key(Draft<Of>& draft, const std::string& table, const std::string& ending, const std::string& where) {
  return {table, "secret" + ending, 0, 0, nullptr, [&draft, table, ending, where](std::string value) {
            std::string key = "secret" + ending;
            bool elsewhere = false;
            if (!draft.secret_where.empty()) return std::string("the secret is given twice.");
            draft.secret_where = where + table + "." + key + ": ";
            auto wrong = read_secret_property(key, value, elsewhere);
            if (wrong.empty()) draft.secret = std::move(value);
            return wrong;
          }};
}

ConfigKey text_key(const std::string& table, const char* key, std::function<std::string(std::string)> take_it) {
  return {table, key, 0, 0, nullptr, std::move(take_it)};
}

ConfigKey number_key(const std::string& table, const char* key, std::int64_t least, std::int64_t most,
                     std::function<void(std::int64_t)> take_it) {
  return {table, key, least, most, std::move(take_it), nullptr};
}

std::vector<ConfigKey> keys_of(Draft<DeliveryConfig>& draft, const std::string& where) {
  auto& c = draft.config;
  const auto table = "connect.deliver." + c.name;
  return {
      text_key(table, "url",
               [&c](std::string text) {
                 std::string wrong;
                 if (auto url = adapters::http_url(text, wrong)) c.url = std::move(*url);
                 c.url_text = std::move(text);
                 return wrong;
               }),
      text_key(table, "types", [&c](const std::string& text) { return read_event_types(text, c.types); }),
      text_key(table, "replies", [&c](const std::string& text) { return read_families(text, c.replies); }),
      text_key(table, "from",
               [&c](const std::string& text) {
                 c.from_end = text == "end";
                 return std::string(text == "end" || text == "begin" ? "" : "give begin or end.");
               }),
      secret_key(draft, table, "_file", where),
      secret_key(draft, table, "_env", where),
      number_key(table, "retry_for_s", 1, 30 * day_s, [&c](std::int64_t s) { c.retry_for = Millis{s * 1'000}; }),
      number_key(table, "timeout_ms", 100, 300'000, [&c](std::int64_t ms) { c.timeout = Millis{ms}; }),
      number_key(table, "in_flight", 1, most_in_flight,
                 [&c](std::int64_t n) { c.in_flight = static_cast<std::int32_t>(n); }),
  };
}

std::vector<ConfigKey> keys_of(Draft<HookConfig>& draft, const std::string& where) {
  auto& c = draft.config;
  const auto table = "connect.hooks." + c.name;
  return {
      text_key(table, "scheme",
               [&c](const std::string& text) {
                 c.scheme = text == "stripe" ? WebhookScheme::stripe : WebhookScheme::standard;
                 return std::string(text == "stripe" || text == "standard" ? "" : "give standard or stripe.");
               }),
      text_key(table, "cart",
               [&c](std::string text) {
                 c.cart = std::move(text);
                 return std::string(c.cart.empty() ? "give the path of the cart's id in the webhook's body." : "");
               }),
      secret_key(draft, table, "_file", where),
      secret_key(draft, table, "_env", where),
      number_key(table, "tolerance_s", 1, day_s, [&c](std::int64_t s) { c.tolerance = Millis{s * 1'000}; }),
  };
}

/// A key of [connect.hooks.NAME.TYPE]: `command`, or a member of its data.
std::string take_mapping(HookCommand& command, const ConfigValue& value, const std::string& member,
                         const std::string& where) {
  if (!value.text) return where + value.path + " must be a text in quotes: a path, or JSON behind '='.";
  if (member == "command") {
    const auto wrong = read_command_type(*value.text, command.type);
    return wrong.empty() ? wrong : where + value.path + ": " + wrong;
  }
  const bool constant = value.text->starts_with('=');
  if (value.text->empty() || (constant && parsed_json(value.text->substr(1)).is_discarded()))
    return where + value.path + R"(: give a path such as data.object.id, or JSON behind '=' such as ="won".)";
  command.members[member] = *value.text;
  return {};
}

template <class Of>
Draft<Of>& draft_of(std::vector<Draft<Of>>& drafts, const std::string& name, const std::string& where) {
  const auto known = std::find_if(drafts.begin(), drafts.end(), [&](auto& draft) { return draft.config.name == name; });
  if (known != drafts.end()) return *known;
  auto& draft = drafts.emplace_back();
  draft.config.name = name;
  draft.where = where;
  return draft;
}

/// What is wrong with a table as a whole, with its keys read from its secret.
template <class Of>
std::string finish(Draft<Of>& draft, const std::string& table, WebhookScheme scheme) {
  if (draft.secret_where.empty())
    return draft.where + table +
           " lacks a secret: give secret_file, a file that only its owner may read, or secret_env.";
  if (draft.secret.empty()) return {};  // said already
  const auto wrong = read_webhook_keys(draft.secret, scheme, draft.config.keys);
  return wrong.empty() ? wrong : draft.secret_where + wrong + ".";
}

std::string finish(Draft<DeliveryConfig>& draft) {
  const auto table = "connect.deliver." + draft.config.name;
  if (draft.config.url_text.empty()) return draft.where + table + " lacks `url`: where events are sent to.";
  if (draft.config.types.empty())
    return draft.where + table + " lacks `types`: which events are sent, for example order.placed.";
  return finish(draft, table, WebhookScheme::standard);
}

std::string finish(Draft<HookConfig>& draft) {
  auto& c = draft.config;
  const auto table = "connect.hooks." + c.name;
  if (c.scheme == WebhookScheme::stripe && c.cart.empty())
    return draft.where + table + " lacks `cart`: the path of the cart's id in Stripe's body.";
  if (c.cart.empty() != c.commands.empty())
    return draft.where + table + " needs both or neither: `cart`, and a table for each of the provider's types.";
  for (const auto& [type, command] : c.commands) {
    if (!command.type.empty()) continue;
    auto wrong = draft.where;
    wrong.append(table).append(".").append(type).append(" lacks `command`: what it becomes.");
    return wrong;
  }
  return finish(draft, table, c.scheme);
}

/// All tables, as far as they are read.
struct Drafts {
  std::string listen;
  std::string http;
  std::string certificate_file;
  std::string key_file;
  std::string ca_file;
  std::vector<Draft<DeliveryConfig>> deliveries;
  std::vector<Draft<HookConfig>> hooks;

  std::string take_value(const ConfigValue& value, const std::string& where) {
    const auto path = value.path.substr(tables.size());
    const auto kind = path.substr(0, path.find('.'));
    const auto after = path.substr(std::min(kind.size() + 1, path.size()));
    const auto name = after.substr(0, after.find('.'));
    const auto key = after.substr(std::min(name.size() + 1, after.size()));
    const bool has_name = (kind == "deliver" || kind == "hooks") && !key.empty();
    if (!has_name) {
      const auto file_key = [](const char* file_name, std::string& file) {
        return text_key("connect", file_name, [&file](std::string text) {
          file = std::move(text);
          return std::string(file.empty() ? "give a file's path." : "");
        });
      };
      const auto place_key = [](const char* place_name, std::string& place) {
        return text_key("connect", place_name, [&place](std::string text) {
          place = std::move(text);
          return adapters::http_place(place) ? std::string() : adapters::not_http_place(place);
        });
      };
      return take({place_key("listen", listen), place_key("http", http), file_key("certificate_file", certificate_file),
                   file_key("key_file", key_file), file_key("ca_file", ca_file)},
                  value, where, page);
    }
    if (!is_name(name)) return where + value.path + ": a name has 1 to 40 of A-Z a-z 0-9 _ -.";
    if (kind == "deliver") return take(keys_of(draft_of(deliveries, name, where), where), value, where, page);
    auto& hook = draft_of(hooks, name, where);
    const auto dot = key.rfind('.');
    if (dot == std::string::npos) return take(keys_of(hook, where), value, where, page);
    return take_mapping(hook.config.commands[key.substr(0, dot)], value, key.substr(dot + 1), where);
  }
};

}  // namespace

std::string read_connect_config(const std::string& text, const std::string& name, ConnectConfig& config) {
  std::vector<ConfigValue> values;
  if (auto wrong = read_values(text, name, values); !wrong.empty()) return wrong;
  std::string all;
  const auto add = [&all](const std::string& wrong) {
    if (!wrong.empty()) all.append(all.empty() ? "" : "\n").append(wrong);
  };
  Drafts drafts;
  for (const auto& value : values) {
    const auto where = name + ":" + std::to_string(value.line) + ": ";
    if (value.path.starts_with(tables)) add(drafts.take_value(value, where));
  }
  if (!all.empty()) return all;
  for (auto& draft : drafts.deliveries) add(finish(draft));
  for (auto& draft : drafts.hooks) add(finish(draft));
  if (drafts.deliveries.empty() && drafts.hooks.empty())
    add(name + ": nothing to do: it has no table [connect.deliver.NAME] and no [connect.hooks.NAME]. " + page +
        " shows them.");
  if (!drafts.hooks.empty() && drafts.listen.empty())
    add(drafts.hooks.front().where + "connect.listen is missing: HOST:PORT where the hooks listen.");
  if (drafts.certificate_file.empty() != drafts.key_file.empty())
    add(name + ": connect.certificate_file and connect.key_file go together: give both, or neither.");
  config.listen = drafts.listen;
  config.http = drafts.http;
  config.certificate_file = drafts.certificate_file;
  config.key_file = drafts.key_file;
  config.ca_file = drafts.ca_file;
  for (auto& draft : drafts.deliveries) config.deliveries.push_back(std::move(draft.config));
  for (auto& draft : drafts.hooks) config.hooks.push_back(std::move(draft.config));
  return all;
}

}  // namespace mayfly::tools
