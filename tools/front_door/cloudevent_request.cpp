#include "tools/front_door/cloudevent_request.h"

#include "adapters/http/http_names.h"
#include "tools/console/parsed_json.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

/// Reads attributes by `text`, which gives the text of one, empty where it is not there, and none where it is no text.
template <class AttributeText>
std::string read_attributes(ReceivedCloudEvent& event, const AttributeText& text) {
  std::string specversion;
  const std::pair<const char*, std::string*> needed[] = {{"specversion", &specversion},
                                                         {"id", &event.id},
                                                         {"source", &event.source},
                                                         {"type", &event.type},
                                                         {"subject", &event.subject}};
  const std::pair<const char*, std::string*> further[] = {{"correlationid", &event.correlationid},
                                                          {"traceparent", &event.traceparent}};
  for (const auto& [name, value] : needed) {
    const auto found = text(name);
    if (!found) return std::string(name) + " is no text, or not percent-encoded as it should be";
    if (found->empty()) return std::string(name) + " is missing; subject is the cart's id";
    *value = *found;
  }
  for (const auto& [name, value] : further) {
    const auto found = text(name);
    if (!found) return std::string(name) + " is no text, or not percent-encoded as it should be";
    *value = *found;
  }
  return specversion == "1.0" ? "" : "specversion is not 1.0";
}

bool is_json(std::string_view type) {
  return type.starts_with("application/json") || type.substr(0, type.find(';')).ends_with("+json");
}

}  // namespace

std::string ReceivedCloudEvent::read_binary(const adapters::HttpRequest& request) {
  data = request.body.empty() ? "{}" : request.body;
  return read_attributes(
      *this, [&](const std::string& name) { return adapters::percent_decoded(request.header("ce-" + name)); });
}

std::string ReceivedCloudEvent::read_structured(std::string_view body) { return read_json(parsed_json(body)); }

std::string ReceivedCloudEvent::read_json(const Json& event) {
  if (!event.is_object()) return "it is no JSON object";
  if (event.contains("data_base64")) return "data_base64 is for data that is not JSON: send the command's data as data";
  const auto text = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = event.find(name);
    if (found == event.end() || found->is_null()) return "";
    return found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
  };
  const auto content = text("datacontenttype");
  if (!content || (!content->empty() && !is_json(*content))) return "datacontenttype is not JSON";
  data = event.contains("data") ? event["data"].dump(-1, ' ', false, Json::error_handler_t::replace) : "{}";
  return read_attributes(*this, text);
}

CloudEventMode cloudevent_mode(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find_first_of("; \t")));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!type.starts_with("application/cloudevents")) return CloudEventMode::binary;
  const auto format = type.find('+');
  if (format != std::string::npos && type.substr(format) != "+json") return CloudEventMode::unknown;
  const auto mode = type.substr(0, format);
  if (mode == "application/cloudevents") return CloudEventMode::structured;
  return mode == "application/cloudevents-batch" ? CloudEventMode::batched : CloudEventMode::unknown;
}

}  // namespace mayfly::tools
