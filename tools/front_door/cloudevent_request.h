// A CloudEvent as a request has it: CloudEvents 1.0.2, HTTP protocol binding, in binary, structured or batched mode.
#pragma once

#include "adapters/http/http.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace mayfly::tools {

/// The attributes that a command needs, and its data as JSON. Other attributes are left out.
struct ReceivedCloudEvent {
  std::string id;
  std::string source;
  std::string type;
  std::string subject;  // the cart's id
  std::string correlationid;
  std::string traceparent;
  std::string data;

  /// Attributes in headers "ce-NAME", percent-encoded; the data is the body. What is wrong with it, or nothing.
  [[nodiscard]] std::string read_binary(const adapters::HttpRequest&);
  /// All of it in the body, a JSON object. What is wrong with it, or nothing.
  [[nodiscard]] std::string read_structured(std::string_view body);
  /// The same of what is parsed already, as the events of a batch are.
  [[nodiscard]] std::string read_json(const nlohmann::json& event);
};

enum class CloudEventMode : unsigned char {
  binary,
  structured,
  batched,
  unknown
};  // unknown: a format that is not JSON

/// How a request with that Content-Type has its event or events.
[[nodiscard]] CloudEventMode cloudevent_mode(std::string_view content_type);

}  // namespace mayfly::tools
