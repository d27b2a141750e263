#include "events/wire/json_writer.h"

#include "events/text/eight_bytes.h"

#include <cstring>

namespace mayfly::events {

namespace {

bool needs_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

/// How many bytes, from the first on, need no escape; copies those.
std::size_t copy_unescaped(char* to, std::string_view text) {
  std::size_t at = 0;
  for (; at + EightBytes::size <= text.size(); at += EightBytes::size) {
    if (EightBytes(text, at).any_needs_json_escape()) break;
    std::memcpy(to + at, text.data() + at, EightBytes::size);
  }
  for (; at < text.size() && !needs_escape(text[at]); ++at) to[at] = text[at];
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
  JsonText end(out);
  end.string(text);
  end.end();
}

void JsonText::string(std::string_view text) {
  make_room(text.size() + 2);
  *at_++ = '"';
  const auto copied = copy_unescaped(at_, text);
  at_ += copied;
  if (copied < text.size()) escaped(text.substr(copied));
  put('"');
}

/// A text whose first byte needs an escape.
void JsonText::escaped(std::string_view text) {
  while (!text.empty()) {
    append_escape(end(), text[0]);
    text.remove_prefix(1);
    make_room(text.size());
    const auto copied = copy_unescaped(at_, text);
    at_ += copied;
    text.remove_prefix(copied);
  }
}

}  // namespace mayfly::events
