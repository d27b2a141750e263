#include "tools/records/record_text.h"

#include "events/state/snapshot.h"
#include "events/text/base64.h"
#include "events/wire/json_writer.h"
#include "tools/console/parsed_json.h"
#include "tools/console/text.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace mayfly::tools {

namespace {

constexpr std::size_t shown_data_columns = 160;
constexpr std::size_t shown_key_columns = 40;

std::string data_text(const events::Record& record, events::Stream stream, TextWidth width) {
  if (!record.value) return "tombstone";
  if (stream == events::Stream::state) return std::to_string(record.value->size()) + " bytes";
  const auto text = printable(*record.value);
  return width == TextWidth::whole ? text : shortened(text, shown_data_columns);
}

}  // namespace

std::string_view header(const events::Record& record, std::string_view name) {
  for (const auto& h : record.headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

std::string_view short_type(const events::Record& record) {
  auto type = header(record, "ce_type");
  constexpr std::string_view prefix = "dev.mayfly.";
  if (type.starts_with(prefix)) type.remove_prefix(prefix.size());
  if (type.ends_with(".v1")) type.remove_suffix(3);
  return type;
}

std::string as_ndjson(const events::Record& record) {
  std::string out;
  events::JsonObject json(out);
  json.number("partition", record.at.partition);
  json.number("offset", record.at.offset);
  if (record.key) json.text("key", printable(*record.key));
  json.text("append_time", time_text(record.append_time));
  events::JsonObject headers(json.member("headers"));
  for (const auto& h : record.headers) {
    std::string name;
    events::append_json_string(name, printable(h.name));
    headers.text(std::string_view(name).substr(1, name.size() - 2), printable(h.value));
  }
  headers.close();
  if (record.value) {
    const auto data = parsed_json(*record.value);
    if (data.is_discarded()) {
      json.text("data_base64", events::to_base64(*record.value));
    } else {
      json.member("data") += data.dump();  // one line, whatever it was
    }
  }
  json.close();
  return out;
}

std::string as_line(const events::Record& record, events::Stream stream, TextWidth width) {
  char begin[80];
  auto key = printable(record.key.value_or(events::Bytes{"-"}));
  if (width == TextWidth::terminal) key = shortened(key, shown_key_columns);
  const auto where = std::to_string(record.at.partition) + ":" + std::to_string(record.at.offset);
  std::snprintf(begin, sizeof begin, "%s %10s  ", time_text(record.append_time).c_str(), where.c_str());
  char sequence[16];
  std::snprintf(sequence, sizeof sequence, " %4.8s  ", printable(header(record, "ce_sequence")).c_str());
  return begin + padded(key, 24) + sequence + padded(printable(short_type(record)), 33) + " " +
         data_text(record, stream, width);
}

}  // namespace mayfly::tools
