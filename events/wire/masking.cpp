// Card numbers are found by issuer, length and Luhn's check digit (ISO/IEC 7812-1, annex B) and never written.
#include "events/rules/identity.h"

#include <algorithm>
#include <string>

namespace mayfly::events {

namespace {

constexpr std::size_t longest = 19;
constexpr std::size_t longest_gap = 3;  // " - "
constexpr char skipped = '\x01';        // a byte that folding leaves of a longer character

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_gap(char c) { return std::string_view(" -./\t\r\n").find(c) != std::string_view::npos; }
bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c); }

/// Numbers that an issuer gives out: the first digits, from and to, and how many digits the whole has.
/// The card networks' published ranges; UATP (1...) and Visa's former 13 digits are left out.
struct Issuer {
  int first, last;
  std::size_t prefix_digits, shortest, longest;
};
constexpr Issuer issuers[] = {
    {4, 4, 1, 16, 19},        // Visa
    {51, 55, 2, 16, 16},      // Mastercard
    {2221, 2720, 4, 16, 16},  // Mastercard
    {34, 34, 2, 15, 15},      // American Express
    {37, 37, 2, 15, 15},      // American Express
    {300, 305, 3, 14, 19},    // Diners Club
    {3095, 3095, 4, 14, 19},  // Diners Club
    {36, 36, 2, 14, 19},      // Diners Club
    {38, 39, 2, 14, 19},      // Diners Club
    {3528, 3589, 4, 16, 19},  // JCB
    {60, 60, 2, 16, 19},      // Discover, RuPay
    {62, 62, 2, 16, 19},      // UnionPay
    {644, 649, 3, 16, 19},    // Discover
    {65, 65, 2, 16, 19},      // Discover, RuPay, Troy, Verve
    {50, 50, 2, 14, 19},      // Maestro, Elo, Verve, RuPay
    {56, 58, 2, 14, 19},      // Maestro
    {63, 63, 2, 14, 19},      // Maestro, InterPayment
    {67, 67, 2, 14, 19},      // Maestro
    {81, 82, 2, 16, 16},      // RuPay
    {2200, 2204, 4, 16, 19},  // Mir
    {8600, 8600, 4, 16, 16},  // UzCard
    {9792, 9792, 4, 16, 16},  // Troy
    {9860, 9860, 4, 16, 16},  // Humo
};

/// The issuer whose range the first four digits lie in; null if nobody's.
const Issuer* issuer_of(int four_digits) {
  constexpr int drop[] = {0, 1000, 100, 10, 1};
  for (const auto& issuer : issuers) {
    const int prefix = four_digits / drop[issuer.prefix_digits];
    if (prefix >= issuer.first && prefix <= issuer.last) return &issuer;
  }
  return nullptr;
}

/// Luhn over digits given from the first to the last: valid() may be asked after each.
class Luhn {
 public:
  void take(char digit) {
    const int value = digit - '0';
    sums_[count_ % 2] += value > 4 ? value * 2 - 9 : value * 2;
    sums_[1 - count_ % 2] += value;
    ++count_;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool valid() const { return sums_[count_ % 2] % 10 == 0; }

 private:
  std::size_t count_ = 0;
  int sums_[2] = {0, 0};  // with every digit at an even place doubled, and at an odd one
};

/// Where the card number that begins here with a group of digits ends: the longest that whole groups make up; `begin`
/// if none does. Looks at no more than 19 digits and the gaps between them.
std::size_t card_end(std::span<const char> text, std::size_t begin) {
  std::size_t end = begin;
  std::size_t gap = 0;
  Luhn luhn;
  int first_four = 0;
  const Issuer* issuer = nullptr;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (c == skipped) continue;
    if (is_gap(c)) {
      if (++gap > longest_gap) break;
      continue;
    }
    if (!is_digit(c) || luhn.count() == longest) break;
    gap = 0;
    luhn.take(c);
    if (luhn.count() <= 4) first_four = first_four * 10 + (c - '0');
    if (luhn.count() == 4 && (issuer = issuer_of(first_four)) == nullptr) break;
    if (issuer == nullptr || luhn.count() < issuer->shortest || luhn.count() > issuer->longest || !luhn.valid())
      continue;
    std::size_t next = at + 1;
    while (next < text.size() && text[next] == skipped) ++next;
    if (next == text.size() || !is_digit(text[next])) end = at + 1;
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

/// The length of what follows "http" or "https" of a URL with a host that has a letter in it, to the first character
/// that no URL has (RFC 3986); or 0.
std::size_t url_at(std::span<const char> text, std::size_t at) {
  constexpr std::string_view mark = "://";
  constexpr std::string_view others = "-._~:/?#[]@!$&'()*+,;=%";
  const std::string_view before(text.data(), at);
  const std::string_view rest(text.data() + at, text.size() - at);
  if (!rest.starts_with(mark) || !(before.ends_with("http") || before.ends_with("https"))) return 0;
  std::size_t length = mark.size();
  bool in_host = true;
  bool letter = false;
  for (; length < rest.size() && (is_alnum(rest[length]) || others.find(rest[length]) != others.npos); ++length) {
    in_host = in_host && (is_alnum(rest[length]) || rest[length] == '.' || rest[length] == '-');
    letter = letter || (in_host && is_alnum(rest[length]) && !is_digit(rest[length]));
    if (!in_host && !letter) return 0;
  }
  return letter ? length : 0;
}

/// Digits and gaps of other scripts as the ASCII ones, each followed by `skipped` for its further bytes; the rest as
/// it is. As long as `text`.
std::string folded(std::string_view text) {
  std::string out(text);
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length == 1 || at + length > text.size()) {
      ++at;
      continue;
    }
    char32_t code = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    if (const char plain = plain_digit_or_gap(code); plain != '\0') {
      out[at] = plain;
      std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at) + 1, length - 1, skipped);
    }
    at += length;
  }
  return out;
}

