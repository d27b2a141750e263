#include "tools/deadletters/dead_letter.h"

#include "events/log/dead_letter_limits.h"
#include "events/rules/identity.h"
#include "events/wire/cloudevent.h"
#include "events/wire/cloudevent_headers.h"
#include "events/wire/json_writer.h"
#include "tools/console/numbers.h"
#include "tools/console/text.h"
#include "tools/records/command_writer.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace mayfly::tools {

namespace {

/// As actors/partition/record_writer.cpp adds them.
constexpr std::array<std::string_view, 7> engine_headers = {"mayfly.topic",     "mayfly.partition", "mayfly.offset",
                                                            "mayfly.timestamp", "mayfly.reason",    "mayfly.message",
                                                            "mayfly.attempts"};
constexpr std::array<std::string_view, 3> mark_names = {"retry_begun", "retried", "dropped"};
constexpr std::string_view mark_prefix = "dev.mayfly.dead_letter.";

/// The last headers of a dead letter before the engine's, if they say that it was cut.
std::span<const events::Header> cut_headers_of(std::span<const events::Header> own) {
  if (own.size() < events::cut_headers.size()) return {};
  const auto last = own.last(events::cut_headers.size());
  const bool cut = std::equal(last.begin(), last.end(), events::cut_headers.begin(),
                              [](const events::Header& h, std::string_view name) { return h.name == name; });
  return cut ? last : std::span<const events::Header>{};
}

}  // namespace

std::optional<DeadLetter> read_dead_letter(const events::Record& record) {
  if (record.headers.size() < engine_headers.size()) return std::nullopt;
  const auto own = record.headers.first(record.headers.size() - engine_headers.size());
  const auto said = record.headers.subspan(own.size());
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (said[i].name != engine_headers[i]) return std::nullopt;
  }
  const auto partition = number_from_text(said[1].value);
  const auto offset = number_from_text(said[2].value);
  const auto time = number_from_text(said[3].value);
  if (!partition || !offset || !time) return std::nullopt;
  const auto cut = cut_headers_of(own);
  return DeadLetter{said[4].value,
                    said[5].value,
                    said[6].value,
                    {static_cast<events::Partition>(*partition), *offset},
                    {*time},
                    own.first(own.size() - cut.size()),
                    cut};
}

std::string_view why_not_sent_again(const DeadLetter& letter) {
  const auto type = std::find_if(letter.headers.begin(), letter.headers.end(),
                                 [](const events::Header& h) { return h.name == "ce_type"; });
  if (type != letter.headers.end() && type->value == events::ce_type(events::CommandType::clock_tick))
    return "a deadline: the cart's wait has begun again by itself";
  if (letter.reason == events::name(events::DeadLetterReason::too_large)) return "too large for any engine";
  if (!letter.cut.empty())
    return "cut: the whole record is among the commands, at the position named; send it from there";
  return {};
}

std::string retry_name(events::Position dead_letter) {
  return std::to_string(dead_letter.partition) + "-" + std::to_string(dead_letter.offset);
}

std::int64_t times_redriven(const DeadLetter& letter) {
  std::int64_t times = 0;
  for (const auto& h : letter.headers) {
    if (h.name == retry_header) times = std::max<std::int64_t>(times, 1);  // of an older program, which did not count
    if (h.name == redriven_header) times = std::max(times, number_from_text(h.value).value_or(0));
  }
  return times;
}

std::string_view name(MarkKind kind) { return mark_names[static_cast<std::size_t>(kind)]; }

std::optional<Mark> read_mark(const events::Record& record) {
  auto type = header(record, "ce_type");
  if (!type.starts_with(mark_prefix) || !type.ends_with(".v1") || read_dead_letter(record)) return std::nullopt;
  type.remove_prefix(mark_prefix.size());
  type.remove_suffix(3);
  const auto* kind = std::find(mark_names.begin(), mark_names.end(), type);
  if (kind == mark_names.end() || !record.value) return std::nullopt;
  const auto data = nlohmann::json::parse(*record.value, nullptr, false);
  const auto is_number = [&](const char* member) { return data.contains(member) && data[member].is_number_integer(); };
  if (!data.is_object() || !is_number("offset")) return std::nullopt;
  Mark mark;
  mark.kind = static_cast<MarkKind>(kind - mark_names.begin());
  mark.of = data["offset"].get<events::Offset>();
  for (const auto& [member, into] :
       {std::pair{"run", &mark.run}, {"by", &mark.handler.by}, {"why", &mark.handler.why}}) {
    if (data.contains(member) && data[member].is_string()) *into = data[member].get<std::string>();
  }
  if (mark.kind == MarkKind::dropped) return mark;
  if (!is_number("command_partition") || !is_number("command_offset")) return std::nullopt;
  mark.to = {data["command_partition"].get<events::Partition>(), data["command_offset"].get<events::Offset>()};
  return mark;
}

OwnedRecord mark_record(const Mark& mark, const events::Record& dead_letter, events::Timestamp now) {
  std::string data;
  events::JsonObject json(data);
  json.number("partition", dead_letter.at.partition);
  json.number("offset", mark.of);
  if (mark.kind != MarkKind::dropped) {
    json.number("command_partition", mark.to.partition);
    json.number("command_offset", mark.to.offset);
  }
  json.text("run", mark.run);
  json.text_if("by", mark.handler.by);
  json.text_if("why", mark.handler.why);
  json.close();
  OwnedRecord out;
  out.bytes = {std::string(mark_prefix) + std::string(name(mark.kind)) + ".v1", new_id(), time_text(now),
               std::move(data), std::string(dead_letter.key.value_or(events::Bytes{}))};
  const events::CloudEventHeaders event{
      .id = out.bytes[1], .source = events::deadletters_source, .type = out.bytes[0], .time = out.bytes[2]};
  out.headers = event.list();
  const bool keyed = dead_letter.key && events::is_cart_id(*dead_letter.key);
  if (keyed) out.headers.push_back({"ce_subject", out.bytes[4]});
  out.record = {events::Stream::deadletters, dead_letter.at.partition, std::nullopt, out.bytes[3], out.headers};
  if (dead_letter.key) out.record.key = out.bytes[4];
  return out;
}

OwnedRecord tick_record(events::Partition partition, std::string_view release, events::Timestamp now,
                        const events::TickSecret* secret) {
  std::string data;
  if (release.empty()) {
    events::append_tick_data(data, now, events::no_offset, nullptr, {});
  } else {
    events::append_release_data(data, now, release);
  }
  OwnedRecord out;
  out.bytes.reserve(3);  // headers view them
  out.bytes.push_back(new_id());
  out.bytes.push_back(std::move(data));
  const events::CloudEventHeaders event{.id = out.bytes[0],
                                        .source = events::deadletters_source,
                                        .type = events::ce_type(events::CommandType::clock_tick)};
  out.headers = event.list();
  if (secret != nullptr) {
    const auto proof = secret->proof(partition, events::deadletters_source, out.bytes[0], out.bytes[1]);
    out.bytes.emplace_back(proof.begin(), proof.end());
    out.headers.push_back({events::proof_header, out.bytes[2]});
  }
  out.record = {events::Stream::commands, partition, std::nullopt, out.bytes[1], out.headers};
  return out;
}

}  // namespace mayfly::tools
