// A CloudEvent as a request has it: CloudEvents 1.0.2, HTTP protocol binding, in binary or structured mode.
#pragma once

#include "adapters/http/http.h"

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
};

}  // namespace mayfly::tools
