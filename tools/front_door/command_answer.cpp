#include "tools/front_door/command_answer.h"

#include "adapters/http/http_names.h"
#include "events/rules/words.h"
#include "tools/console/parsed_json.h"
#include "tools/front_door/http_words.h"

#include <nlohmann/json.hpp>

#include <cstdint>

namespace mayfly::tools {

namespace {

using adapters::HttpAnswer;
using Json = nlohmann::json;

Json caused_event_json(const CausedEvent& event) {
  return {{"type", event.type},        {"id", event.id},
          {"time", event.time},        {"partition", event.at.partition},
          {"offset", event.at.offset}, {"data", parsed_json(event.data)}};
}

/// A refused command is a problem with the contract's code.
HttpAnswer refused(const Json& data, Json&& body) {
  const auto code = data.value("code", "");
  auto answer = problem(status_of(code), code, data.value("message", ""));
  auto told = Json::parse(answer.body);
  for (const char* member : {"order_id", "total_minor", "retry_after_s"}) {
    if (data.contains(member)) told[member] = data[member];
  }
  told.update(body);
  answer.body = told.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (data.contains("retry_after_s"))
    answer.headers.emplace_back("Retry-After", std::to_string(data["retry_after_s"].get<std::int64_t>()));
  return answer;
}

}  // namespace

HttpAnswer answer_to(const std::string& cart, const std::string& id, const CommandOutcome& outcome) {
  if (!outcome.status.ok()) {
    auto answer = problem(503, "log_unavailable", outcome.status.message + " Send the same again, with the same id.");
    answer.headers.emplace_back("Retry-After", "1");
    return answer;
  }
  Json body = {{"cart", cart},
               {"id", id},
               {"partition", outcome.at.partition},
               {"offset", outcome.at.offset},
               {"decided", outcome.decided}};
  if (outcome.repeated) body["repeated"] = true;
  if (outcome.decided) {
    body["events"] = Json::array();
    for (const auto& event : outcome.events) body["events"].push_back(caused_event_json(event));
    for (const auto& event : body["events"]) {
      if (event["type"] == "command.rejected" && event["data"].is_object()) return refused(event["data"], Json(body));
    }
  }
  HttpAnswer answer{outcome.decided ? 200 : 202, "application/json",
                    body.dump(-1, ' ', false, Json::error_handler_t::replace)};
  answer.headers.emplace_back("Location", "/carts/" + adapters::percent_encoded(cart));
  return answer;
}

HttpAnswer answer_to(const std::string& cart, const std::string& id, const KeyedOutcome& keyed) {
  using Kind = KeyedOutcome::Kind;
  if (keyed.kind == Kind::other_body)
    return problem(422, events::name(events::Code::id_reused),
                   "the key belongs to another command: choose another key");
  if (keyed.kind == Kind::answered) return answer_to(cart, id, keyed.outcome);
  auto answer =
      problem(409, "request_in_flight", "a request with this key is being answered: send this one again later");
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

}  // namespace mayfly::tools
