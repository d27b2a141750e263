#include "tools/traces/span.h"

#include "events/wire/event_json.h"
#include "tools/console/version.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

// opentelemetry/proto/trace/v1/trace.proto
constexpr int kind_client = 3;
constexpr int kind_consumer = 5;
constexpr int status_error = 2;
constexpr int flag_sampled = 1;

Json text(std::string_view value) { return {{"stringValue", value}}; }
Json number(std::int64_t value) { return {{"intValue", std::to_string(value)}}; }

class Attributes {
 public:
  void add(const char* key, Json value) { list_.push_back({{"key", key}, {"value", std::move(value)}}); }
  void add_given(const char* key, std::string_view value) {
    if (!value.empty()) add(key, text(value));
  }
  [[nodiscard]] Json take() { return std::move(list_); }

 private:
  Json list_ = Json::array();
};

template <std::size_t Size>
std::string_view id(const std::array<char, Size>& digits) {
  return {digits.data(), digits.size()};
}

/// The names of the attributes that each span has.
Attributes operation(const TracedEngine& engine, const char* name, const char* type) {
  Attributes attributes;
  attributes.add("messaging.system", text(engine.system));
  attributes.add("messaging.operation.name", text(name));
  attributes.add("messaging.operation.type", text(type));
  attributes.add("messaging.destination.name", text(engine.topic));
  attributes.add_given("messaging.consumer.group.name", engine.group);
  return attributes;
}

Json span_json(const SpanContext& self, std::string name, int kind, UnixNanos begun, UnixNanos ended) {
  return {{"traceId", id(self.trace)},
          {"spanId", id(self.span)},
          {"flags", flag_sampled},
          {"name", std::move(name)},
          {"kind", kind},
          {"startTimeUnixNano", std::to_string(begun)},
          {"endTimeUnixNano", std::to_string(ended)}};
}

Json link_json(const SpanContext& to) {
  return {{"traceId", id(to.trace)}, {"spanId", id(to.span)}, {"flags", flag_sampled}};
}

void fail(Json& span, Attributes& attributes, std::string_view type, std::string_view message) {
  attributes.add("error.type", text(type));
  span["status"] = {{"code", status_error}, {"message", message}};
}

const char* outcome_of(const CommandSpan& command) {
  if (command.dead_letter) return "dead_lettered";
  if (command.code) return "rejected";
  return command.event_count > 0 ? "accepted" : "no_events";
}

/// The log's clock may be ahead of this machine's: no span begins after what happened in it.
Json to_json(const CommandSpan& command, const TracedEngine& engine) {
  const auto begun = std::min(command.begun, command.ended);
  auto span = span_json(command.self, "process " + engine.topic, kind_consumer, std::min(command.appended, begun),
                        command.ended);
  if (command.parent) span["parentSpanId"] = id(*command.parent);
  auto attributes = operation(engine, "process", "process");
  const bool on_kafka = engine.system == "kafka";
  attributes.add("messaging.destination.partition.id", text(std::to_string(command.at.partition)));
  attributes.add(on_kafka ? "messaging.kafka.offset" : "mayfly.offset", number(command.at.offset));
  if (on_kafka) attributes.add_given("messaging.kafka.message.key", command.cart);
  attributes.add_given("messaging.message.conversation_id", command.correlation_id);
  attributes.add_given("cloudevents.event_id", command.id);
  if (command.type) attributes.add("cloudevents.event_type", text(events::ce_type(*command.type)));
  attributes.add_given("mayfly.cart", command.cart);
  attributes.add("mayfly.outcome", text(outcome_of(command)));
  if (command.code) attributes.add("mayfly.rejection_code", text(events::name(*command.code)));
  Json said = Json::array();
  for (const auto type : command.events) said.push_back(text(events::name(type)));
  Json events;
  events["arrayValue"]["values"] = std::move(said);
  attributes.add("mayfly.events", std::move(events));
  attributes.add("mayfly.event_count", number(command.event_count));
  if (command.dead_letter) {
    fail(span, attributes, events::name(*command.dead_letter), events::sentence(*command.dead_letter));
  }
  span["attributes"] = attributes.take();
  span["events"] = Json::array({Json{{"name", "decide"}, {"timeUnixNano", std::to_string(begun)}}});
  span["links"] = Json::array({link_json(command.commit)});
  return span;
}

Json to_json(const CommitSpan& commit, const TracedEngine& engine) {
  auto span = span_json(commit.self, "commit " + engine.topic, kind_client, commit.begun, commit.ended);
  auto attributes = operation(engine, "commit", "settle");
  attributes.add("messaging.batch.message_count", number(commit.commands));
  attributes.add("mayfly.event_count", number(commit.events));
  attributes.add("mayfly.partition_count", number(commit.partitions));
  if (commit.outcome != events::CommitOutcome::committed) {
    fail(span, attributes, events::name(commit.outcome), "not committed: its commands are decided again");
  }
  span["attributes"] = attributes.take();
  Json links = Json::array();
  for (const auto& to : commit.links) links.push_back(link_json(to));
  span["links"] = std::move(links);
  if (commit.links_left_out > 0) span["droppedLinksCount"] = commit.links_left_out;
  return span;
}

}  // namespace

std::string otlp_json(const std::vector<Span>& spans, const TracedEngine& engine) {
  Attributes resource;
  for (const auto& [key, value] : engine.resource) resource.add(key.c_str(), text(value));
  Json list = Json::array();
  for (const auto& span : spans) {
    list.push_back(std::visit([&](const auto& one) { return to_json(one, engine); }, span));
  }
  Json of_scope;
  of_scope["scope"] = {{"name", "mayfly"}, {"version", version}};
  of_scope["spans"] = std::move(list);
  Json of_resource;
  of_resource["resource"]["attributes"] = resource.take();
  of_resource["scopeSpans"].push_back(std::move(of_scope));
  Json request;
  request["resourceSpans"].push_back(std::move(of_resource));
  return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace mayfly::tools
