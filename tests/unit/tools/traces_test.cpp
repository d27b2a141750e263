// What is traced, where it goes, and what a span looks like on the wire. Trace ids and the headers that carry them are
// those of the examples in W3C Trace Context and OTLP.
#include "tools/traces/sampling.h"
#include "tools/traces/span.h"
#include "tools/traces/trace_settings.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>

using namespace mayfly;
using nlohmann::json;
using tools::CommandSpan;
using tools::CommitSpan;
using tools::Sampler;
using tools::Sampling;

namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string sampled_parent = "00-" + trace + "-00f067aa0ba902b7-01";
const std::string other_parent = "00-" + trace + "-00f067aa0ba902b7-00";

template <std::size_t Size>
std::array<char, Size> digits(std::string_view text) {
  std::array<char, Size> all{};
  REQUIRE(text.size() == Size);
  std::copy(text.begin(), text.end(), all.begin());
  return all;
}

template <std::size_t Size>
std::string text(const std::array<char, Size>& all) {
  return {all.data(), all.size()};
}

tools::SpanContext context(std::string_view of_trace, std::string_view span) {
  return {digits<32>(of_trace), digits<16>(span)};
}

tools::TracesAsked asked(const std::map<std::string, std::string>& environment) {
  return tools::traces_asked([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

const tools::TracedEngine on_kafka{"kafka", "checkout.commands.v1", "mayfly-mayfly", {{"service.name", "checkout"}}};

CommandSpan a_command() {
  CommandSpan span;
  span.self = context(trace, "1111111111111111");
  span.parent = digits<16>("00f067aa0ba902b7");
  span.commit = context("22222222222222222222222222222222", "3333333333333333");
  span.appended = 1'790'000'000'000'000'000;
  span.begun = 1'790'000'000'002'500'000;
  span.ended = 1'790'000'000'004'000'000;
  span.at = {3, 42};
  span.cart = "c1";
  span.id = "id-1";
  span.type = events::CommandType::checkout_complete;
  span.events = {events::EventType::checkout_started, events::EventType::inventory_reservation_requested};
  span.event_count = 2;
  return span;
}

json only_span(const tools::Span& span, const tools::TracedEngine& engine = on_kafka) {
  const auto request = json::parse(tools::otlp_json({span}, engine));
  return request["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
}

json attribute(const json& span, const std::string& key) {
  for (const auto& one : span["attributes"]) {
    if (one["key"] == key) return one["value"];
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a command with a parent is sampled as that is, others as the sampler says") {
  const struct {
    const char* name;
    const char* argument;
    bool of_sampled, of_others, without;
  } rows[] = {
      {"", "", true, false, false},
      {"parentbased_always_off", "", true, false, false},
      {"parentbased_always_on", "", true, false, true},
      {"parentbased_traceidratio", "", true, false, true},
      {"parentbased_traceidratio", "1", true, false, true},
      {"parentbased_traceidratio", "0", true, false, false},
      {"always_on", "", true, true, true},
      {"always_off", "", false, false, false},
      {"traceidratio", "0.0", false, false, false},
      {"traceidratio", "0.64", true, true, false},  // the example's id lies at 0.6399 of all
      {"traceidratio", "0.63", false, false, false},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.name));
    CAPTURE(std::string(row.argument));
    const auto sampler = Sampler::named(row.name, row.argument);
    REQUIRE(sampler);
    Sampling sampling(*sampler, 7);
    CHECK(sampling.place(sampled_parent).has_value() == row.of_sampled);
    CHECK(sampling.place(other_parent).has_value() == row.of_others);
    const bool by_chance = sampler->ratio > 0 && sampler->ratio < 1;
    if (!by_chance) CHECK(sampling.place("").has_value() == row.without);
  }
}

TEST_CASE("what is no sampler, or no ratio, is refused") {
  for (const auto* name : {"on", "ALWAYS_ON", "parentbased_", "jaeger_remote", "xray"}) {
    CHECK_MESSAGE(!Sampler::named(name, ""), std::string(name));
  }
  for (const auto* argument : {"-0.1", "1.1", "half", "0.5x", "nan", "inf"}) {
    CHECK_MESSAGE(!Sampler::named("traceidratio", argument), std::string(argument));
  }
}

TEST_CASE("a span stands in its parent's trace, and ids are new and not all zero") {
  Sampling sampling(*Sampler::named("parentbased_always_on", ""), 1);
  const auto place = sampling.place(sampled_parent);
  REQUIRE(place);
  CHECK(text(place->trace) == trace);
  REQUIRE(place->parent);
  CHECK(text(*place->parent) == "00f067aa0ba902b7");
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(text(sampling.new_trace()));
    ids.insert(text(sampling.new_span()));
    const auto root = sampling.place("");
    REQUIRE(root);
    CHECK(!root->parent);
    ids.insert(text(root->trace));
  }
  CHECK(ids.size() == 3000);
}

TEST_CASE("a ratio takes that part of the traces without a parent") {
  Sampling sampling(*Sampler::named("parentbased_traceidratio", "0.25"), 11);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) taken += sampling.place("").has_value() ? 1 : 0;
  CHECK(taken > 4'700);
  CHECK(taken < 5'300);
}

TEST_CASE("where spans go is what the environment says, and nothing is sent without an address") {
  const struct {
    std::map<std::string, std::string> environment;
    const char* to;  // empty: nothing is sent
    const char* wrong;
  } rows[] = {
      {{}, "", ""},
      {{{"OTEL_TRACES_SAMPLER", "always_on"}}, "", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "  "}}, "", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"}}, "http collector:4318 /v1/traces", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"}}, "http collector:4318 /v1/traces", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://host/otlp"}}, "https host:443 /otlp/v1/traces", ""},
      {{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1]:4318"}}, "http [::1]:4318 /", ""},
      {{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://a:1/mine"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://b:2"}},
       "http a:1 /mine",
       ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_SDK_DISABLED", "true"}}, "", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_TRACES_EXPORTER", "none"}}, "", ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"}}, "", "no address"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:word@a:1"}}, "", "no address"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4317"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}, "", "is grpc"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}},
       "http a:1 /v1/traces",
       ""},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_TRACES_SAMPLER", "sometimes"}},
       "",
       "OTEL_TRACES_SAMPLER"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_EXPORTER_OTLP_HEADERS", "secret"}}, "", "_HEADERS"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_EXPORTER_OTLP_HEADERS", "a=b%0d%0ac: d"}},
       "",
       "_HEADERS"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_EXPORTER_OTLP_TIMEOUT", "soon"}},
       "http a:1 /v1/traces",
       "_TIMEOUT"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}, {"OTEL_RESOURCE_ATTRIBUTES", "words"}},
       "http a:1 /v1/traces",
       "OTEL_RESOURCE_ATTRIBUTES"},
  };
  for (const auto& row : rows) {
    const auto got = asked(row.environment);
    const auto& s = got.settings;
    CAPTURE(got.wrong);
    CHECK((s ? std::string(s->to.tls ? "https " : "http ") + s->to.place.text() + " " + s->to.target : "") ==
          std::string(row.to));
    CHECK(got.wrong.empty() == std::string_view(row.wrong).empty());
    CHECK(got.wrong.find(row.wrong) != std::string::npos);
    CHECK(got.wrong.find("word@") == std::string::npos);
    CHECK(got.wrong.find("secret") == std::string::npos);
  }
}

