#include "tools/front_door/front_door.h"

#include "adapters/http/http_names.h"
#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/wire/cloudevent.h"
#include "tools/console/parsed_json.h"
#include "tools/console/text.h"
#include "tools/front_door/batch_answer.h"
#include "tools/front_door/cart_answers.h"
#include "tools/front_door/command_answer.h"
#include "tools/front_door/front_source.h"
#include "tools/front_door/http_words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace mayfly::tools {

namespace {

using adapters::HttpAnswer;
using adapters::HttpReply;
using adapters::HttpRequest;
using Steady = std::chrono::steady_clock;

constexpr std::string_view carts_path = "/carts/";
constexpr std::string_view type_begin = "dev.mayfly.";
constexpr std::string_view type_end = ".v1";
constexpr std::size_t most_id_bytes = 128;  // of ce_id and ce_source, docs/contract.md

/// A CloudEvent as a command; none: `wrong` is the answer.
std::optional<OutgoingCommand> command_of(ReceivedCloudEvent&& event, const std::string& why_none, HttpAnswer& wrong) {
  if (!why_none.empty()) {
    wrong = problem(400, "not_cloudevent", why_none);
    return std::nullopt;
  }
  const auto& type = event.type;
  if (!type.starts_with(type_begin) || !type.ends_with(type_end)) {
    wrong = problem(400, "type_unknown", "types of commands are dev.mayfly.NAME.v1");
    return std::nullopt;
  }
  OutgoingCommand command;
  command.key = std::move(event.subject);
  command.type = type.substr(type_begin.size(), type.size() - type_begin.size() - type_end.size());
  command.id = std::move(event.id);
  command.source = std::move(event.source);
  command.correlation_id = std::move(event.correlationid);
  if (!event.traceparent.empty()) command.headers.emplace_back("ce_traceparent", std::move(event.traceparent));
  command.data = std::move(event.data);
  return command;
}

}  // namespace

FrontDoor::FrontDoor(Clients clients, std::unique_ptr<KeyBook> keys, Access access, const events::Clock& clock,
                     FrontDoorLimits limits)
    : access_(std::make_shared<const Access>(std::move(access))),
      limits_(std::move(limits)),
      history_(std::move(clients.history)),
      check_(history_->partitions()),
      exchange_({std::move(clients.writer), std::move(clients.reader), std::move(clients.look_back)},
                std::move(clients.repeats), std::move(keys), clock),
      feed_(std::move(clients.feed), limits_.feed) {}

FrontDoor::~FrontDoor() = default;

void FrontDoor::set_access(Access access) {
  auto newer = std::make_shared<const Access>(std::move(access));
  const std::scoped_lock lock(access_mutex_);
  access_ = std::move(newer);
}

std::optional<Caller> FrontDoor::admit(const HttpRequest& request, HttpAnswer& refused, std::size_t requests) {
  std::shared_ptr<const Access> access;
  {
    const std::scoped_lock lock(access_mutex_);
    access = access_;
  }
  auto caller = access->caller(request.header("authorization"));
  if (!caller) {
    refused = no_token(!request.header("authorization").empty());
    return std::nullopt;
  }
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now().time_since_epoch()).count();
  const auto wait =
      rate_limit_.take(caller->name, caller->rate, events::Millis{now}, static_cast<std::int64_t>(requests));
  if (wait.count == 0) return caller;
  refused = problem(429, "rate_limited", caller->name + " asks more often than it may");
  constexpr std::int64_t second = 1'000;
  refused.headers.emplace_back("Retry-After", std::to_string((wait.count + second - 1) / second));
  return std::nullopt;
}

/// POST /carts/CART/commands/TYPE with the command's data as JSON.
void FrontDoor::command(HttpRequest&& request, const HttpReply& reply) {
  const auto path = std::string_view(request.path).substr(carts_path.size());
  constexpr std::string_view commands = "/commands/";
  const auto middle = path.find(commands);
  OutgoingCommand command;
  const auto cart = adapters::percent_decoded(path.substr(0, middle));
  if (!cart)
    return reply(problem(400, "cart_id_invalid", "the cart's id in the path is not percent-encoded as it should be"));
  command.key = *cart;
  command.type = path.substr(middle + commands.size());
  const auto* key = request.find("idempotency-key");
  command.id = key == nullptr ? new_id() : *key;
  if (command.id.empty()) return reply(problem(400, "id_invalid", "the Idempotency-Key is empty"));
  command.data = request.body.empty() ? "{}" : request.body;
  const auto trace = request.header("traceparent");
  if (events::is_traceparent(trace)) command.headers.emplace_back("traceparent", trace);
  send(request, std::move(command), reply);
}

