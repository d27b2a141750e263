#include "tools/console/printable.h"

#include "events/text/utf8.h"

#include <locale.h>

#include <cstdint>
#include <cstdio>
#include <cwchar>

namespace mayfly::tools {

namespace {

bool steers(std::uint32_t point) {
  const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
  const bool line_or_direction = (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
                                 point == 0x200e || point == 0x200f || point == 0x061c;
  return control || line_or_direction;
}

void append_escaped(std::string& out, const char* format, std::uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof text, format, value);
  out += text;
}

/// Cheap to see of most texts: nothing in it is to be escaped.
bool surely_harmless(std::string_view bytes) {
  return events::is_plain_text(bytes) && bytes.find('\xe2') == std::string_view::npos &&
         bytes.find('\xd8') == std::string_view::npos;
}

std::string escaped(std::string_view bytes, bool with_lines) {
  if (surely_harmless(bytes)) return std::string(bytes);
  std::string out;
  while (!bytes.empty()) {
    auto rest = bytes;
    const auto point = events::take_code_point(rest);
    if (point == events::malformed) {
      append_escaped(out, "\\x%02x", static_cast<unsigned char>(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    if (!steers(point) || (with_lines && point == '\n')) {
      out += bytes.substr(0, bytes.size() - rest.size());
    } else {
      append_escaped(out, point < 0x80 ? "\\x%02x" : "\\u%04x", point);
    }
    bytes = rest;
  }
  return out;
}

/// The widths of characters are the locale's; C.UTF-8 is everywhere.
class Widths {
 public:
  Widths() : utf8_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (utf8_ != nullptr) before_ = ::uselocale(utf8_);
  }
  ~Widths() {
    if (utf8_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(utf8_);
  }
  Widths(const Widths&) = delete;
  Widths& operator=(const Widths&) = delete;
  [[nodiscard]] std::size_t of(std::uint32_t point) const {
    const int width = utf8_ == nullptr ? 1 : ::wcwidth(static_cast<wchar_t>(point));
    return width < 0 ? 1 : static_cast<std::size_t>(width);
  }

 private:
  locale_t utf8_;
  locale_t before_ = nullptr;
};

}  // namespace

std::string printable(std::string_view bytes) { return escaped(bytes, false); }

std::string printable_lines(std::string_view bytes) { return escaped(bytes, true); }

std::string printable_json(std::string_view json) {
  if (surely_harmless(json)) return std::string(json);
  std::string out;
  while (!json.empty()) {
    auto rest = json;
    const auto point = events::take_code_point(rest);
    if (point == events::malformed) rest = json.substr(1);
    // Below U+0020 JSON has white space only.
    if (point != events::malformed && point >= 0x20 && steers(point)) {
      append_escaped(out, "\\u%04x", point);
    } else {
      out += json.substr(0, json.size() - rest.size());
    }
    json = rest;
  }
  return out;
}

std::size_t columns(std::string_view printable) {
  const Widths widths;
  std::size_t sum = 0;
  while (!printable.empty()) {
    const auto point = events::take_code_point(printable);
    if (point == events::malformed) return sum;
    sum += widths.of(point);
  }
  return sum;
}

std::string padded(std::string_view printable, std::size_t to_columns) {
  std::string text(printable);
  const auto taken = columns(printable);
  if (taken < to_columns) text.append(to_columns - taken, ' ');
  return text;
}

std::string shortened(std::string_view printable, std::size_t most_columns) {
  if (printable.size() <= most_columns || columns(printable) <= most_columns) return std::string(printable);
  constexpr std::string_view more = "...";
  const Widths widths;
  std::size_t sum = 0;
  for (auto rest = printable; !rest.empty();) {
    const auto kept = printable.size() - rest.size();
    const auto point = events::take_code_point(rest);
    sum += point == events::malformed ? 1 : widths.of(point);
    if (sum + more.size() > most_columns) return std::string(printable.substr(0, kept)).append(more);
  }
  return std::string(printable);
}

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : printable_lines(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace mayfly::tools
