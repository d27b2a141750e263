// The first rungs of decisions.md 1: what is no command becomes a dead letter, in the page's order.
#include "events/wire/cloudevent.h"

#include "events/text/base64.h"
#include "events/text/time_text.h"
#include "events/text/utf8.h"
#include "events/wire/cloudevent_attributes.h"
#include "events/wire/command_json.h"
#include "events/wire/json_reader.h"
#include "events/wire/json_writer.h"
#include "events/wire/settings_json.h"

#include <algorithm>

namespace mayfly::events {

namespace {

Text carried(std::optional<Text> text) {
  return text && std::ssize(*text) <= limits::attribute_bytes && is_plain_text(*text) ? *text : Text{};
}

/// A correlation id without card numbers: it goes into every event of the command.
Text correlation(std::optional<Text> text, std::pmr::memory_resource* arena) {
  const Text given = carried(text);
  if (!may_hold_card_number(given)) return given;
  auto* bytes = static_cast<char*>(arena->allocate(given.size(), 1));
  std::copy(given.begin(), given.end(), bytes);
  mask_card_numbers({bytes, given.size()});
  return {bytes, given.size()};
}

Text trace(std::optional<Text> text) { return text && is_traceparent(*text) ? *text : Text{}; }

/// What of an attribute is wrong; empty if it can be used.
std::string_view fault(const std::optional<Text>& attribute) {
  if (!attribute || attribute->empty()) return "is missing";
  if (std::ssize(*attribute) > limits::attribute_bytes) return "is longer than 1024 bytes";
  if (!is_plain_text(*attribute)) return "is no text without control characters";
  return {};
}

std::string own_partition(Partition right, std::int32_t count) {
  std::string text = "The key belongs to partition ";
  text.append(std::to_string(right)).append(" of ").append(std::to_string(count));
  return text.append(": the producer needs partitioner=murmur2_random.");
}

void refuse(ClockTick& tick, Text why) {
  tick.refused = why;
  tick.at = std::nullopt;
}

/// A tick moves time and settings of a whole partition: the engine's own, without a key, and no other. What `mayfly
/// deadletters` writes carries neither settings nor a covered offset, and one of that source that does is not its.
void refuse_foreign(ClockTick& tick, const Record& record, Text source, std::string_view own_source) {
  if (record.key) {
    refuse(tick, "A clock.tick with a key was ignored: the engine's own have none.");
  } else if (source != own_source && source != deadletters_source) {
    refuse(tick, "A clock.tick was ignored whose source is not this engine.");
  } else if (source != own_source && (tick.settings != nullptr || tick.through != no_offset)) {
    refuse(tick, "A clock.tick with the source of `mayfly deadletters` was ignored: such a one sets nothing.");
  }
}

}  // namespace

bool is_traceparent(std::string_view text) {
  constexpr std::string_view form = "vv-tttttttttttttttttttttttttttttttt-pppppppppppppppp-ff";
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (form[i] == '-' ? c != '-' : !hex) return false;
  }
  const auto all_zero = [](std::string_view id) { return id.find_first_not_of('0') == std::string_view::npos; };
  return !text.starts_with("ff") && !all_zero(text.substr(3, 32)) && !all_zero(text.substr(36, 16));
}

bool is_engine_id(std::string_view id) {
  int numbers = 1;
  bool digit_before = false;
  for (const char c : id) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c != '-' || !digit_before)) return false;
    numbers += digit ? 0 : 1;
    digit_before = digit;
  }
  return digit_before && numbers == 3;
}

struct CommandReader::Parser {
  JsonReader json;

  /// The data, where it is JSON. `why`: what it is instead, where a sentence about that helps; else empty.
  std::optional<JsonValue> data(Text value, bool binary, const Envelope& envelope, std::pmr::memory_resource* arena,
                                Text& why) {
    constexpr Text a_string = "The data is a string: send the object.";
    if (envelope.data != nullptr) {
      if (envelope.data->kind == JsonValue::Kind::string) why = a_string;
      return *envelope.data;
    }
    std::optional<Text> text;
    if (binary) text = value;
    if (const auto* encoded = envelope.data_base64) {
      if (encoded->kind == JsonValue::Kind::string) text = from_base64(encoded->text, arena);
      if (!text) why = "data_base64 is no base64 text.";
    }
    if (!text) return std::nullopt;
    const auto first = text->find_first_not_of(" \t\r\n");
    if (first != Text::npos && (*text)[first] == '"') why = a_string;
    return json.read(*text, arena);
  }
};

CommandReader::CommandReader(std::string_view engine, std::int32_t partition_count, TickSecrets secrets)
    : parser_(std::make_unique<Parser>()),
      fingerprinter_(engine),
      own_source_("/mayfly/" + std::string(engine)),
      secrets_(std::move(secrets)),
      partition_count_(partition_count) {}
CommandReader::~CommandReader() = default;
CommandReader::CommandReader(CommandReader&&) noexcept = default;
CommandReader& CommandReader::operator=(CommandReader&&) noexcept = default;

/// Empty: the source may send it.
std::string_view CommandReader::why_source_refused(const ReadCommand& read, Text source,
                                                   const Settings& current) const {
  const auto type = read.command.type;
  if (source == own_source_) {
    // cart.add_line: a merge of version 1 wrote one for each line.
    const bool of_merge = (is_of_merge(type) || type == CommandType::cart_add_line) && is_engine_id(read.command.id);
    return of_merge ? "" : "It is the engine's own, which sends nothing but the lines of a merge.";
  }
  if (is_of_merge(type)) return "Only the engine itself sends this command.";
  if (is_shop_command(type) || current.reply_sources.empty() || current.reply_sources.match(source)) return {};
  return "It fits none of reply_sources.";
}