/// POST /events with a CloudEvent, binary or structured, or with a batch of them.
void FrontDoor::cloudevent(HttpRequest&& request, const HttpReply& reply) {
  const auto mode = cloudevent_mode(request.header("content-type"));
  if (mode == CloudEventMode::batched) return batch(request, reply);
  if (mode == CloudEventMode::unknown)
    return reply(problem(415, "format_unknown", "CloudEvents are read as JSON only: docs/http.md, Requests"));
  ReceivedCloudEvent event;
  const auto why_none =
      mode == CloudEventMode::structured ? event.read_structured(request.body) : event.read_binary(request);
  HttpAnswer wrong;
  auto command = command_of(std::move(event), why_none, wrong);
  if (!command) return reply(std::move(wrong));
  send(request, std::move(*command), reply);
}

/// All are looked at before any is appended.
void FrontDoor::batch(const HttpRequest& request, const HttpReply& reply) {
  const auto events = parsed_json(request.body);
  if (!events.is_array()) return reply(problem(400, "not_cloudevent", "the body is no JSON array"));
  if (events.size() > limits_.batch_events)
    return reply(problem(413, "batch_too_long",
                         "a batch has at most " + std::to_string(limits_.batch_events) +
                             " events: send this one in parts. None of it was taken."));
  HttpAnswer wrong;
  const auto caller = admit(request, wrong, std::max<std::size_t>(1, events.size()));
  if (!caller) return reply(std::move(wrong));
  std::vector<OutgoingCommand> commands;
  std::set<std::tuple<std::string, std::string, std::string>> keys;
  for (const auto& json : events) {
    ReceivedCloudEvent event;
    const auto why_none = event.read_json(json);
    auto command = command_of(std::move(event), why_none, wrong);
    if (!command) return reply(of_event(commands.size(), std::move(wrong)));
    if (auto refused = made_ready(*caller, *command)) return reply(of_event(commands.size(), std::move(*refused)));
    if (!keys.emplace(command->key, command->source, command->id).second)
      return reply(of_event(commands.size(), problem(422, events::name(events::Code::id_reused),
                                                     "an earlier event of the batch has its subject, source and id")));
    commands.push_back(std::move(*command));
  }
  if (commands.empty()) return reply(batch_answer({}));
  auto [wait, told] = awaited(*caller, request, reply);
  const auto answers = std::make_shared<BatchAnswers>(commands.size(), std::move(told));
  for (std::size_t i = 0; i < commands.size(); ++i) {
    append(std::move(commands[i]), wait, [answers, i](HttpAnswer answer) { answers->give(i, std::move(answer)); });
  }
}

void FrontDoor::send(const HttpRequest& request, OutgoingCommand&& command, const HttpReply& reply) {
  HttpAnswer not_admitted;
  const auto caller = admit(request, not_admitted);
  if (!caller) return reply(std::move(not_admitted));
  if (auto refused = made_ready(*caller, command)) return reply(std::move(*refused));
  auto [wait, told] = awaited(*caller, request, reply);
  append(std::move(command), wait, std::move(told));
}

std::pair<events::Millis, HttpReply> FrontDoor::awaited(const Caller& caller, const HttpRequest& request,
                                                        const HttpReply& reply) {
  const auto wait = wait_asked(request.header("prefer"), limits_.longest_wait);
  if (wait.count == 0 || caller.everybody) return {wait, reply};
  auto place = waiting_.place(caller.name, limits_.waiting_per_caller());
  if (!place) return {{}, reply};
  return {wait, [place = std::move(place), reply](HttpAnswer answer) { reply(std::move(answer)); }};
}

std::optional<HttpAnswer> FrontDoor::made_ready(const Caller& caller, OutgoingCommand& command) {
  const auto scope = scope_of(command.type);
  if (!scope) return problem(404, "type_unknown", "no command has that name: docs/contract.md lists them");
  if (!caller.may(*scope)) return problem(403, "forbidden", caller.name + " may not send " + command.type);
  if (command.id.size() > most_id_bytes)
    return problem(400, "id_invalid", "an Idempotency-Key or id has at most 128 bytes");
  command.source = std::string(front_source) + caller.name + (command.source.empty() ? "" : "/" + command.source);
  if (const auto why = check_.unusable(command))
    return problem(why->code == name(events::Code::data_invalid) ? 422 : 400, why->code, why->about);
  return std::nullopt;
}

