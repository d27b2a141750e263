#include "tools/front_door/cart_answers.h"

#include "tools/console/numbers.h"
#include "tools/front_door/http_words.h"
#include "tools/records/cart_state.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

namespace mayfly::tools {

namespace {

using adapters::HttpAnswer;
using Json = nlohmann::json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

/// The state says how an open cart is; its record may be gone once it has ended, and how it ended is in its events
/// only.
HttpAnswer cart_now(events::LogClient& log, const std::string& cart, std::string_view if_none_match) {
  auto found = read_cart_state(log, cart);
  std::string stream = "state";
  auto& state = found.state;
  if (found.status.ok() && (state["state"] == "ended" || state["state"] == "unknown")) {
    found.status = each_record_of(log, events::Stream::events, cart, [&](const events::Record& record) {
      if (!read_ending(record, state)) return;
      found.at = record.at;
      stream = "events";
      if (const auto sequence = number_from_text(header(record, "ce_sequence"))) state["sequence"] = *sequence;
    });
  }
  if (!found.status.ok()) return problem(503, "log_unavailable", found.status.message);
  if (!found.unreadable.empty()) return problem(503, "state_unreadable", found.unreadable);
  if (state["state"] == "unknown") return problem(404, "cart_unknown", "the log knows nothing of that cart");
  state["from"] = {{"stream", stream}, {"partition", found.at.partition}, {"offset", found.at.offset}};
  std::string tag = "\"" + stream;
  tag += "-" + std::to_string(found.at.partition);
  tag += "-" + std::to_string(found.at.offset) + "\"";
  HttpAnswer answer{200, "application/json", text_of(state)};
  if (has_entity_tag(if_none_match, tag)) answer = {304, "application/json", {}};
  answer.headers.emplace_back("ETag", std::move(tag));
  return answer;
}

HttpAnswer cart_events(events::LogClient& log, const std::string& cart) {
  Json found = Json::array();
  const auto status = each_record_of(log, events::Stream::events, cart, [&](const events::Record& record) {
    found.push_back(Json::parse(as_ndjson(record), nullptr, false));
  });
  if (!status.ok()) return problem(503, "log_unavailable", status.message);
  if (found.empty()) return problem(404, "cart_unknown", "the log holds no event of that cart");
  return {200, "application/json", text_of(found)};
}

}  // namespace mayfly::tools
