// How the CloudEvents libraries in use write a Kafka record, and how records go wrong: each is read, or refused by a
// sentence that says what to change. The shapes are those of the libraries' own sources and documentation.
#include "events/wire/cloudevent.h"

#include <doctest/doctest.h>

#include <memory_resource>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;

namespace {

/// Nothing as a value: a header that is there and null.
using Headers = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct Given {
  std::string value;
  Headers headers;
  std::string key = "c1";
  std::int32_t partitions = 1;
  Partition partition = 0;
};

/// What becomes of the record: "sku of source id", "data_invalid: about", or "reason: about" of a dead letter; behind
/// it the traceparent, where one is carried on.
std::string verdict(const Given& given) {
  CommandReader reader("test", given.partitions);
  std::pmr::monotonic_buffer_resource arena;
  std::vector<Header> headers;
  for (const auto& [name, text] : given.headers) headers.push_back({name, text ? Bytes(*text) : Bytes()});
  Record record;
  record.at = {given.partition, 7};
  record.key = given.key;
  record.value = given.value;
  record.headers = headers;
  const auto result = reader.read(record, Settings{}, &arena);
  if (const auto* unreadable = std::get_if<Unreadable>(&result)) {
    std::string text(name(unreadable->reason));
    if (!unreadable->about.empty()) text.append(": ").append(unreadable->about);
    return text;
  }
  const auto& read = std::get<ReadCommand>(result);
  if (const auto* invalid = std::get_if<Invalid>(&read.command.data))
    return "data_invalid: " + std::string(invalid->about);
  std::string text(std::get<CartAddLine>(read.command.data).sku);
  text.append(" of ").append(read.command.id);
  if (!read.traceparent.empty()) text.append(" in ").append(read.traceparent);
  return text;
}

const std::string data = R"({"sku":"A","quantity":1,"unit_price_minor":2})";
const std::string data_base64 = "eyJza3UiOiJBIiwicXVhbnRpdHkiOjEsInVuaXRfcHJpY2VfbWlub3IiOjJ9";
const std::string type = "dev.mayfly.cart.add_line.v1";
const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The four attributes that are required, under `prefix`.
Headers attributes(const std::string& prefix, const std::string& quote = "") {
  Headers headers;
  for (const auto& [attribute, value] :
       {std::pair<const char*, std::string>{"specversion", "1.0"}, {"id", "7"}, {"source", "/shop"}, {"type", type}}) {
    std::string quoted = quote;
    quoted.append(value).append(quote);
    headers.emplace_back(prefix + attribute, quoted);
  }
  return headers;
}

Headers with(Headers headers, const Headers& more) {
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

std::string envelope(const std::string& more) {
  std::string text = R"({"specversion":"1.0","id":"7","source":"/shop","type":")";
  return text.append(type).append("\",").append(more).append("}");
}

const Headers ce = attributes("ce_");
const Headers json_event = {{"content-type", "application/cloudevents+json"}};

}  // namespace

