// Card numbers in a record that could not be read: its bytes may be JSON, broken JSON, or anything.
#include "events/rules/identity.h"
#include "events/text/base64.h"
#include "events/text/number.h"

#include <algorithm>
#include <memory_resource>
#include <string>
#include <vector>

namespace mayfly::events {

namespace {

/// One character of the record: as it is read, and where its bytes are.
struct Unit {
  char plain;
  std::size_t at;
  std::size_t length;
};

constexpr std::size_t unicode_escape_length = 6;  // \u0034
constexpr char other = '?';                       // a character that is neither digit nor gap
constexpr char left_alone = '\0';

Unit unit_at(std::span<const char> bytes, std::size_t at) {
  if (bytes[at] != '\\' || at + 1 == bytes.size()) return {bytes[at], at, 1};
  if (bytes[at + 1] != 'u' || bytes.size() - at < unicode_escape_length) {
    const char next = bytes[at + 1];
    const bool line_end_or_tab = next == 'n' || next == 'r' || next == 't';
    return {next == '/' ? '/' : line_end_or_tab ? ' ' : other, at, 2};
  }
  const auto code = number_in<unsigned>({bytes.data() + at + 2, unicode_escape_length - 2}, 16);
  if (!code) return {other, at, 2};
  const char plain = *code < 0x80 ? static_cast<char>(*code) : plain_digit_or_gap(*code);
  return {plain != '\0' ? plain : other, at, unicode_escape_length};
}

bool names_an_id(std::string_view name) {
  return name == "id" || name.ends_with("_id") || name == "subject" || name == "source" || name == "into";
}

/// Follows JSON from unit to unit: whether it is in a string, and of which member.
class Place {
 public:
  /// True if the unit is part of a value that is an id or an amount.
  bool is_id_or_amount(const Unit& unit) {
    const bool quote = unit.plain == '"' && unit.length == 1;
    if (in_string_) {
      if (quote) {
        in_string_ = false;
        return false;
      }
      string_ += unit.plain;
      return names_an_id(member_);
    }
    if (quote) {
      in_string_ = true;
      string_.clear();
    } else if (unit.plain == ':') {
      member_ = string_;
    } else if (std::string_view(",{}[]").find(unit.plain) != std::string_view::npos) {
      member_.clear();
    }
    return names_an_id(member_) || member_.ends_with("_minor");
  }
  [[nodiscard]] bool in_string() const { return in_string_; }
  /// Between the quotation marks of a data_base64; asked after the unit was followed.
  [[nodiscard]] bool in_base64(const Unit& unit) const {
    return in_string_ && member_ == "data_base64" && (unit.plain != '"' || unit.length != 1);
  }

 private:
  bool in_string_ = false;
  std::string string_;  // the one that is being read, or the last
  std::string member_;
};

/// Whether the text, read as base64 whatever else is in it, holds a card number.
bool hides_card_number(std::string_view base64) {
  constexpr std::size_t letters_together = 4;
  std::string letters;
  for (const char c : base64) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (letter) letters += c;
    if (c == '+' || c == '-') letters += '+';
    if (c == '/' || c == '_') letters += '/';
  }
  while (letters.size() % letters_together != 0) letters += 'A';  // zeros, so that the last bytes are seen too
  std::pmr::monotonic_buffer_resource memory;
  std::string bytes(from_base64(letters, &memory).value_or(std::string_view()));
  return mask_card_numbers_in_record(bytes);
}

}  // namespace

bool mask_card_numbers_in_record(std::span<char> bytes) {
  const std::string_view all(bytes.data(), bytes.size());
  const auto first = all.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (all[first] == '{' || all[first] == '[');
  Place place;
  std::string plain;
  std::vector<std::size_t> begins;
  std::vector<bool> outside_strings;
  std::string base64;
  std::vector<std::size_t> base64_bytes;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto unit = unit_at(bytes, at);
    plain += json && place.is_id_or_amount(unit) ? left_alone : unit.plain;
    begins.push_back(at);
    outside_strings.push_back(json && !place.in_string());
    if (json && place.in_base64(unit)) {
      base64 += unit.plain;
      for (std::size_t i = 0; i < unit.length; ++i) base64_bytes.push_back(at + i);
    }
    at += unit.length;
  }
  const bool hidden = !base64.empty() && hides_card_number(base64);
  const std::string before = plain;
  const bool seen = mask_card_numbers(plain);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == before[i]) continue;
    const auto at = begins[i];
    if (bytes[at] == '\\') {
      std::copy_n("002a", 4, bytes.begin() + static_cast<std::ptrdiff_t>(at) + 2);
    } else {
      bytes[at] = outside_strings[i] ? '9' : '*';
    }
  }
  if (hidden) {
    for (const auto at : base64_bytes) bytes[at] = '*';
  }
  return seen || hidden;
}

}  // namespace mayfly::events
