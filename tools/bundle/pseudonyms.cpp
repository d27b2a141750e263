#include "tools/bundle/pseudonyms.h"

#include "events/rules/settings.h"
#include "events/wire/cloudevent_attributes.h"
#include "events/wire/json_writer.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

namespace {

/// Headers that say what a record is and whose: replays need them, people are not in them.
bool is_known(std::string_view header, events::Stream stream) {
  static constexpr std::string_view known[] = {
      "ce_specversion", "ce_id",           "ce_source",       "ce_type",           "ce_subject",
      "ce_time",        "ce_sequence",     "ce_causationid",  "ce_correlationid",  "ce_traceparent",
      "ce_tracestate",  "ce_dataschema",   "traceparent",     "content-type",      "ce_sequencetype",
      "ce_proof",       "mayfly.retry_of", "ce_partitionkey", "ce_datacontenttype"};
  const bool of_dead_letter = stream == events::Stream::deadletters && header.starts_with("mayfly.");
  return of_dead_letter || std::find(std::begin(known), std::end(known), header) != std::end(known);
}

/// Attributes of a structured CloudEvent, beside its data.
constexpr std::string_view attributes_kept[] = {
    "specversion", "id",       "source",      "type",         "subject",      "time",       "datacontenttype",
    "dataschema",  "sequence", "traceparent", "sequencetype", "partitionkey", "tracestate", "correlationid",
    "causationid"};
/// Members of a command whose texts decide. Every other text is replaced, also one of a member that Mayfly does not
/// know.
constexpr std::string_view command_members_kept[] = {
    "at",      "capture", "currency", "into",          "kind",           "line_id",    "provider", "reference",
    "release", "sku",     "skus",     "reply_sources", "reservation_id", "session_id", "state"};
/// And those of events that the engine makes.
constexpr std::string_view event_members_kept[] = {
    "cart_id",    "cause",           "code",     "command_id", "command_type",      "deadline", "expires_at",
    "hold_until", "idempotency_key", "order_id", "outcome",    "payment_reference", "why"};
/// Objects and arrays whose members are known, too.
constexpr std::string_view members_with_members[] = {"adjustments", "available", "lines",
                                                     "payment",     "settings",  "skus"};

template <std::size_t n>
bool is_one_of(const std::string_view (&words)[n], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// What the members of an object, or the elements of an array, are.
enum class Place : std::uint8_t { envelope, data, unknown };
struct Level {
  Place place;
  bool array = false;
  std::string member{};  // the last one that was named; of an array its own name
};

/// What begins here, within those levels.
Level level_within(const std::vector<Level>& levels, Pseudonyms::By by, bool array) {
  if (levels.empty()) return {by == Pseudonyms::By::envelope ? Place::envelope : Place::data};
  const auto& around = levels.back();
  bool known = around.place == Place::envelope && around.member == "data" && !array;
  if (around.place == Place::data) known = is_one_of(members_with_members, around.member) && !(array && around.array);
  return {known ? Place::data : Place::unknown, array, array ? around.member : std::string()};
}

bool stays(const Level& level, Pseudonyms::By by) {
  using By = Pseudonyms::By;
  const auto& member = level.member;
  if (level.place == Place::envelope) return is_one_of(attributes_kept, member);
  if (level.place == Place::unknown) return false;
  if (is_one_of(command_members_kept, member)) return true;
  if (by == By::merge) return member == "from" || member == "code";
  if (by == By::anybody || by == By::envelope) return false;
  return is_one_of(event_members_kept, member) || (by == By::engine && member == "message") ||
         (by == By::supervision && member == "reason");
}

/// As a decision masks it, so that the event says the same afterwards: also attributes, and their names.
bool is_free_text(const Level& level) {
  return level.place == Place::unknown || level.member == "name" || level.member == "label" || level.member == "reason";
}

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
  const auto whole = ":" + std::to_string(hash_(text));
  std::uint64_t letters = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    constexpr std::size_t letters_of_a_hash = 12;
    if (i % letters_of_a_hash == 0) letters = hash_(std::to_string(i) + whole);
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
  std::vector<Level> levels;
  for (std::size_t at = 0; at < value.size();) {
    const char c = value[at];
    if (c != '"') {
      if (c == '{' || c == '[') levels.push_back(level_within(levels, by, c == '['));
      if (c == '}' || c == ']') levels.pop_back();
      out += value[at++];
      continue;
    }
    const auto end = end_of_string(value, at);
    const auto literal = value.substr(at, end - at);
    at = end;
    auto& level = levels.back();
    const auto next = value.find_first_not_of(" \t\r\n", end);
    const bool names_member = next != std::string_view::npos && value[next] == ':';
    if (names_member) level.member = unquoted(literal);
    if ((names_member && level.place != Place::unknown) || (!names_member && stays(level, by))) {
      out += literal;
      continue;
    }
    auto text = unquoted(literal);
    if (is_free_text(level)) events::mask_card_numbers(text);
    events::append_json_string(out,
                               names_member ? text : in_place_of(text, level.place == Place::data ? level.member : ""));
  }
  return out;
}

std::string Pseudonyms::in_place_of(std::string_view text, std::string_view member) const {
  if (member == "reason" && text == "declined") return std::string(text);  // the engine's own, of a status
  return member == "token" ? of_token(text) : of(text);
}

void Pseudonyms::mask(events::Stream stream, const events::Record& record, MaskedRecord& into) const {
  into.record = record;
  into.texts.clear();
  into.headers.clear();
  for (const auto& h : record.headers) {
    into.headers.push_back({h.name, is_known(h.name, stream) ? h.value : into.texts.emplace_back(of(h.value))});
  }
  into.record.headers = into.headers;
  if (!record.value || stream == events::Stream::alerts) return;
  const bool structured = events::mode_of(record) == events::Mode::structured;
  auto by = stream == events::Stream::events ? By::engine : structured ? By::envelope : By::anybody;
  if (by == By::engine && short_type(record) == "command.dead_lettered") by = By::supervision;
  if (by == By::anybody && short_type(record).starts_with("cart.merge_")) by = By::merge;
  const auto most = by == By::merge ? events::limits::offer_bytes : events::limits::data_bytes;
  const bool too_large = stream != events::Stream::events && std::ssize(*record.value) > most;
  into.value = too_large ? std::string(record.value->size(), 'x') : in_value(*record.value, by);
  into.record.value = into.value;
}

}  // namespace mayfly::tools