TEST_CASE("a record as each CloudEvents library writes it is read, or refused by a sentence that says what to change") {
  const std::string with_data = "\"data\":" + data;
  const std::string with_base64 = "\"data_base64\":\"" + data_base64 + "\"";
  const std::string prefix = "not_cloudevent: No attribute was found: the Kafka prefix is ce_.";
  const std::string mode = "not_cloudevent: A structured event needs content-type application/cloudevents+json.";
  const std::string quoted = "not_cloudevent: The attribute values are JSON-quoted: send plain text.";
  const struct {
    const char* of;
    Given given;
    std::string verdict;
  } rows[] = {
      {"Java, binary",
       {data, with(ce, {{"ce_time", "2026-11-28T10:00:00Z"}, {"content-type", "application/json"}})},
       "A of 7"},
      {"Java, structured", {envelope("\"datacontenttype\":\"application/json\"," + with_data), json_event}, "A of 7"},
      {"Java, structured, data of another type than JSON",
       {envelope("\"datacontenttype\":\"application/octet-stream\"," + with_base64), json_event},
       "A of 7"},
      {"Go, binary",
       {data, with({{"content-type", "application/json"}}, with(ce, {{"ce_time", "2026-11-28T10:00:00.123456789Z"}}))},
       "A of 7"},
      {"Go, structured", {envelope(with_data), json_event}, "A of 7"},
      {"Python, binary, with the key as an extension",
       {data, with(ce, {{"ce_partitionkey", "c1"},
                        {"ce_time", "2026-11-28T10:00:00+00:00"},
                        {"content-type", "application/json"}})},
       "A of 7"},
      {"Python, structured, data as bytes", {envelope(with_base64), json_event}, "A of 7"},
      {"Python, structured, by its HTTP headers' names",
       {envelope(with_data), {{"Content-Type", "application/cloudevents+json"}}},
       "A of 7"},
      {"JavaScript, binary",
       {data,
        with(ce, {{"ce_datacontenttype", "application/json"}, {"content-type", "application/json; charset=utf-8"}})},
       "A of 7"},
      {"JavaScript, structured",
       {envelope("\"time\":\"2026-11-28T10:00:00.000Z\"," + with_data),
        {{"content-type", "application/cloudevents+json; charset=utf-8"}}},
       "A of 7"},
      {"C#, binary", {data, with(ce, {{"content-type", "application/json"}})}, "A of 7"},
      {"C#, structured",
       {envelope(with_data), {{"content-type", "application/cloudevents+json; charset=utf-8"}}},
       "A of 7"},
      {"spring-cloud-stream, plain", {data, with(ce, {{"contentType", "application/json"}})}, "A of 7"},
      {"spring-cloud-stream, values quoted",
       {data, with(attributes("ce_", "\""), {{"contentType", "\"application/json\""}})},
       quoted},
      {"spring-cloud-stream, HTTP's prefix",
       {data, with(attributes("ce-"), {{"contentType", "application/json"}})},
       prefix},
      {"spring-cloud-stream, AMQP's prefix", {data, attributes("cloudEvents:")}, prefix},
      {"the prefix in upper case", {data, attributes("CE-")}, prefix},
      {"Dapr, which names no content-type",
       {envelope(R"("datacontenttype":"application/json; charset=utf-8","pubsubname":"p","topic":"t","traceid":")" +
                 trace + R"(","traceparent":")" + trace + R"(","tracestate":"",)" + with_data),
        {}},
       mode},
      {"Dapr with that header",
       {envelope(R"("pubsubname":"p","topic":"t","traceparent":")" + trace + R"(","tracestate":"",)" + with_data),
        json_event},
       "A of 7 in " + trace},
      {"a structured event as plain JSON", {envelope(with_data), {{"content-type", "application/json"}}}, mode},
      {"a structured event, its content-type quoted",
       {envelope(with_data), {{"content-type", "\"application/cloudevents+json\""}}},
       mode},
      {"near: headers count, whatever the value holds", {envelope(with_data), ce}, "data_invalid: sku is missing"},
      {"near: an object that is no event", {data, {}}, "not_cloudevent: specversion is not 1.0."},
      {"near: no object", {"specversion", {}}, "not_cloudevent: specversion is not 1.0."},
      {"near: one attribute with the right prefix",
       {data, with(attributes("ce-"), {{"ce_id", "7"}})},
       "not_cloudevent: specversion is not 1.0."},
      {"near: an older version",
       {data, with(ce, {{"ce_specversion", "0.3"}})},
       "not_cloudevent: specversion is not 1.0."},
      {"a structured event whose version is quoted twice",
       {R"({"specversion":"\"1.0\"","id":"7","source":"/shop","type":"t"})", json_event},
       quoted},
  };
  for (const auto& row : rows) {
    CAPTURE(row.of);
    CHECK(verdict(row.given) == row.verdict);
  }
}

