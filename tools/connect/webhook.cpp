#include "tools/connect/webhook.h"

#include "events/text/base64.h"
#include "events/text/time_text.h"
#include "events/wire/json_writer.h"
#include "tools/console/parsed_json.h"
#include "tools/console/printable.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

constexpr std::string_view attribute_prefix = "ce_";

/// Nobody asks again for what these ask: they are delivered after their deadline too (docs/decisions.md, 8).
bool is_asked_once(std::string_view type) {
  return type == "inventory.commit_requested" || type == "inventory.release_requested";
}

std::optional<events::Timestamp> deadline_of(std::string_view type, const Json& data) {
  if (is_asked_once(type) || !data.is_object()) return std::nullopt;
  const auto deadline = data.find("deadline");
  if (deadline == data.end() || !deadline->is_string()) return std::nullopt;
  return events::timestamp_from_text(deadline->get_ref<const std::string&>());
}

std::string cloudevent(const events::Record& record, const Json& data) {
  std::string body;
  events::JsonObject json(body);
  for (const auto& h : record.headers) {
    const bool attribute = h.name.starts_with(attribute_prefix);
    if (attribute) json.text(printable(h.name.substr(attribute_prefix.size())), printable(h.value));
    if (h.name == "traceparent") json.text(h.name, printable(h.value));
    if (h.name == "content-type") json.text("datacontenttype", printable(h.value));
  }
  if (!data.is_discarded()) {
    json.member("data") += *record.value;
  } else if (record.value) {
    json.text("data_base64", events::to_base64(*record.value));
  }
  json.close();
  return body;
}

}  // namespace

QueuedEvent webhook_of(const events::Record& record, events::Millis retry_for, events::Timestamp now) {
  QueuedEvent event;
  event.at = record.at;
  event.appended = record.append_time;
  event.cart = record.key.value_or("");
  event.type = short_type(record);
  event.id = printable(header(record, "ce_id"));  // it is a header of the request
  event.correlation_id = header(record, "ce_correlationid");
  const auto data = record.value ? parsed_json(*record.value) : Json(Json::value_t::discarded);
  event.until = deadline_of(event.type, data).value_or(now + retry_for);
  event.body = cloudevent(record, data);
  return event;
}

bool read_reply(std::string_view body, const std::vector<std::string>& families, OutgoingCommand& command,
                std::string& wrong) {
  const auto json = parsed_json(body);
  const bool fits = json.is_object() && json.contains("type") && json["type"].is_string() && json.contains("data") &&
                    json["data"].is_object();
  if (!fits) {
    wrong = R"(no reply as {"type":"inventory.reserved","data":{...}})";
    return false;
  }
  command.type = json["type"].get<std::string>();
  const bool allowed = std::any_of(families.begin(), families.end(),
                                   [&](const std::string& family) { return command.type.starts_with(family + "."); });
  if (!allowed || !events::command_type_from_name(command.type)) {
    wrong = "a reply of the type '" + printable(command.type) + "', which is not allowed here";
    return false;
  }
  command.data = json["data"].dump(-1, ' ', false, Json::error_handler_t::replace);
  return true;
}

std::optional<OutgoingCommand> reply_of(const QueuedEvent& event, std::string_view body,
                                        const std::vector<std::string>& families, std::string source,
                                        CommandCheck& check, std::string& wrong) {
  OutgoingCommand command;
  if (!read_reply(body, families, command, wrong)) return std::nullopt;
  command.key = event.cart;
  command.id = event.id;
  command.source = std::move(source);
  command.correlation_id = event.correlation_id;
  if (const auto why = check.unusable(command)) {
    wrong = "a reply that no engine can read: " + why->code + ", " + why->about;
    return std::nullopt;
  }
  return command;
}

}  // namespace mayfly::tools
