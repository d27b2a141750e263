// Appends JSON to a string: just what events, alerts and ticks need. No floating point, no spaces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly::events {

/// Appends `text` in quotes: `"` and `\` escaped, control characters below 0x20 as \b \f \n \r \t or \u00XX, all else
/// as it is. Precondition: UTF-8.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t number);

/// Writes one object; members in the order of the calls. Names need no escaping.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  void text(std::string_view name, std::string_view value) { append_json_string(member(name), value); }
  /// Left out if empty.
  void text_if(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void number(std::string_view name, std::int64_t value) { append_json_number(member(name), value); }
  void boolean(std::string_view name, bool value) { member(name) += value ? "true" : "false"; }
  /// For values that are written by hand: what is appended to the result follows the name.
  std::string& member(std::string_view name);

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace mayfly::events