TEST_CASE(
    "the content-type is known in any case; the last of a header that is given twice counts, a null one is absent") {
  const std::string event = envelope("\"data\":" + data);
  const std::string batch = "not_cloudevent: Batches are not taken: one event per record.";
  const struct {
    const char* of;
    Given given;
    std::string verdict;
  } rows[] = {
      {"the name in upper case", {event, {{"CONTENT-TYPE", "application/cloudevents+json"}}}, "A of 7"},
      {"the value in upper case", {event, {{"content-type", "APPLICATION/CLOUDEVENTS+JSON;CHARSET=UTF-8"}}}, "A of 7"},
      {"without its format", {event, {{"content-type", "application/cloudevents"}}}, "A of 7"},
      {"twice, structured last",
       {event, {{"content-type", "application/json"}, {"Content-Type", "application/cloudevents+json"}}},
       "A of 7"},
      {"twice, structured first", {data, with(json_event, with(ce, {{"Content-Type", "application/json"}}))}, "A of 7"},
      {"a null one behind it", {event, with(json_event, {{"content-type", std::nullopt}})}, "A of 7"},
      {"a batch", {"[" + event + "]", {{"Content-Type", "application/cloudevents-batch+json"}}}, batch},
      {"near: a batch's name by headers alone",
       {data, with(ce, {{"contentType", "application/cloudevents-batch"}})},
       "A of 7"},
      {"an id twice", {data, with(ce, {{"ce_id", "8"}})}, "A of 8"},
      {"an id and a null one", {data, with(ce, {{"ce_id", std::nullopt}})}, "A of 7"},
      {"a subject that is null", {data, with(ce, {{"ce_subject", std::nullopt}})}, "A of 7"},
      {"near: a subject that is empty", {data, with(ce, {{"ce_subject", ""}})}, "subject_mismatch"},
      {"near: an attribute's name in upper case", {data, with(ce, {{"CE_ID", "8"}})}, "A of 7"},
      {"both names of the trace",
       {data, with(ce, {{"ce_traceparent", "x"}, {"traceparent", trace}})},
       "A of 7 in " + trace},
      {"the data's own type", {data, with(ce, {{"ce_datacontenttype", "text/plain"}})}, "A of 7"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.of);
    CHECK(verdict(row.given) == row.verdict);
  }
}

TEST_CASE("data in base64 is decoded; data that is a string, twice there or no object is refused by name") {
  const auto base64 = [](const std::string& text) { return Given{envelope("\"data_base64\":" + text), json_event}; };
  const std::string bad = "json_invalid: data_base64 is no base64 text.";
  const std::string text = R"("{\"sku\":\"A\"}")";
  const std::string string_sent = "json_invalid: The data is a string: send the object.";
  const struct {
    const char* of;
    Given given;
    std::string verdict;
  } rows[] = {
      {"an object", base64("\"" + data_base64 + "\""), "A of 7"},
      {"one with padding", base64("\"eyJza3UiOjF9IA==\""), "data_invalid: sku is not a string"},
      {"one sign of padding", base64("\"eyJza3UiOjEgfSA=\""), "data_invalid: sku is not a string"},
      {"null, beside data", {envelope("\"data_base64\":null,\"data\":" + data), json_event}, "A of 7"},
      {"beside data that is null",
       {envelope("\"data\":null,\"data_base64\":\"" + data_base64 + "\""), json_event},
       "A of 7"},
      {"both",
       {envelope("\"data\":{},\"data_base64\":\"e30=\""), json_event},
       "not_cloudevent: data and data_base64 are both given."},
      {"no object", base64("\"W10=\""), "json_invalid"},
      {"a string within", base64("\"ImEi\""), string_sent},
      {"empty", base64("\"\""), "json_invalid"},
      {"a number", base64("5"), bad},
      {"a length that none has", base64("\"eyJza\""), bad},
      {"another letter", base64("\"e30 \""), bad},
      {"the letters for URLs", base64("\"e3-_\""), bad},
      {"padding within", base64("\"e3==e30=\""), bad},
      {"too much padding", base64("\"e===\""), bad},
      {"bits behind the end", base64("\"e31=\""), bad},
      {"binary: a string", {text, ce}, string_sent},
      {"binary: a string behind spaces", {" \r\n\t" + text, ce}, string_sent},
      {"structured: a string", {envelope("\"data\":" + text), json_event}, string_sent},
      {"near: an array with a string", {"[\"a\"]", ce}, "json_invalid"},
      {"near: no data", {"", ce}, "json_invalid"},
      {"near: structured without data", {envelope("\"x\":1"), json_event}, "json_invalid"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.of);
    CHECK(verdict(row.given) == row.verdict);
  }
}

TEST_CASE("a record in another cart's partition is told its own, and how a producer finds it") {
  const auto right = partition_of("c1", 2);
  CHECK(verdict({data, ce, "c1", 2, 1 - right}) == "wrong_partition: The key belongs to partition " +
                                                       std::to_string(right) +
                                                       " of 2: the producer needs partitioner=murmur2_random.");
  CHECK(verdict({data, ce, "c1", 2, right}) == "A of 7");
}