TEST_CASE("headers, timeout, authorities and the service's name are those of traces before those of all signals") {
  const auto got = asked({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"},
                          {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=of%20all"},
                          {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=a%2Cb, x-tenant = shop "},
                          {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
                          {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"},
                          {"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment.name=live"},
                          {"OTEL_SERVICE_NAME", "checkout"},
                          {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                          {"OTEL_TRACES_SAMPLER_ARG", "0.1"}});
  REQUIRE(got.settings);
  CHECK(got.wrong == "");
  CHECK(got.settings->headers == adapters::HttpHeaders{{"api-key", "a,b"}, {"x-tenant", "shop"}});
  CHECK(got.settings->timeout == events::Millis{2500});
  CHECK(got.settings->ca_file == "/ca.pem");
  CHECK(got.settings->sampler.ratio == 0.1);
  CHECK(got.settings->resource ==
        adapters::HttpHeaders{{"service.name", "checkout"}, {"deployment.environment.name", "live"}});
  const auto plain = asked({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"}});
  REQUIRE(plain.settings);
  CHECK(plain.settings->resource == adapters::HttpHeaders{{"service.name", "mayfly"}});
  CHECK(plain.settings->timeout == events::Millis{10'000});
}

TEST_CASE("a command's span is what OTLP's JSON encoding and the messaging conventions want") {
  const auto request = json::parse(tools::otlp_json({a_command()}, on_kafka));
  const auto expected = json::parse(R"({"resourceSpans":[{
    "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}}]},
    "scopeSpans":[{"scope":{"name":"mayfly","version":"0.1.0"},"spans":[{
      "traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"1111111111111111","parentSpanId":"00f067aa0ba902b7","flags":1,
      "name":"process checkout.commands.v1","kind":5,
      "startTimeUnixNano":"1790000000000000000","endTimeUnixNano":"1790000000004000000",
      "attributes":[
        {"key":"messaging.system","value":{"stringValue":"kafka"}},
        {"key":"messaging.operation.name","value":{"stringValue":"process"}},
        {"key":"messaging.operation.type","value":{"stringValue":"process"}},
        {"key":"messaging.destination.name","value":{"stringValue":"checkout.commands.v1"}},
        {"key":"messaging.consumer.group.name","value":{"stringValue":"mayfly-mayfly"}},
        {"key":"messaging.destination.partition.id","value":{"stringValue":"3"}},
        {"key":"messaging.kafka.offset","value":{"intValue":"42"}},
        {"key":"messaging.kafka.message.key","value":{"stringValue":"c1"}},
        {"key":"cloudevents.event_id","value":{"stringValue":"id-1"}},
        {"key":"cloudevents.event_type","value":{"stringValue":"dev.mayfly.checkout.complete.v1"}},
        {"key":"mayfly.cart","value":{"stringValue":"c1"}},
        {"key":"mayfly.outcome","value":{"stringValue":"accepted"}},
        {"key":"mayfly.events","value":{"arrayValue":{"values":[{"stringValue":"checkout.started"},
                                                                 {"stringValue":"inventory.reservation_requested"}]}}},
        {"key":"mayfly.event_count","value":{"intValue":"2"}}],
      "events":[{"name":"decide","timeUnixNano":"1790000000002500000"}],
      "links":[{"traceId":"22222222222222222222222222222222","spanId":"3333333333333333","flags":1}]}]}]}]})");
  CHECK(request == expected);
}

TEST_CASE("a command's span says what came of it") {
  const struct {
    std::int64_t event_count;
    std::optional<events::Code> code;
    std::optional<events::DeadLetterReason> dead_letter;
    const char* outcome;
    const char* error;
  } rows[] = {
      {2, {}, {}, "accepted", ""},
      {0, {}, {}, "no_events", ""},
      {1, events::Code::checkout_in_progress, {}, "rejected", ""},  // an answer like any other, and no fault
      {1, {}, events::DeadLetterReason::keeps_failing, "dead_lettered", "keeps_failing"},
  };
  for (const auto& row : rows) {
    auto span = a_command();
    span.event_count = row.event_count;
    span.code = row.code;
    span.dead_letter = row.dead_letter;
    const auto sent = only_span(span);
    CHECK(attribute(sent, "mayfly.outcome")["stringValue"] == row.outcome);
    CHECK(attribute(sent, "mayfly.rejection_code") ==
          (row.code ? json{{"stringValue", events::name(*row.code)}} : json()));
    const bool failed = !std::string_view(row.error).empty();
    CHECK(attribute(sent, "error.type") == (failed ? json{{"stringValue", row.error}} : json()));
    CHECK(sent.contains("status") == failed);
    if (failed) CHECK(sent["status"]["code"] == 2);
  }
}

TEST_CASE(
    "a root has no parent, an unreadable command no type, and a log that is not Kafka none of Kafka's attributes") {
  auto span = a_command();
  span.parent.reset();
  span.type.reset();
  span.cart.clear();
  span.correlation_id = "order-7";
  const auto sent = only_span(span, {"sqlite", "checkout.commands.v1", "", {}});
  CHECK(!sent.contains("parentSpanId"));
  for (const auto* key : {"cloudevents.event_type", "mayfly.cart", "messaging.consumer.group.name",
                          "messaging.kafka.offset", "messaging.kafka.message.key"}) {
    CHECK_MESSAGE(attribute(sent, key).is_null(), std::string(key));
  }
  CHECK(attribute(sent, "mayfly.offset")["intValue"] == "42");
  CHECK(attribute(sent, "messaging.message.conversation_id")["stringValue"] == "order-7");
}

TEST_CASE("no span begins after what happened in it, also where the log's clock is ahead") {
  auto span = a_command();
  span.appended = span.ended + 5'000'000'000;
  const auto sent = only_span(span);
  CHECK(sent["startTimeUnixNano"] == std::to_string(span.begun));
  CHECK(sent["events"][0]["timeUnixNano"] == std::to_string(span.begun));
}

TEST_CASE("text that is no UTF-8 is sent all the same") {
  auto span = a_command();
  span.id = "a\xff";
  CHECK(attribute(only_span(span), "cloudevents.event_id")["stringValue"] == "a\xEF\xBF\xBD");
}

TEST_CASE("a transaction's span links the spans of its commands, and says if it was not committed") {
  CommitSpan commit;
  commit.self = context("22222222222222222222222222222222", "3333333333333333");
  commit.begun = 10;
  commit.ended = 30;
  commit.commands = 500;
  commit.events = 900;
  commit.partitions = 4;
  commit.links = {context(trace, "1111111111111111")};
  commit.links_left_out = 372;
  auto sent = only_span(commit);
  CHECK(sent["name"] == "commit checkout.commands.v1");
  CHECK(sent["kind"] == 3);
  CHECK(!sent.contains("parentSpanId"));
  CHECK(attribute(sent, "messaging.operation.type")["stringValue"] == "settle");
  CHECK(attribute(sent, "messaging.batch.message_count")["intValue"] == "500");
  CHECK(attribute(sent, "mayfly.event_count")["intValue"] == "900");
  CHECK(sent["links"] ==
        json::parse(R"([{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"1111111111111111","flags":1}])"));
  CHECK(sent["droppedLinksCount"] == 372);
  CHECK(!sent.contains("status"));
  commit.outcome = events::CommitOutcome::indefinite;
  sent = only_span(commit);
  CHECK(sent["status"]["code"] == 2);
  CHECK(attribute(sent, "error.type")["stringValue"] == "indefinite");
}
