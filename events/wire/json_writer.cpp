#include "events/wire/json_writer.h"

#include "events/text/eight_bytes.h"

#include <array>
#include <charconv>

namespace mayfly::events {

namespace {

bool needs_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

/// Where the first byte that needs an escape lies, or the end.
std::size_t next_escape(std::string_view text, std::size_t at) {
  for (; at + EightBytes::size <= text.size(); at += EightBytes::size) {
    const EightBytes bytes(text, at);
    if (bytes.any_below(0x20) || bytes.any_equal('"') || bytes.any_equal('\\')) break;
  }
  while (at < text.size() && !needs_escape(text[at])) ++at;
  return at;
}

void append_escape(std::string& out, char c) {
  static constexpr char hex[] = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: out.append("\\u00").append(1, hex[(c >> 4) & 0xf]).append(1, hex[c & 0xf]);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t begin = 0;
  for (std::size_t at = next_escape(text, 0); at < text.size(); at = next_escape(text, begin)) {
    out.append(text.substr(begin, at - begin));
    append_escape(out, text[at]);
    begin = at + 1;
  }
  out.append(text.substr(begin));
  out += '"';
}

void append_json_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

std::string& JsonObject::member(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += '"';
  out_.append(name);
  out_ += "\":";
  return out_;
}

}  // namespace mayfly::events
