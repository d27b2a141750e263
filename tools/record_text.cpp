#include "tools/record_text.h"

#include "events/json_writer.h"
#include "events/snapshot.h"
#include "events/utf8.h"
#include "tools/text.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace mayfly::tools {

namespace {

constexpr std::size_t shown_data_bytes = 160;

std::string base64(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) { return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U; };
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += digits[group >> 18];
    out += digits[group >> 12 & 63];
    out += i + 1 < bytes.size() ? digits[group >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? digits[group & 63] : '=';
  }
  return out;
}

std::string short_data(const events::Record& record, events::Stream stream) {
  if (!record.value) return "tombstone";
  if (stream == events::Stream::state) return std::to_string(record.value->size()) + " bytes";
  auto text = printable(record.value->substr(0, shown_data_bytes));
  return record.value->size() > shown_data_bytes ? text + " ..." : text;
}

}  // namespace

std::string printable(std::string_view bytes) {
  if (events::is_plain_text(bytes)) return std::string(bytes);
  std::string out;
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f) {
      out += c;
    } else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += hex;
    }
  }
  return out;
}

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
  if (record.value && nlohmann::json::accept(*record.value)) {
    const auto compact = nlohmann::json::parse(*record.value).dump();  // one line, whatever it was
    json.member("data") += compact;
  } else if (record.value) {
    json.text("data_base64", base64(*record.value));
  }
  json.close();
  return out;
}

std::string as_line(const events::Record& record, events::Stream stream) {
  char begin[160];
  const auto key = printable(record.key.value_or(events::Bytes{"-"}));
  const auto sequence = header(record, "ce_sequence");
  const auto where = std::to_string(record.at.partition) + ":" + std::to_string(record.at.offset);
  std::snprintf(begin, sizeof begin, "%s %10s  %-24.40s %4.8s  ", time_text(record.append_time).c_str(), where.c_str(),
                key.c_str(), std::string(sequence).c_str());
  std::string line = begin;
  std::string type(short_type(record));
  if (type.size() < 33) type.resize(33, ' ');
  return line + type + " " + short_data(record, stream);
}

}  // namespace mayfly::tools