ReadResult CommandReader::read(const Record& record, const Settings& current, std::pmr::memory_resource* arena) {
  const auto keep = [arena](std::string text) {
    auto* bytes = static_cast<char*>(arena->allocate(text.size() + 1, 1));
    std::copy(text.begin(), text.end(), bytes);
    return Text{bytes, text.size()};
  };
  const auto mode = mode_of(record);
  const Text value = record.value.value_or(Text{});
  bool too_large = std::ssize(value) > limits::data_bytes;

  // The envelope. A tick is known by its type alone, before everything else.
  Envelope envelope;
  const auto& a = envelope.attributes;
  std::optional<JsonValue> structured;
  if (mode == Mode::binary) {
    set_from_headers(envelope.attributes, record);
  } else if (mode == Mode::structured && !too_large) {
    structured = parser_->json.read(value, arena);
    if (structured && structured->kind != JsonValue::Kind::object) structured.reset();
    if (structured) envelope = from_envelope(*structured);
  }
  const auto type = command_type_from_ce_type(a.type.value_or(Text{}));
  const auto id_fault = fault(a.id);
  const Text id = id_fault.empty() ? *a.id : Text{};
  if (too_large && type == CommandType::cart_merge_offered && a.source == own_source_ && is_engine_id(id)) {
    too_large = std::ssize(value) > limits::offer_bytes;
  }
  const auto unreadable = [&](DeadLetterReason reason, Text about) -> ReadResult {
    return Unreadable{reason, about, type, id, correlation(a.correlation_id, arena), trace(a.traceparent)};
  };
  std::optional<JsonValue> parsed;
  Text why_no_data;
  const auto parse_data = [&] {
    parsed = parser_->data(value, mode == Mode::binary, envelope, arena, why_no_data);
    return parsed && parsed->kind == JsonValue::Kind::object;
  };

  ReadCommand result;
  result.command.type = type.value_or(CommandType::cart_create);
  result.command.id = id;
  result.correlation_id = correlation(a.correlation_id, arena);
  result.traceparent = trace(a.traceparent);
  if (type == CommandType::clock_tick) {
    result.command.data = !too_large && parse_data() ? command_data(*type, *parsed, current, arena) : ClockTick{};
    const Text source = a.source && envelope.fault.empty() ? *a.source : Text{};
    if (auto* tick = std::get_if<ClockTick>(&result.command.data)) {
      tick->own = source == own_source_;
      refuse_foreign(*tick, record, source, own_source_);
      if (tick->refused.empty() && current.tick_secret != 0 &&
          !secrets_.proven(current.tick_secret, a.proof.value_or(Text{}), record.at.partition, source, id, value)) {
        refuse(*tick, "A clock.tick was ignored that has no valid proof.");
      }
    }
    return result;
  }
  if (too_large) return unreadable(DeadLetterReason::too_large, {});
  if (mode == Mode::batch)
    return unreadable(DeadLetterReason::not_cloudevent, "Batches are not taken: one event per record.");
  if (mode == Mode::structured && !structured) {
    return unreadable(DeadLetterReason::not_cloudevent, "The structured event is no JSON object.");
  }
  if (!envelope.fault.empty()) return unreadable(DeadLetterReason::not_cloudevent, envelope.fault);
  if (a.specversion != "1.0") {
    return unreadable(DeadLetterReason::not_cloudevent, why_no_event(record, mode, a, parser_->json, arena));
  }
  const auto type_fault = type ? std::string_view{} : fault(a.type);
  for (const auto& [name, why] : {std::pair{"id", id_fault}, {"source", fault(a.source)}, {"type", type_fault}}) {
    if (why.empty()) continue;
    return unreadable(DeadLetterReason::not_cloudevent, keep(std::string(name) + " " + std::string(why) + "."));
  }
  if (!record.key || !is_cart_id(*record.key)) return unreadable(DeadLetterReason::key_invalid, {});
  if (a.subject && *a.subject != *record.key) return unreadable(DeadLetterReason::subject_mismatch, {});
  if (!type) return unreadable(DeadLetterReason::type_unknown, {});
  if (!parse_data()) return unreadable(DeadLetterReason::json_invalid, why_no_data);
  if (const auto right = partition_of(*record.key, partition_count_); right != record.at.partition) {
    return unreadable(DeadLetterReason::wrong_partition, keep(own_partition(right, partition_count_)));
  }
  if (const auto why = why_source_refused(result, *a.source, current); !why.empty()) {
    return unreadable(DeadLetterReason::source_refused, why);
  }
  result.cart_id = *record.key;
  result.command.data = command_data(*type, *parsed, current, arena);
  if (is_shop_command(*type) && !std::holds_alternative<Invalid>(result.command.data)) {
    result.command.fingerprint = fingerprinter_.of(*a.source, *a.id, *type, result.command.data);
  }
  return result;
}

void append_tick_data(std::string& out, Timestamp at, Offset through, const Settings* settings, const Settings& base) {
  JsonObject json(out);
  const auto time = to_text(at);
  json.text("at", {time.data(), time.size()});
  json.number("through", through);
  if (settings != nullptr) append_settings(json.member("settings"), *settings, base);
  json.close();
}

void append_release_data(std::string& out, Timestamp at, std::string_view cart_id) {
  JsonObject json(out);
  const auto time = to_text(at);
  json.text("at", {time.data(), time.size()});
  json.number("through", no_offset);
  json.text("release", cart_id);
  json.close();
}

}  // namespace mayfly::events
