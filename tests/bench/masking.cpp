// What looking for card numbers costs a byte, how many numbers that are none it takes for one, and how many it misses
// (docs/benchmarks.md). The numbers are drawn from a fixed seed.
#include "events/rules/identity.h"

#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>

namespace {

using mayfly::events::mask_card_numbers;
using mayfly::events::mask_card_numbers_in_record;

constexpr std::size_t text_bytes = 1'000'000;
constexpr int numbers_of_a_kind = 100'000;
constexpr int cards_of_a_kind = 200;

std::mt19937_64 chance(1);

std::string digits(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>('0' + chance() % 10);
  return out;
}

char check_digit(std::string_view body) {
  int sum = 0;
  bool doubled = true;
  for (std::size_t i = body.size(); i-- > 0; doubled = !doubled) {
    const int value = (body[i] - '0') * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

double ns_per_byte(std::string text, bool (*mask)(std::span<char>)) {
  const auto begun = std::chrono::steady_clock::now();
  mask(text);
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
  return took.count() / static_cast<double>(text.size());
}

void print_costs() {
  std::printf("%-22s %10s %10s   ns per byte\n", "text of", "text", "record");
  for (const std::string_view unit : {"1 ", "4 ", "words of a note ", "4111111111111112 ", "\xEF\xBC\x94 "}) {
    std::string text;
    while (text.size() < text_bytes) text += unit;
    std::printf("%-22s %10.1f %10.1f\n", std::string(unit).c_str(), ns_per_byte(text, mask_card_numbers),
                ns_per_byte(text, mask_card_numbers_in_record));
  }
}

template <class Make>
void print_false_hits(const char* kind, Make make) {
  int masked = 0;
  for (int i = 0; i < numbers_of_a_kind; ++i) {
    std::string text = make();
    masked += mask_card_numbers(text) ? 1 : 0;
  }
  std::printf("%-28s %6d of %d masked\n", kind, masked, numbers_of_a_kind);
}

void print_misses() {
  struct Kind {
    std::string_view prefix;
    int digits;
  };
  constexpr Kind kinds[] = {{"4", 16},    {"4", 19},    {"51", 16},   {"55", 16},  {"2221", 16},
                            {"2720", 16}, {"34", 15},   {"37", 15},   {"36", 14},  {"3528", 16},
                            {"6011", 16}, {"62", 16},   {"62", 19},   {"65", 16},  {"5018", 16},
                            {"6759", 18}, {"2200", 16}, {"8600", 16}, {"9860", 16}};
  constexpr std::string_view gaps[] = {"",    " ",        "  ",           "-",           ".", "/", "\n", "\r\n",
                                       " - ", "\xC2\xA0", "\xE2\x80\x93", "\xE2\x80\xAF"};
  int missed = 0;
  int all = 0;
  for (const auto& kind : kinds) {
    for (const auto gap : gaps) {
      for (int i = 0; i < cards_of_a_kind; ++i, ++all) {
        std::string number = std::string(kind.prefix) + digits(kind.digits - 1 - static_cast<int>(kind.prefix.size()));
        number += check_digit(number);
        std::string text = "card ";
        for (std::size_t at = 0; at < number.size(); ++at) {
          if (at > 0 && at % 4 == 0) text += gap;
          text += number[at];
        }
        missed += mask_card_numbers(text) ? 0 : 1;
      }
    }
  }
  std::printf("%-28s %6d of %d missed\n", "card numbers", missed, all);
}

}  // namespace

int main() {
  print_costs();
  const auto between = [](std::uint64_t from, std::uint64_t count) { return std::to_string(from + chance() % count); };
  print_false_hits("EAN-13", [] { return "Tea " + digits(13); });
  print_false_hits("epoch milliseconds", [&] { return between(1'600'000'000'000, 200'000'000'000); });
  print_false_hits("epoch microseconds", [&] { return between(1'600'000'000'000'000, 200'000'000'000'000); });
  print_false_hits("telephone numbers",
                   [&] { return "+" + between(1, 98) + " " + digits(3) + " " + digits(3) + " " + digits(4); });
  print_false_hits("order numbers, 10 digits", [] { return "order " + digits(10); });
  print_false_hits("16 digits by chance", [] { return "order " + digits(16); });
  print_misses();
}