/// Masks what has no characters beyond ASCII, or was folded.
bool mask_plain(std::span<char> text) {
  bool masked = false;
  for (std::size_t at = 0; at < text.size();) {
    if (const auto left_alone = std::max(uuid_at(text, at), url_at(text, at)); left_alone > 0) {
      at += left_alone;
      continue;
    }
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    if (const auto end = card_end(text, at); end > at) {
      std::replace_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end),
                      is_digit, '*');
      masked = true;
      at = end;
    }
    while (at < text.size() && (is_digit(text[at]) || text[at] == skipped)) ++at;  // a group is whole or nothing
  }
  return masked;
}

}  // namespace

char plain_digit_or_gap(char32_t code) {
  constexpr char32_t zeros[] = {0x660,  0x6F0,  0x7C0,  0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,
                                0xBE6,  0xC66,  0xCE6,  0xD66,   0xE50,   0xED0,   0xF20,   0x1040,
                                0x17E0, 0x1810, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6};
  for (const auto zero : zeros) {
    if (code >= zero && code < zero + 10) return static_cast<char>('0' + (code - zero));
  }
  const bool space = code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200D) || code == 0x2028 ||
                     code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x2060 || code == 0x3000 ||
                     code == 0xFEFF || code == 0x85;
  const bool dash = code == 0xAD || (code >= 0x2010 && code <= 0x2015) || code == 0x2212 || code == 0xFE58 ||
                    code == 0xFE63 || code == 0xFF0D;
  const bool dot_or_slash =
      code == 0xB7 || code == 0x2022 || code == 0x2044 || code == 0x2215 || code == 0xFF0E || code == 0xFF0F;
  return space || dash || dot_or_slash ? ' ' : '\0';
}

bool is_card_number(std::string_view text) {
  Luhn luhn;
  bool plain = true;
  for (const char c : text) {
    if (is_digit(c)) luhn.take(c);
    plain = plain && (is_digit(c) || c == ' ' || c == '-');
  }
  if (plain) return luhn.count() >= 13 && luhn.count() <= longest && luhn.valid();
  std::string masked(text);
  if (!may_hold_card_number(text) || !mask_card_numbers(masked)) return false;
  constexpr std::string_view gaps = " -./\t\r\n*";
  const auto left = folded(masked);
  return std::all_of(left.begin(), left.end(), [&](char c) { return c == skipped || gaps.find(c) != gaps.npos; });
}

bool may_hold_card_number(std::string_view text) {
  const auto may_be_one = [](char c) { return is_digit(c) || static_cast<unsigned char>(c) >= 0xC0; };
  return std::count_if(text.begin(), text.end(), may_be_one) >= 14;
}

bool mask_card_numbers(std::span<char> text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return mask_plain(text);
  auto plain = folded({text.data(), text.size()});
  const auto before = plain;
  if (!mask_plain(plain)) return false;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == before[i]) continue;
    text[i] = '*';
    for (std::size_t more = i + 1; more < plain.size() && plain[more] == skipped; ++more) text[more] = '*';
  }
  return true;
}

}  // namespace mayfly::events
