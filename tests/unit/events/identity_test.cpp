#include "events/rules/identity.h"

#include "events/rules/money.h"
#include "events/text/event_id.h"
#include "events/text/time_text.h"
#include "unit/events/shared_data.h"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <sstream>
#include <string>

using namespace mayfly;
using namespace mayfly::events;

TEST_CASE("an idempotency key is the page's test vector, and another one for another amount") {
  const auto key = [](Minor amount) {
    const auto k = idempotency_key("shop", "c1", {0, 42}, "payment.capture_requested", 1, amount);
    return std::string(k.data(), k.size());
  };
  CHECK(key(1999) == "ea12ba87-2ee5-52b1-b4e9-d01aafa10e90");
  CHECK(key(1998) != key(1999));
}

TEST_CASE("murmur2 is Kafka's") {
  const struct {
    const char* text;
    std::int32_t hash;
  } rows[] = {{"21", -973932308},
              {"foobar", -790332482},
              {"a-little-bit-long-string", -985981536},
              {"a-little-bit-longer-string", -1486304829},
              {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
              {"abc", 479470107}};
  for (const auto& row : rows) CHECK(murmur2(row.text) == static_cast<std::uint32_t>(row.hash));
}

TEST_CASE("a session's number is read only from its own cart's ids") {
  CHECK(session_number("c1-p1", "c1") == 1);
  CHECK(session_number("c1-p32", "c1") == 32);
  CHECK(session_number("c1-p99999999999", "c1") > 1'000'000);
  for (const auto* id :
       {"", "c1", "c1-p", "c1-p0", "c1-p01", "c1-p-1", "c1-p+1", "c1-p1x", "c1-p 1", "c1-r1", "c2-p1", "c11-p1"}) {
    CAPTURE(id);
    CHECK(session_number(id, "c1") == 0);
  }
  CHECK(reservation_number("c1-r3", "c1") == 3);
}

TEST_CASE("card numbers are masked in free text, near misses and ids are left alone") {
  const struct {
    std::string text;
    std::string masked;
  } rows[] = {
      {"4111111111111111", "****************"},
      {"card 4111 1111 1111 1111, thanks", "card **** **** **** ****, thanks"},
      {"4111-1111-1111-1111 12", "****-****-****-**** 12"},
      {"378282246310005", "***************"},
      {"card=4111111111111111", "card=****************"},
      {"4111111111111112", "4111111111111112"},
      {"4111  1111 1111 1111", "****  **** **** ****"},
      {"4111 - 1111.1111/1111", "**** - ****.****/****"},
      {"4111\r\n1111\t1111 1111", "****\r\n****\t**** ****"},
      {"4111\xC2\xA0"
       "1111\xE2\x80\x93"
       "1111\xE3\x80\x80"
       "1111",
       "****\xC2\xA0****\xE2\x80\x93****\xE3\x80\x80****"},
      {"\xEF\xBC\x94"
       "111111111111111",
       "******************"},
      {"4111    1111 1111 1111", "4111    1111 1111 1111"},
      {"https://4111111111111111/", "https://****************/"},
      {"x://4111111111111111", "x://****************"},
      {"EAN 4006381333931", "EAN 4006381333931"},
      {"at 1764000000123", "at 1764000000123"},
      {"order 1111111111111117", "order 1111111111111117"},
      {"+44 20 7946 0018", "+44 20 7946 0018"},
      {"30569309025904", "**************"},
      {"411111111111", "411111111111"},
      {"41111111111111111111", "41111111111111111111"},
      {"id_4111111111111111", "id_****************"},
      {"Visa4111111111111111", "Visa****************"},
      {"x-4111111111111111", "x-****************"},
      {"-4111111111111111", "-****************"},
      {"card 4111111111111111/12", "card ****************/12"},
      {"card 4111111111111111 12/27", "card **************** 12/27"},
      {"4111 1111 1111 1111 12/27", "**** **** **** **** 12/27"},
      {"\xC2\xA0"
       "4111111111111111",
       "\xC2\xA0****************"},
      {"\xE5\x8D\xA1"
       "4111111111111111",
       "\xE5\x8D\xA1****************"},
      {"\xE2\x80\x93"
       "4111111111111111\xE2\x82\xAC",
       "\xE2\x80\x93****************\xE2\x82\xAC"},
      {R"({"pan":4111111111111111})", R"({"pan":****************})"},
      {"https://shop/4111111111111111 x", "https://shop/4111111111111111 x"},
      {"(https://shop/1) 4111111111111111", "(https://shop/1) ****************"},
      {"/4111111111111111", "/****************"},
      {"41111111-1111-1111-8111-4111111111111111", "********-****-****-8111-****************"},
      {"id 41111111-1111-1111-abcd-411111111111.", "id 41111111-1111-1111-abcd-411111111111."},
      {R"({"note":"4111111111111111"})", R"({"note":"****************"})"},
  };
  for (auto row : rows) {
    CAPTURE(row.text);
    mask_card_numbers(row.text);
    CHECK(row.text == row.masked);
  }
}

TEST_CASE("card numbers are masked in a record's bytes, escaped or not; ids and amounts are left alone") {
  const struct {
    std::string text;
    std::string masked;
  } rows[] = {
      {R"({"x":"a\n4111111111111111"})", R"({"x":"a\n****************"})"},
      {R"({"x":"\t4111111111111111/12"})", R"({"x":"\t****************/12"})"},
      {R"({"x":"\u00204111111111111111"})", R"({"x":"\u0020****************"})"},
      {R"({"x":"4111\u00201111 1111 1111"})", R"({"x":"****\u0020**** **** ****"})"},
      {R"({"x":"\u0034111111111111111"})", R"({"x":"\u002a***************"})"},
      {R"({"pan": 4111111111111111, "q": 1})", R"({"pan": 9999999999999999, "q": 1})"},
      {R"([4111111111111111])", R"([9999999999999999])"},
      {R"({"amount_minor": 4111111111111111})", R"({"amount_minor": 4111111111111111})"},
      {R"({"amount_minor": "4111111111111111"})", R"({"amount_minor": "****************"})"},
      {R"({"customer_id":"4111111111111111","name":"4111111111111111"})",
       R"({"customer_id":"4111111111111111","name":"****************"})"},
      {R"({"x":"https:\/\/shop\/4111111111111111"})", R"({"x":"https:\/\/shop\/4111111111111111"})"},
      {R"(broken "x_id":"4111111111111111)", R"(broken "x_id":"****************)"},
      {R"({"x":"4111111111111111\)", R"({"x":"****************\)"},
      {R"({"data_base64":"eyJub3RlIjoiNDExMTExMTExMTExMTExMSJ9"})",
       R"({"data_base64":"************************************"})"},  // in base64
      {R"({"data_base64": "NDExMTExMTExMTExMTExMQ==","q":1})",
       R"({"data_base64": "************************","q":1})"},                                    // with padding
      {R"({"data_base64":"NDExMTExMTExMTExMTExMQ)", R"({"data_base64":"**********************)"},  // cut off
      {R"({"data_base64":"eyJ4IjoiPz8\/IiwibiI6IjQxMTExMTExMTExMTExMTEifQ=="})",
       R"({"data_base64":"*************************************************"})"},  // escaped
      {R"({"data_base64":"eyJub3RlIjoiNDExMTExMTExMTExMTExMiJ9"})",
       R"({"data_base64":"eyJub3RlIjoiNDExMTExMTExMTExMTExMiJ9"})"},  // near: no check digit
      {R"({"data_base64":"eyJjdXN0b21lcl9pZCI6IjQxMTExMTExMTExMTExMTEifQ=="})",
       R"({"data_base64":"eyJjdXN0b21lcl9pZCI6IjQxMTExMTExMTExMTExMTEifQ=="})"},  // near: an id
      {R"({"data":"eyJub3RlIjoiNDExMTExMTExMTExMTExMSJ9"})",
       R"({"data":"eyJub3RlIjoiNDExMTExMTExMTExMTExMSJ9"})"},  // near: another member
      {"", ""},
  };
  for (auto row : rows) {
    CAPTURE(row.text);
    mask_card_numbers_in_record(row.text);
    CHECK(row.text == row.masked);
  }
}

TEST_CASE("product, telephone and short order numbers and times are no card numbers") {
  std::mt19937_64 random(1);
  const auto digits = [&](int count) {
    std::string text;
    while (count-- > 0) text += static_cast<char>('0' + random() % 10);
    return text;
  };
  const auto number = [&](std::uint64_t from, std::uint64_t span) { return std::to_string(from + random() % span); };
  for (int i = 0; i < 2'000; ++i) {
    for (auto text : {"Tea " + digits(13), "order " + digits(10), "at " + number(1'600'000'000'000, 400'000'000'000),
                      "at " + number(1'600'000'000'000'000, 400'000'000'000'000),
                      "+" + number(1, 98) + " " + digits(3) + " " + digits(3) + " " + digits(4)}) {
      CAPTURE(text);
      REQUIRE(!mask_card_numbers(text));
    }
  }
}

TEST_CASE("digits of every script make a card number") {
  for (const auto zero : {U'\u0660', U'\u06F0', U'\u0966', U'\uFF10', U'\U0001D7CE', U'\U0001D7F6'}) {
    std::string text;
    for (const char digit : std::string("4111111111111111")) {
      const auto code = zero + static_cast<char32_t>(digit - '0');
      if (code >= 0x10000) {
        text += static_cast<char>(0xF0 | code >> 18);
        text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
      } else if (code >= 0x800) {
        text += static_cast<char>(0xE0 | code >> 12);
      } else {
        text += static_cast<char>(0xC0 | code >> 6);
      }
      if (code >= 0x800) text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
    }
    CHECK(may_hold_card_number(text));
    CHECK(mask_card_numbers(text));
    CHECK(text == std::string(text.size(), '*'));
  }
}

TEST_CASE("whatever stands around a card number, it is not in what is written") {
  const std::string pieces[] = {"",  " ", "-",        "1", "12", "4111", "/12", " 12/27",
                                "x", "_", "\xC2\xA0", ":", "\"", "\n",   "--"};
  for (const std::string card : {"4111111111111111", "378282246310005", "4111 1111 1111 1111"}) {
    for (const auto& a : pieces) {
      for (const auto& b : pieces) {
        for (const auto& c : pieces) {
          for (const auto& d : pieces) {
            auto text = a;
            text += b;
            const bool stands_alone = text.empty() || text.back() < '0' || text.back() > '9';
            text += card;
            text += c;
            text += d;
            const auto after = text.substr(a.size() + b.size() + card.size());
            if (!stands_alone || (!after.empty() && after[0] >= '0' && after[0] <= '9')) continue;
            auto masked = text;
            mask_card_numbers(masked);
            CAPTURE(text);
            CAPTURE(masked);
            REQUIRE(masked.find(card) == std::string::npos);
            REQUIRE(!mask_card_numbers(masked));
          }
        }
      }
    }
  }
}

TEST_CASE("times are written to the millisecond and read with any offset") {
  const auto text = to_text({1'764'000'000'123});
  CHECK(std::string(text.data(), text.size()) == "2025-11-24T16:00:00.123Z");
  CHECK(timestamp_from_text("2025-11-24T16:00:00.123Z") == Timestamp{1'764'000'000'123});
  CHECK(timestamp_from_text("2025-11-24t18:00:00.1234567+02:00") == Timestamp{1'764'000'000'123});
  CHECK(timestamp_from_text("2024-02-29T00:00:00Z").has_value());
  for (const auto* bad :
       {"", "2025-02-29T00:00:00Z", "2025-11-24 16:00:00Z", "2025-11-24T16:00:00", "2025-11-24T24:00:00Z",
        "2025-11-24T16:00:00.Z", "2025-11-24T16:00:00Zx", "25-11-24T16:00:00Z"}) {
    CAPTURE(bad);
    CHECK(!timestamp_from_text(bad));
  }
}

TEST_CASE("the currencies are those of ISO 4217 that are in force and have minor units") {
  const auto file = testing::shared_data("iso4217/codes-all.csv");
  if (!file) {
    MESSAGE("skipped: the ISO 4217 table is not here");
    return;
  }
  std::istringstream rows(testing::content_of(*file));
  std::string row;
  int compared = 0;
  std::set<std::string> in_force;
  while (std::getline(rows, row)) {
    // Entity (may be quoted), Currency, AlphabeticCode, NumericCode, MinorUnit, WithdrawalDate: from the end.
    if (!row.empty() && row.back() == '\r') row.pop_back();
    std::string fields[4];
    for (int i = 3; i >= 0; --i) {
      const auto comma = row.rfind(',');
      if (comma == std::string::npos) break;
      fields[i] = row.substr(comma + 1);
      row.resize(comma);
    }
    const std::string& code = fields[0];
    const std::string& minor = fields[2];
    const std::string& withdrawn = fields[3];
    if (code.size() != 3 || !withdrawn.empty() || minor.size() != 1 || minor[0] < '0' || minor[0] > '9') continue;
    in_force.insert(code);
    const auto currency = currency_in_force(code);
    CAPTURE(code);
    REQUIRE(currency);
    CHECK(exponent(*currency) == minor[0] - '0');
    ++compared;
  }
  CHECK(compared > 150);
  for (const auto* code : {"XXX", "XAU", "DEM", "gbp"}) CHECK(!currency_in_force(code));
}

TEST_CASE("an event's id says where the command lies that caused it, and no other id does") {
  struct Row {
    std::string_view id, place;
    std::optional<events::Offset> offset;
  };
  const Row rows[] = {
      {"3-23-0", "3-23", 23},           {"0-0-12", "0-0", 0},
      {"3-23", "3", std::nullopt},      {"3--5-0", "3--5", std::nullopt},
      {"3-2x-0", "3-2x", std::nullopt}, {"3-99999999999999999999-0", "3-99999999999999999999", std::nullopt},
      {"any", "any", std::nullopt},     {"", "", std::nullopt}};
  for (const auto& row : rows) {
    CAPTURE(row.id);
    CHECK(events::cause_place(row.id) == row.place);
    CHECK(events::cause_offset(row.id) == row.offset);
  }
}
