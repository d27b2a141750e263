#include "tools/bundle/pseudonyms.h"

#include "events/rules/settings.h"
#include "events/wire/json_writer.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

namespace {

/// Headers that say what a record is and whose: replays need them, people are not in them.
bool is_known(std::string_view header) {
  static constexpr std::string_view known[] = {
      "ce_specversion", "ce_id",           "ce_source",        "ce_type",         "ce_subject",        "ce_time",
      "ce_sequence",    "ce_causationid",  "ce_correlationid", "ce_traceparent",  "ce_tracestate",     "ce_dataschema",
      "traceparent",    "ce_sequencetype", "content-type",     "ce_partitionkey", "ce_datacontenttype"};
  return header.starts_with("mayfly.") || std::find(std::begin(known), std::end(known), header) != std::end(known);
}

/// Members whose texts decide, or are made by the engine, and attributes of a structured CloudEvent. Every other text
/// is replaced, also one of a member that Mayfly does not know.
bool stays(std::string_view member) {
  static constexpr std::string_view known[] = {"at",
                                               "cart_id",
                                               "cause",
                                               "code",
                                               "command_id",
                                               "command_type",
                                               "currency",
                                               "deadline",
                                               "hold_until",
                                               "idempotency_key",
                                               "into",
                                               "kind",
                                               "line_id",
                                               "order_id",
                                               "outcome",
                                               "payment_reference",
                                               "provider",
                                               "reference",
                                               "release",
                                               "reservation_id",
                                               "session_id",
                                               "sku",
                                               "skus",
                                               "state",
                                               "why",
                                               "specversion",
                                               "id",
                                               "source",
                                               "type",
                                               "subject",
                                               "time",
                                               "datacontenttype",
                                               "dataschema",
                                               "sequence",
                                               "sequencetype",
                                               "partitionkey",
                                               "traceparent",
                                               "tracestate",
                                               "correlationid",
                                               "causationid"};
  return std::find(std::begin(known), std::end(known), member) != std::end(known);
}

bool is_free_text(std::string_view member) { return member == "name" || member == "label" || member == "reason"; }

/// The end of the string that begins at `at` with a quotation mark: behind its last one.
std::size_t end_of_string(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(json.size(), at + 1);
}

std::string unquoted(std::string_view literal) {
  const auto text = nlohmann::json::parse(literal, nullptr, false);
  return text.is_string() ? text.get<std::string>() : std::string{};
}

}  // namespace

std::string Pseudonyms::of(std::string_view text) const {
  std::string out(text);
  std::uint64_t letters = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    constexpr std::size_t letters_of_a_hash = 12;
    if (i % letters_of_a_hash == 0) letters = hash_(std::to_string(i) + ":" + std::string(text));
    const bool escaped = static_cast<unsigned char>(out[i]) < 0x20 || out[i] == '"' || out[i] == '\\';
    if (!escaped) out[i] = static_cast<char>('a' + letters % 26);
    letters /= 26;
  }
  return out;
}

std::string Pseudonyms::of_token(std::string_view token) const {
  if (!events::is_card_number(token)) return of(token);
  std::string out(token);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c >= '0' && c <= '9'; }, '0');  // zeros fit the check
  return out;
}

std::string Pseudonyms::in_value(std::string_view value, By by) const {
  const auto whole = nlohmann::json::parse(value, nullptr, false);
  if (!whole.is_object()) return std::string(value.size(), 'x');
  std::string out;
  std::string member;
  for (std::size_t at = 0; at < value.size();) {
    if (value[at] != '"') {
      out += value[at++];
      continue;
    }
    const auto end = end_of_string(value, at);
    const auto literal = value.substr(at, end - at);
    at = end;
    const auto next = value.find_first_not_of(" \t\r\n", end);
    if (next != std::string_view::npos && value[next] == ':') {
      member = unquoted(literal);
      out += literal;
      continue;
    }
    if (stays(member) || (by == By::engine && member == "message") || (by == By::supervision && member == "reason")) {
      out += literal;
      continue;
    }
    auto text = unquoted(literal);
    if (is_free_text(member)) events::mask_card_numbers(text);   // as a decision does
    const bool word = member == "reason" && text == "declined";  // the engine's own, of a status
    events::append_json_string(out, word ? text : member == "token" ? of_token(text) : of(text));
  }
  return out;
}

void Pseudonyms::mask(events::Stream stream, const events::Record& record, MaskedRecord& into) const {
  into.record = record;
  into.texts.clear();
  into.headers.clear();
  for (const auto& h : record.headers) {
    into.headers.push_back({h.name, is_known(h.name) ? h.value : into.texts.emplace_back(of(h.value))});
  }
  into.record.headers = into.headers;
  if (!record.value || stream == events::Stream::alerts) return;
  const bool too_large = static_cast<std::int64_t>(record.value->size()) > events::limits::data_bytes;
  auto by = stream == events::Stream::events ? By::engine : By::anybody;
  if (by == By::engine && short_type(record) == "command.dead_lettered") by = By::supervision;
  into.value = too_large ? std::string(record.value->size(), 'x') : in_value(*record.value, by);
  into.record.value = into.value;
}

}  // namespace mayfly::tools