void FrontDoor::append(OutgoingCommand&& command, events::Millis wait, HttpReply reply) {
  auto cart = command.key;
  auto id = command.id;
  exchange_.send(std::move(command), wait,
                 [cart = std::move(cart), id = std::move(id), reply = std::move(reply)](const KeyedOutcome& outcome) {
                   reply(answer_to(cart, id, outcome));
                 });
}

/// GET /events: from now on, or from where a client left off.
void FrontDoor::stream(const HttpRequest& request, const HttpReply& reply) {
  HttpAnswer wrong;
  auto caller = admit(request, wrong);
  if (!caller) return reply(std::move(wrong));
  if (!caller->may(Scope::read)) return reply(problem(403, "forbidden", caller->name + " may not read events"));
  auto asked = feed_request(request, wrong);
  if (!asked) return reply(std::move(wrong));
  feed_.open(std::move(caller->name), std::move(*asked), reply);
}

/// GET /carts/CART and GET /carts/CART/events.
HttpAnswer FrontDoor::cart(const HttpRequest& request) {
  HttpAnswer not_admitted;
  const auto caller = admit(request, not_admitted);
  if (!caller) return not_admitted;
  if (!caller->may(Scope::read)) return problem(403, "forbidden", caller->name + " may not read carts");
  auto path = std::string_view(request.path).substr(carts_path.size());
  constexpr std::string_view all_events = "/events";  // a cart's id has no "/": it is percent-encoded
  const bool events_asked = path.ends_with(all_events);
  if (events_asked) path.remove_suffix(all_events.size());
  const auto cart = adapters::percent_decoded(path);
  if (!cart || !events::is_cart_id(*cart)) return problem(400, "cart_id_invalid", "that is no cart's id");
  return events_asked ? cart_events(*history_, *cart) : cart_now(*history_, *cart, request.header("if-none-match"));
}

std::string FrontDoor::metrics(events::Timestamp begun) const {
  return metrics_.text({feed_.streams(), exchange_.look_backs(), exchange_.keys(), begun});
}

std::string FrontDoor::listen(const std::string& address, std::shared_ptr<const adapters::TlsCertificate> certificate) {
  using enum adapters::HttpRoute::When;
  adapters::HttpRoutes routes;
  routes.push_back({"GET", "/livez",
                    [](const HttpRequest&) {
                      return HttpAnswer{200, "text/plain", "alive\n"};
                    },
                    at_once});
  for (const auto& [path, route] :
       {std::pair{"/carts/*", "GET /carts/{cart}"}, std::pair{"/carts/*/events", "GET /carts/{cart}/events"}}) {
    routes.push_back({"GET", path,
                      [this, name = route](const HttpRequest& request) {
                        const auto begun = Steady::now();
                        auto answer = cart(request);
                        metrics_.answered(name, answer, Steady::now() - begun);
                        return answer;
                      },
                      in_turn});
  }
  const auto later_at = [&](const char* method, const char* path, const char* route, auto begin) {
    routes.push_back({method, path, {}, later, {}, [this, route, begin](HttpRequest&& request, const HttpReply& reply) {
                        begin(std::move(request), metrics_.counted(route, reply));
                      }});
  };
  later_at("POST", "/carts/*/commands/*", "POST /carts/{cart}/commands/{command}",
           [this](HttpRequest&& request, const HttpReply& reply) { command(std::move(request), reply); });
  later_at("POST", "/events", "POST /events",
           [this](HttpRequest&& request, const HttpReply& reply) { cloudevent(std::move(request), reply); });
  later_at("GET", "/events", "GET /events",
           [this](HttpRequest&& request, const HttpReply& reply) { stream(request, reply); });
  later_at("*", "*", "other", [](HttpRequest&&, const HttpReply& reply) {
    reply(problem(404, "not_found", "there is nothing here: docs/http.md has what can be asked"));
  });
  std::string wrong;
  auto limits = limits_.http;
  limits.any_host = !access_->is_open();  // a token is sent by nobody's browser on its own
  server_ = adapters::HttpServer::open(address, std::move(routes), limits, wrong, std::move(certificate));
  return wrong;
}

}  // namespace mayfly::tools
