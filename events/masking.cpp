// Card numbers are found by length and Luhn's check digit (ISO/IEC 7812-1, annex B) and never written.
#include "events/identity.h"

#include <algorithm>

namespace mayfly::events {

namespace {

constexpr std::size_t shortest = 13;
constexpr std::size_t longest = 19;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_gap(char c) { return c == ' ' || c == '-'; }
bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c); }

/// Luhn over digits given from the last to the first.
class Luhn {
 public:
  void take(char digit) {
    int value = digit - '0';
    if (count_++ % 2 == 1) value = value > 4 ? value * 2 - 9 : value * 2;
    sum_ += value;
  }
  [[nodiscard]] bool valid() const { return count_ >= shortest && count_ <= longest && sum_ % 10 == 0; }

 private:
  std::size_t count_ = 0;
  int sum_ = 0;
};

bool luhn_valid(std::string_view digits_and_gaps) {
  Luhn luhn;
  for (std::size_t i = digits_and_gaps.size(); i-- > 0;) {
    if (is_digit(digits_and_gaps[i])) luhn.take(digits_and_gaps[i]);
  }
  return luhn.valid();
}

/// Where the run of digits that begins here ends: digits with single gaps between them.
std::size_t run_end(std::span<const char> text, std::size_t begin) {
  std::size_t end = begin;
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      end = at + 1;
    } else if (!is_gap(text[at]) || at + 1 == text.size() || !is_digit(text[at + 1])) {
      break;
    }
  }
  return end;
}

/// The length of a UUID that begins here and is no part of a longer word; 0 if none does.
std::size_t uuid_at(std::span<const char> text, std::size_t at) {
  constexpr std::size_t length = 36;
  if (text.size() - at < length || (at > 0 && is_alnum(text[at - 1]))) return 0;
  for (std::size_t i = 0; i < length; ++i) {
    const char c = text[at + i];
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (hyphen ? c != '-' : !hex) return 0;
  }
  return at + length < text.size() && is_alnum(text[at + length]) ? 0 : length;
}

/// The length of what follows a URL's scheme, from "://" to the first character that no URL has (RFC 3986); or 0.
std::size_t url_at(std::span<const char> text, std::size_t at) {
  constexpr std::string_view mark = "://";
  constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
  const std::string_view rest(text.data() + at, text.size() - at);
  if (at == 0 || !is_alnum(text[at - 1]) || !rest.starts_with(mark)) return 0;
  std::size_t length = mark.size();
  while (length < rest.size() && (is_alnum(rest[length]) || others.find(rest[length]) != others.npos)) ++length;
  return length;
}

/// Masks the card numbers that whole digit groups of a run make up.
bool mask_run(std::span<char> run) {
  const auto starts = [&](std::size_t at) { return is_digit(run[at]) && (at == 0 || is_gap(run[at - 1])); };
  const auto ends = [&](std::size_t at) { return at == run.size() || is_gap(run[at]); };
  bool masked = false;
  for (std::size_t begin = 0; begin + shortest <= run.size(); ++begin) {
    if (!starts(begin)) continue;
    for (std::size_t end = std::min(run.size(), begin + 2 * longest); end >= begin + shortest; --end) {
      if (!ends(end) || !luhn_valid({run.data() + begin, end - begin})) continue;
      for (std::size_t at = begin; at < end; ++at) {
        if (is_digit(run[at])) run[at] = '*';
      }
      masked = true;
      begin = end;
      break;
    }
  }
  return masked;
}

}  // namespace

bool is_card_number(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c) && !is_gap(c)) return false;
  }
  return luhn_valid(text);
}

bool may_hold_card_number(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit)) >= shortest;
}

bool mask_card_numbers(std::span<char> text) {
  bool masked = false;
  for (std::size_t at = 0; at < text.size();) {
    if (const auto left_alone = std::max(uuid_at(text, at), url_at(text, at)); left_alone > 0) {
      at += left_alone;
    } else if (is_digit(text[at])) {
      const auto end = run_end(text, at);
      masked = mask_run(text.subspan(at, end - at)) || masked;
      at = end;
    } else {
      ++at;
    }
  }
  return masked;
}

}  // namespace mayfly::events
