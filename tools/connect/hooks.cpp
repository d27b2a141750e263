#include "tools/connect/hooks.h"

#include "tools/connect/webhook.h"
#include "tools/console/parsed_json.h"
#include "tools/front_door/http_words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace mayfly::tools {

namespace {

using adapters::HttpAnswer;
using adapters::HttpReply;
using adapters::HttpRequest;
using Json = nlohmann::json;

constexpr std::string_view path_begin = "/hooks/";
constexpr std::size_t most_id_bytes = 1'024;  // docs/contract.md, 3.1
const std::vector<std::string> reply_families = {"inventory", "payment"};

/// The value at a path such as data.object.id; null where there is none.
const Json* at_path(const Json& body, std::string_view path) {
  const auto* value = &body;
  while (!path.empty()) {
    const auto member = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(member.size() + 1, path.size()));
    if (!value->is_object()) return nullptr;
    const auto found = value->find(std::string(member));
    if (found == value->end() || found->is_null()) return nullptr;
    value = &*found;
  }
  return value;
}

std::string text_at(const Json& body, std::string_view path) {
  const auto* value = at_path(body, path);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

/// ISO 4217 has upper case; providers may not.
Json upper_case(Json value) {
  if (!value.is_string()) return value;
  auto text = value.get<std::string>();
  for (auto& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string data_of(const HookCommand& command, const Json& body) {
  Json data = Json::object();
  for (const auto& [member, from] : command.members) {
    if (from.starts_with('=')) {
      data[member] = parsed_json(std::string_view(from).substr(1));
    } else if (const auto* value = at_path(body, from)) {
      data[member] = member == "currency" ? upper_case(*value) : *value;
    }
  }
  return data.dump(-1, ' ', false, Json::error_handler_t::replace);
}

HttpAnswer ignored(const std::string& why) {
  return {200, "application/json", Json{{"ignored", why}}.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

HttpAnswer answer_to(const CommandOutcome& outcome) {
  if (outcome.status.ok()) {
    const Json body = {{"partition", outcome.at.partition}, {"offset", outcome.at.offset}};
    return {202, "application/json", body.dump()};
  }
  auto answer = problem(503, "log_unavailable", outcome.status.message + " Send the same again.");
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

}  // namespace

Hooks::Hooks(std::vector<HookConfig> hooks, std::unique_ptr<events::LogClient> writer,
             std::unique_ptr<events::LogClient> reader, const events::Clock& clock)
    : hooks_(std::move(hooks)),
      clock_(clock),
      check_(writer->partitions()),
      exchange_({std::move(writer), std::move(reader), nullptr}) {}

std::optional<OutgoingCommand> Hooks::command_of(const HookConfig& hook, const HttpRequest& request,
                                                 HttpAnswer& answer) {
  const auto body = parsed_json(request.body);
  if (!body.is_object()) {
    answer = problem(400, "json_invalid", "the body is no JSON object");
    return std::nullopt;
  }
  OutgoingCommand command;
  command.id = hook.scheme == WebhookScheme::stripe ? text_at(body, "id") : std::string(request.header("webhook-id"));
  command.source = "/hooks/" + hook.name;
  if (hook.cart.empty()) {
    std::string wrong;
    command.key = text_at(body, "cart");
    if (!read_reply(request.body, reply_families, command, wrong)) {
      answer = problem(422, "data_invalid", "the body is " + wrong + ", with the cart's id as `cart`");
      return std::nullopt;
    }
  } else {
    const auto type = text_at(body, "type");
    const auto known = hook.commands.find(type);
    command.key = text_at(body, hook.cart);
    if (known == hook.commands.end() || command.key.empty()) {
      answer = ignored(known == hook.commands.end() ? "no command is configured for the type '" + type + "'"
                                                    : "there is no cart's id at " + hook.cart);
      return std::nullopt;
    }
    command.type = known->second.type;
    command.data = data_of(known->second, body);
  }
  if (command.id.empty() || command.id.size() > most_id_bytes) {
    answer = problem(422, "id_invalid", "a webhook needs an id of 1 to 1,024 bytes");
    return std::nullopt;
  }
  if (const auto why = check_.unusable(command)) {
    answer = problem(422, why->code, why->about);
    return std::nullopt;
  }
  return command;
}

void Hooks::take(const HttpRequest& request, const HttpReply& reply) {
  const auto name = std::string_view(request.path).substr(path_begin.size());
  const auto hook = std::find_if(hooks_.begin(), hooks_.end(), [&](const HookConfig& h) { return h.name == name; });
  if (hook == hooks_.end()) return reply(problem(404, "not_found", "no hook has that name"));
  const auto fault = signature_fault(hook->scheme, hook->keys, hook->tolerance, request, clock_.now());
  if (!fault.empty()) return reply(problem(401, "signature_invalid", fault));
  HttpAnswer answer;
  auto command = command_of(*hook, request, answer);
  if (!command) return reply(std::move(answer));
  exchange_.send(std::move(*command), {}, [reply](const CommandOutcome& outcome) { reply(answer_to(outcome)); });
}

std::string Hooks::listen(const std::string& address, std::shared_ptr<const adapters::TlsCertificate> certificate) {
  using enum adapters::HttpRoute::When;
  adapters::HttpRoutes routes;
  routes.push_back({"GET", "/livez",
                    [](const HttpRequest&) {
                      return HttpAnswer{200, "text/plain", "alive\n"};
                    },
                    at_once});
  routes.push_back({"POST", "/hooks/*", {}, later, {}, [this](HttpRequest&& request, const HttpReply& reply) {
                      take(request, reply);
                    }});
  adapters::HttpLimits limits;
  limits.connections = 1'000;
  limits.connection_requests = 10'000;
  limits.request_header_bytes = 16'384;
  limits.request_body_bytes = 262'144;
  limits.any_host = true;  // webhooks are signed
  std::string wrong;
  server_ = adapters::HttpServer::open(address, std::move(routes), limits, wrong, std::move(certificate));
  return wrong;
}

}  // namespace mayfly::tools
