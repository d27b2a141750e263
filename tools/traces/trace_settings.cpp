#include "tools/traces/trace_settings.h"

#include "tools/console/numbers.h"

#include <algorithm>
#include <string_view>

namespace mayfly::tools {

namespace {

constexpr std::int64_t longest_timeout_ms = 600'000;

std::string_view without_space(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// "name=value,name=value", the values percent-encoded, as W3C Baggage has them. None where it is not that.
std::optional<std::vector<std::pair<std::string, std::string>>> pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> list;
  while (!text.empty()) {
    const auto entry = without_space(text.substr(0, text.find(',')));
    text = text.find(',') == std::string_view::npos ? std::string_view() : text.substr(text.find(',') + 1);
    if (entry.empty()) continue;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = without_space(entry.substr(0, equals));
    auto value = adapters::percent_decoded(without_space(entry.substr(equals + 1)));
    if (name.empty() || !value) return std::nullopt;
    list.emplace_back(std::string(name), std::move(*value));
  }
  return list;
}

constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";  // beside letters and digits (RFC 9110, 5.6.2)

/// A name that a header may have, and a value that ends none.
bool is_header(const std::pair<std::string, std::string>& header) {
  const bool named = std::all_of(header.first.begin(), header.first.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           token_marks.find(c) != std::string_view::npos;
  });
  return named && std::all_of(header.second.begin(), header.second.end(), [](char c) {
           return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
         });
}

class Environment {
 public:
  explicit Environment(const std::function<const char*(const char*)>& variable) : variable_(variable) {}
  [[nodiscard]] std::string operator()(const char* name) const {
    const char* value = variable_(name);
    return value == nullptr ? "" : std::string(without_space(value));
  }
  /// OTEL_EXPORTER_OTLP_TRACES_..., else OTEL_EXPORTER_OTLP_...
  [[nodiscard]] std::string of_traces(const std::string& end) const {
    auto own = (*this)(("OTEL_EXPORTER_OTLP_TRACES_" + end).c_str());
    return own.empty() ? (*this)(("OTEL_EXPORTER_OTLP_" + end).c_str()) : own;
  }

 private:
  const std::function<const char*(const char*)>& variable_;
};

/// The address of traces as it is given, or that of all signals with their path behind it.
std::string address(const Environment& environment) {
  auto own = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  if (!own.empty()) return own;
  auto all = environment("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (all.empty()) return all;
  while (all.ends_with('/')) all.pop_back();
  return all + "/v1/traces";
}

/// What the service is called: OTEL_SERVICE_NAME before OTEL_RESOURCE_ATTRIBUTES.
bool read_resource(const Environment& environment, TraceSettings& settings) {
  auto given = pairs(environment("OTEL_RESOURCE_ATTRIBUTES"));
  const bool fits = given.has_value();
  if (fits) settings.resource = std::move(*given);
  auto& list = settings.resource;
  const auto named = [](const auto& pair) { return pair.first == "service.name"; };
  const auto name = environment("OTEL_SERVICE_NAME");
  if (!name.empty()) std::erase_if(list, named);
  if (!name.empty() || std::none_of(list.begin(), list.end(), named)) {
    list.emplace(list.begin(), "service.name", name.empty() ? "mayfly" : name);
  }
  return fits;
}

}  // namespace

TracesAsked traces_asked(const std::function<const char*(const char*)>& variable) {
  const Environment environment(variable);
  const auto to = address(environment);
  if (to.empty() || environment("OTEL_SDK_DISABLED") == "true" || environment("OTEL_TRACES_EXPORTER") == "none") {
    return {};
  }
  const auto off = [](std::string why) { return TracesAsked{std::nullopt, "no traces are sent: " + std::move(why)}; };
  TraceSettings settings;
  std::string wrong;
  auto url = adapters::http_url(to, wrong);
  if (!url) return off("OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no address: " + wrong);
  settings.to = std::move(*url);
  if (environment.of_traces("PROTOCOL") == "grpc") {
    return off(
        "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and Mayfly sends http/json: give the port of OTLP over HTTP, which "
        "is 4318 by default, and unset it.");
  }
  auto headers = pairs(environment.of_traces("HEADERS"));
  if (!headers || !std::all_of(headers->begin(), headers->end(), is_header)) {
    return off("OTEL_EXPORTER_OTLP_HEADERS is not name=value,name=value with values percent-encoded.");
  }
  settings.headers = std::move(*headers);
  const auto sampler = Sampler::named(environment("OTEL_TRACES_SAMPLER"), environment("OTEL_TRACES_SAMPLER_ARG"));
  if (!sampler) {
    return off(
        "OTEL_TRACES_SAMPLER is none of always_on, always_off, traceidratio and the same with parentbased_, or "
        "OTEL_TRACES_SAMPLER_ARG no number from 0 to 1.");
  }
  settings.sampler = *sampler;
  settings.ca_file = environment.of_traces("CERTIFICATE");
  TracesAsked asked;
  if (const auto text = environment.of_traces("TIMEOUT"); !text.empty()) {
    const auto ms = number_from_text(text);
    if (ms && *ms > 0 && *ms <= longest_timeout_ms) {
      settings.timeout = {*ms};
    } else {
      asked.wrong = "OTEL_EXPORTER_OTLP_TIMEOUT is passed over: it is no number of milliseconds from 1 to 600000.";
    }
  }
  if (!read_resource(environment, settings)) {
    asked.wrong = "OTEL_RESOURCE_ATTRIBUTES is passed over: it is not name=value,name=value.";
  }
  asked.settings = std::move(settings);
  return asked;
}

}  // namespace mayfly::tools
