// Where spans go and which are made, from the environment that OpenTelemetry standardizes. docs/tracing.md has each
// variable.
#pragma once

#include "adapters/http/http_caller.h"
#include "tools/traces/sampling.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

struct TraceSettings {
  adapters::HttpUrl to;
  adapters::HttpHeaders headers;   // may be secret
  events::Millis timeout{10'000};  // of one request
  std::string ca_file;             // whom an https server's certificate must come from; empty: this machine's
  Sampler sampler;
  std::vector<std::pair<std::string, std::string>> resource;  // service.name among them
};

/// Both empty where the environment asks for no traces. `wrong` is a sentence why they stay off although it does, or,
/// beside settings, what was passed over.
struct TracesAsked {
  std::optional<TraceSettings> settings;
  std::string wrong;
};

/// `variable` gives the value of a variable of the environment, null where it is not set. An empty value is as none.
[[nodiscard]] TracesAsked traces_asked(const std::function<const char*(const char*)>& variable);

}  // namespace mayfly::tools
