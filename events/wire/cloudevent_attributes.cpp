#include "events/wire/cloudevent_attributes.h"

#include "events/wire/tick_proof.h"

#include <algorithm>

namespace mayfly::events {

namespace {

bool starts_with_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
         });
}

bool is_null(const Header& header) { return header.value.data() == nullptr; }

bool any_header(const Record& record, std::string_view lower_prefix) {
  return std::any_of(record.headers.begin(), record.headers.end(),
                     [&](const Header& h) { return starts_with_ignoring_case(h.name, lower_prefix); });
}

}  // namespace

Mode mode_of(const Record& record) {
  constexpr std::string_view content_type = "content-type";
  for (auto h = record.headers.rbegin(); h != record.headers.rend(); ++h) {
    if (h->name.size() != content_type.size() || !starts_with_ignoring_case(h->name, content_type)) continue;
    if (is_null(*h)) continue;
    if (starts_with_ignoring_case(h->value, "application/cloudevents-batch")) return Mode::batch;
    if (starts_with_ignoring_case(h->value, "application/cloudevents")) return Mode::structured;
    return Mode::binary;
  }
  return Mode::binary;
}

void set_from_headers(Attributes& a, const Record& record) {
  for (const auto& header : record.headers) {
    const auto& [name, value] = header;
    if (is_null(header)) continue;
    if (name == "ce_specversion")
      a.specversion = value;
    else if (name == "ce_id")
      a.id = value;
    else if (name == "ce_source")
      a.source = value;
    else if (name == "ce_type")
      a.type = value;
    else if (name == "ce_subject")
      a.subject = value;
    else if (name == "ce_correlationid")
      a.correlation_id = value;
    else if (name == "ce_traceparent" || name == "traceparent")
      a.traceparent = value;
    else if (name == proof_header)
      a.proof = value;
  }
}

Envelope from_envelope(const JsonValue& object) {
  Envelope e;
  auto& a = e.attributes;
  const std::pair<std::string_view, std::optional<Text>*> known[] = {
      {"specversion", &a.specversion}, {"id", &a.id},
      {"source", &a.source},           {"type", &a.type},
      {"subject", &a.subject},         {"correlationid", &a.correlation_id},
      {"traceparent", &a.traceparent}};
  for (const auto& member : object.members) {
    if (member.value.kind == JsonValue::Kind::null) continue;
    if (member.name == "data") e.data = &member.value;
    if (member.name == "data_base64") e.data_base64 = &member.value;
    for (const auto& attribute : known) {
      if (attribute.first != member.name) continue;
      if (attribute.second->has_value() || member.value.kind != JsonValue::Kind::string) {
        e.fault = "An attribute is given twice or is no string.";
      }
      *attribute.second = member.value.text;
    }
  }
  if (e.fault.empty() && e.data != nullptr && e.data_base64 != nullptr) {
    e.fault = "data and data_base64 are both given.";
  }
  return e;
}

std::string_view why_no_event(const Record& record, Mode mode, const Attributes& a, JsonReader& reader,
                              std::pmr::memory_resource* arena) {
  if (a.specversion && a.specversion->starts_with('"')) {
    return "The attribute values are JSON-quoted: send plain text.";
  }
  if (mode == Mode::binary && !any_header(record, "ce_")) {
    if (any_header(record, "ce-") || any_header(record, "cloudevents:")) {
      return "No attribute was found: the Kafka prefix is ce_.";
    }
    const auto value = reader.read(record.value.value_or(Text{}), arena);
    if (value && value->kind == JsonValue::Kind::object && from_envelope(*value).attributes.specversion) {
      return "A structured event needs content-type application/cloudevents+json.";
    }
  }
  return "specversion is not 1.0.";
}

}  // namespace mayfly::events
