#include "tools/deadletters/dead_letter_text.h"

#include "events/wire/json_writer.h"
#include "tools/console/text.h"
#include "tools/records/record_text.h"

#include <cstdio>

namespace mayfly::tools {

namespace {

std::string place(events::Position at) { return std::to_string(at.partition) + ":" + std::to_string(at.offset); }

std::string fate_text(const Fate& fate) {
  std::string text(name(fate.kind));
  if (fate.kind == Fate::Kind::retried) text += " as " + place(fate.to);
  return text;
}

/// "by ann@shop1, price feed mended"; empty if nobody said.
std::string handler_text(const Fate& fate) {
  if (fate.handler == nullptr || (fate.handler->by.empty() && fate.handler->why.empty())) return {};
  std::string text = "by " + (fate.handler->by.empty() ? std::string("somebody") : printable(fate.handler->by));
  if (!fate.handler->why.empty()) text += ": " + printable(fate.handler->why);
  return text;
}

std::string key_of(const Found& found) { return printable(found.record.key.value_or(events::Bytes{"-"})); }

std::string type_of(const Found& found) { return printable(short_type(found.record)); }

void append_row(std::string& out, std::string_view name, std::string_view value) {
  out.append("  ").append(name).append(name.size() < 12 ? 12 - name.size() : 1, ' ').append(value).append("\n");
}

}  // namespace

std::string as_line(const Found& found) {
  char begin[80];
  std::snprintf(begin, sizeof begin, "%10s  %s  ", place(found.record.at).c_str(),
                time_text(found.record.append_time).c_str());
  return begin + padded(printable(found.letter.reason), 16) + " " + padded(type_of(found), 24) + " " + key_of(found) +
         "  command " + place(found.letter.command) + "  " + fate_text(found.fate) +
         (handler_text(found.fate).empty() ? "" : " " + handler_text(found.fate));
}

std::string as_page(const Found& found) {
  std::string out = "dead letter " + place(found.record.at) + ": " + fate_text(found.fate) + "\n";
  if (found.fate.handler != nullptr) {
    append_row(out, "handled", time_text(found.fate.at) + " " + handler_text(found.fate));
  }
  if (const auto times = times_redriven(found.letter); times > 0) {
    append_row(out, "sent again", std::to_string(times) + (times == 1 ? " time before" : " times before"));
  }
  append_row(out, "key", key_of(found));
  append_row(out, "type", type_of(found));
  append_row(out, "reason", printable(found.letter.reason));
  append_row(out, "why", printable(found.letter.message));
  append_row(out, "attempts", printable(found.letter.attempts));
  append_row(out, "since", time_text(found.record.append_time));
  append_row(out, "command", place(found.letter.command) + " of " + time_text(found.letter.command_time));
  if (const auto why = why_not_sent_again(found.letter); !why.empty())
    append_row(out, "retry", "no: " + std::string(why));
  for (const auto& h : found.letter.cut) append_row(out, "cut, had", printable(h.name) + ": " + printable(h.value));
  for (const auto& h : found.letter.headers) append_row(out, "header", printable(h.name) + ": " + printable(h.value));
  append_row(out, "data", found.record.value ? printable(*found.record.value) : "none");
  return out;
}

std::string as_ndjson(const Found& found, bool whole) {
  std::string out;
  events::JsonObject json(out);
  json.number("partition", found.record.at.partition);
  json.number("offset", found.record.at.offset);
  json.text("time", time_text(found.record.append_time));
  if (found.record.key) json.text("key", printable(*found.record.key));
  json.text_if("type", type_of(found));
  json.text("reason", printable(found.letter.reason));
  json.text("message", printable(found.letter.message));
  json.text("attempts", printable(found.letter.attempts));
  json.number("command_partition", found.letter.command.partition);
  json.number("command_offset", found.letter.command.offset);
  json.text("command_time", time_text(found.letter.command_time));
  json.text("state", name(found.fate.kind));
  if (found.fate.kind == Fate::Kind::retried) {
    json.number("retried_partition", found.fate.to.partition);
    json.number("retried_offset", found.fate.to.offset);
  }
  json.number("redriven", times_redriven(found.letter));
  if (found.fate.handler != nullptr) {
    json.text("handled", time_text(found.fate.at));
    json.text_if("by", printable(found.fate.handler->by));
    json.text_if("why", printable(found.fate.handler->why));
  }
  if (whole) json.member("record") += as_ndjson(found.record);
  json.close();
  return out;
}

std::string as_line(const Found& found, const DryOutcome& outcome) {
  auto line = padded(place(found.record.at), 10) + " " + padded(printable(found.letter.reason), 16) + " " +
              padded(type_of(found), 24) + " " + key_of(found) + "  ";
  line += outcome.left_out ? "left out: " + outcome.outcome : outcome.outcome;
  if (!outcome.rule.empty()) line.append(" (").append(outcome.rule).append(")");
  for (std::size_t i = 0; i < outcome.events.size(); ++i) line.append(i == 0 ? ": " : ", ").append(outcome.events[i]);
  return line;
}

std::string as_ndjson(const Found& found, const DryOutcome& outcome) {
  std::string out;
  events::JsonObject json(out);
  json.number("partition", found.record.at.partition);
  json.number("offset", found.record.at.offset);
  if (found.record.key) json.text("key", printable(*found.record.key));
  json.text_if("type", type_of(found));
  json.text("reason", printable(found.letter.reason));
  json.number("redriven", times_redriven(found.letter));
  json.text(outcome.left_out ? "left_out" : "outcome", outcome.outcome);
  json.text_if("rule", outcome.rule);
  auto& types = json.member("events");
  types += '[';
  for (std::size_t i = 0; i < outcome.events.size(); ++i) {
    if (i > 0) types += ',';
    events::append_json_string(types, outcome.events[i]);
  }
  types += ']';
  json.close();
  return out;
}

}  // namespace mayfly::tools
