// What looking for card numbers costs a byte, how many numbers that are none it takes for one, and how many it misses
// (docs/benchmarks.md, docs/security.md). The numbers are drawn from a fixed seed. Usage: masking [FILE ...]: texts
// without any.
#include "events/rules/identity.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
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

/// Of each form: numbers of every network, in a text and in a record's bytes.
void print_misses() {
  struct Kind {
    std::string_view prefix;
    int digits;
  };
  constexpr Kind kinds[] = {{"4", 16},    {"4", 19},    {"51", 16},   {"55", 16},  {"2221", 16},
                            {"2720", 16}, {"34", 15},   {"37", 15},   {"36", 14},  {"3528", 16},
                            {"6011", 16}, {"62", 16},   {"62", 19},   {"65", 16},  {"5018", 16},
                            {"6759", 18}, {"2200", 16}, {"8600", 16}, {"9860", 16}};
  struct Form {
    std::string_view name, gap;
  };
  constexpr Form forms[] = {{"no gap", ""},
                            {"a space", " "},
                            {"two spaces", "  "},
                            {"a dash", "-"},
                            {"a dot", "."},
                            {"a slash", "/"},
                            {"a line end", "\n"},
                            {"CR and LF", "\r\n"},
                            {"a dash with spaces", " - "},
                            {"NBSP", "\xC2\xA0"},
                            {"an en dash", "\xE2\x80\x93"},
                            {"a narrow NBSP", "\xE2\x80\xAF"}};
  std::printf("%-28s %8s %8s of %zu missed\n", "card numbers, groups with", "text", "record",
              std::size(kinds) * cards_of_a_kind);
  for (const auto& form : forms) {
    int missed = 0;
    int missed_in_record = 0;
    for (const auto& kind : kinds) {
      for (int i = 0; i < cards_of_a_kind; ++i) {
        std::string number = std::string(kind.prefix) + digits(kind.digits - 1 - static_cast<int>(kind.prefix.size()));
        number += check_digit(number);
        std::string text = "card ";
        for (std::size_t at = 0; at < number.size(); ++at) {
          if (at > 0 && at % 4 == 0) text += form.gap;
          text += number[at];
        }
        std::string record = text;
        missed += mask_card_numbers(text) ? 0 : 1;
        missed_in_record += mask_card_numbers_in_record(record) ? 0 : 1;
      }
    }
    std::printf("%-28s %8d %8d\n", std::string(form.name).c_str(), missed, missed_in_record);
  }
}

/// Lines of a text that has no card number in it.
void print_hits_in(const char* path) {
  std::ifstream in(path);
  int lines = 0;
  int masked = 0;
  for (std::string line; std::getline(in, line); ++lines) masked += mask_card_numbers(line) ? 1 : 0;
  std::printf("%-28s %6d of %d lines masked\n", path, masked, lines);
}

}  // namespace

int main(int argc, char** argv) {
  print_costs();
  const auto between = [](std::uint64_t from, std::uint64_t count) { return std::to_string(from + chance() % count); };
  print_false_hits("EAN-13", [] { return "Tea " + digits(13); });
  print_false_hits("epoch milliseconds", [&] { return between(1'600'000'000'000, 200'000'000'000); });
  print_false_hits("epoch microseconds", [&] { return between(1'600'000'000'000'000, 200'000'000'000'000); });
  print_false_hits("telephone numbers",
                   [&] { return "+" + between(1, 98) + " " + digits(3) + " " + digits(3) + " " + digits(4); });
  print_false_hits("order numbers, 10 digits", [] { return "order " + digits(10); });
  print_false_hits("order numbers, 14 digits", [&] { return "order 20" + between(20, 7) + digits(10); });
  print_false_hits("UUIDs", [] {
    std::string id;
    for (const int part : {8, 4, 4, 4, 12}) {
      if (!id.empty()) id += '-';
      for (int i = 0; i < part; ++i) id += "0123456789abcdef"[chance() % 16];
    }
    return id;
  });
  print_false_hits("16 digits by chance", [] { return "order " + digits(16); });
  print_misses();
  for (int i = 1; i < argc; ++i) print_hits_in(argv[i]);
}
