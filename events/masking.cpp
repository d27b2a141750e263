// Card numbers are found by length and Luhn's check digit (ISO/IEC 7812-1, annex B) and never written.
#include "events/identity.h"

#include <algorithm>

namespace mayfly::events {

namespace {

constexpr std::size_t shortest = 13;
constexpr std::size_t longest = 19;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_gap(char c) { return c == ' ' || c == '-'; }
/// What makes a digit group part of a word: an id, a UUID, a URL.
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/' ||
         static_cast<unsigned char>(c) >= 0x80;
}

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

/// A JSON member's number is an amount or a count, not text: `"name": 4111...`.
bool is_member_value(std::span<const char> text, std::size_t begin) {
  const auto before = [&](std::size_t at) {
    while (at > 0 && text[at - 1] == ' ') --at;
    return at;
  };
  const auto colon = before(begin);
  if (colon == 0 || text[colon - 1] != ':') return false;
  const auto quote = before(colon - 1);
  return quote > 0 && text[quote - 1] == '"';
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

bool mask_card_numbers(std::span<char> text) {
  bool masked = false;
  for (std::size_t begin = 0; begin < text.size();) {
    if (!is_digit(text[begin])) {
      ++begin;
      continue;
    }
    const auto end = run_end(text, begin);
    const bool in_word = (begin > 0 && (is_word(text[begin - 1]) || text[begin - 1] == '-')) ||
                         (end < text.size() && is_word(text[end]));
    if (!in_word && !is_member_value(text, begin)) masked = mask_run(text.subspan(begin, end - begin)) || masked;
    begin = end;
  }
  return masked;
}

}  // namespace mayfly::events
