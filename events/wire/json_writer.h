// Appends JSON to a string: just what events, alerts and ticks need. No floating point, no spaces.
#pragma once

#include "events/text/appender.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mayfly::events {

/// Appends `text` in quotes: `"` and `\` escaped, control characters below 0x20 as \b \f \n \r \t or \u00XX, all else
/// as it is, what is no UTF-8 too.
void append_json_string(std::string& out, std::string_view text);

/// JSON piece by piece at the end of a string.
class JsonText : public Appender {
 public:
  using Appender::Appender;
  /// As append_json_string has it.
  void string(std::string_view text);
  /// The same of a text in which nothing needs an escape.
  void plain_string(std::string_view text) {
    make_room(text.size() + 2);
    *at_++ = '"';
    copy(text);
    *at_++ = '"';
  }
  /// `"name":`, after a comma unless it is an object's first.
  void name(std::string_view name, bool first) {
    make_room(name.size() + 4);
    if (!first) *at_++ = ',';
    *at_++ = '"';
    copy(name);
    *at_++ = '"';
    *at_++ = ':';
  }

 private:
  void escaped(std::string_view text);
};

/// Writes one object; members in the order of the calls. Names need no escaping.
class JsonObject {
 public:
  /// Appends it. The string is not to be read before close() or member().
  explicit JsonObject(std::string& out) : own_(std::in_place, out), text_(*own_) { text_.put('{'); }
  /// Writes it next: an object within another value.
  explicit JsonObject(JsonText& text) : text_(text) { text_.put('{'); }
  void close() {
    text_.put('}');
    if (own_) text_.end();
  }

  void text(std::string_view name, std::string_view value) { value_of(name).string(value); }
  /// Left out if empty.
  void text_if(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  /// A text in which nothing needs an escape.
  void plain_text(std::string_view name, std::string_view value) { value_of(name).plain_string(value); }
  void number(std::string_view name, std::int64_t value) { value_of(name).put_digits(value); }
  void boolean(std::string_view name, bool value) { value_of(name).put(value ? "true" : "false"); }
  /// `write(JsonText&, item)` writes each item's value.
  template <class List, class Write>
  void array(std::string_view name, const List& list, Write write) {
    auto& text = value_of(name);
    text.put('[');
    bool first = true;
    for (const auto& item : list) {
      if (!std::exchange(first, false)) text.put(',');
      write(text, item);
    }
    text.put(']');
  }
  /// For values that are written by hand: what is written next follows the name.
  JsonText& value_of(std::string_view name) {
    text_.name(name, first_);
    first_ = false;
    return text_;
  }
  /// The same where others append the value to the string.
  std::string& member(std::string_view name) { return value_of(name).end(); }

 private:
  std::optional<JsonText> own_;
  JsonText& text_;
  bool first_ = true;
};

}  // namespace mayfly::events
