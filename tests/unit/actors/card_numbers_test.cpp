// Where a card number may stand in a command, in which form, and that it is in nothing that the engine writes.
#include "actors/engine/engine.h"

#include "events/text/base64.h"
#include "logs/memory_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace mayfly;
using events::Stream;

namespace {

constexpr std::string_view card_digits = "4111111111111111";

/// All digits of a text, those of full width too, without what may stand between the groups of a number.
std::string digits_only(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i).starts_with("\xEF\xBC") && i + 2 < text.size() &&
        static_cast<unsigned char>(text[i + 2]) < 0x9A) {
      out += static_cast<char>(static_cast<unsigned char>(text[i + 2]) - 0x90 + '0');
      i += 2;
    } else if (c >= '0' && c <= '9') {
      out += c;
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '"' || c == '*') {
      out += c;
    }
  }
  return out;
}

/// Every byte that an engine wrote, its state too.
std::string all_written(const adapters::MemoryStore& store) {
  auto all = testing::written(store);
  for (const auto stream : {Stream::deadletters, Stream::alerts}) {
    for (events::Partition p = 0; p < store.partitions(); ++p) {
      for (const auto& record : store.records(stream, p)) {
        all.append("\n").append(record.key.value_or("")).append("|").append(record.value.value_or(""));
        for (const auto& h : record.headers) all.append("|").append(h.name).append("=").append(h.value);
      }
    }
  }
  return all;
}

struct Commands {
  testing::SetClock clock;
  adapters::MemoryStore store{1, clock};
  testing::Shop shop{store};

  void raw(std::string_view key, std::string_view value, std::vector<std::pair<std::string, std::string>> more = {}) {
    std::vector<events::Header> headers = {
        {"ce_specversion", "1.0"}, {"ce_id", "raw"}, {"ce_source", "/test"}, {"ce_type", "dev.mayfly.cart.cancel.v1"}};
    for (const auto& [name, text] : more) headers.push_back({name, text});
    store.append({Stream::commands, 0, key, value, headers});
  }
  void checkout() {
    shop.create("c");
    shop.add("c", "A", 1, 100);
    shop.complete("c", 100);
    shop.reserved("c");
  }
  std::string decided() {
    adapters::MemoryLog log(store);
    actors::Engine engine(log, clock, {}, nullptr);
    REQUIRE(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    return all_written(store);
  }
};

struct Placement {
  std::string name;
  void (*send)(Commands&, const std::string& card);
};

std::string line_with(const std::string& members) {
  return R"({"sku":"A","quantity":1,"unit_price_minor":5,)" + members + "}";
}

const Placement placements[] = {
    {"a line's name",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.shop.send("c", "cart.add_line", line_with(R"("name":"for )" + card + "\""));
     }},
    {"an attribute's value",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.shop.send("c", "cart.add_line", line_with(R"("attributes":{"note":")" + card + "\"}"));
     }},
    {"an attribute's name",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.shop.send("c", "cart.add_line", line_with(R"("attributes":{")" + card + R"(":"x"})"));
     }},
    {"an adjustment's label",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.shop.send("c", "cart.adjust", R"({"adjustments":[{"kind":"fee","amount_minor":1,"label":")" + card + "\"}]}");
     }},
    {"the reason of a cart's end",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.shop.send("c", "cart.cancel", R"({"reason":")" + card + "\"}");
     }},
    {"the reason of missing stock",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.shop.add("c", "A", 1, 100);
       c.shop.complete("c", 100);
       c.shop.send("c", "inventory.rejected", R"({"reservation_id":"c-r1","skus":["A"],"reason":")" + card + "\"}");
     }},
    {"the reason of a decline",
     [](Commands& c, const std::string& card) {
       c.checkout();
       c.shop.send(
           "c", "payment.declined",
           R"({"session_id":"c-p1","reference":"pi","amount_minor":100,"currency":"GBP","reason":")" + card + "\"}");
     }},
    {"the reason of a failed attempt",
     [](Commands& c, const std::string& card) {
       c.checkout();
       c.shop.send(
           "c", "payment.attempt_failed",
           R"({"session_id":"c-p1","reference":"pi","amount_minor":100,"currency":"GBP","attempt":1,"reason":")" +
               card + "\"}");
     }},
    {"a token",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.shop.add("c", "A", 1, 100);
       c.shop.send("c", "checkout.complete",
                   R"({"expected_total_minor":100,"payment":{"provider":"sim","token":")" + card + "\"}}");
     }},
    {"the correlation id",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.raw("c", "{}", {{"ce_correlationid", card}});
     }},
    {"the traceparent",
     [](Commands& c, const std::string& card) {
       c.shop.create("c");
       c.raw("c", "{}", {{"ce_traceparent", card}});
     }},
    {"a value that is no JSON", [](Commands& c, const std::string& card) { c.raw("c", "pan=" + card); }},
    {"a value that is cut off", [](Commands& c, const std::string& card) { c.raw("c", R"({"reason":")" + card); }},
    {"a value that is no object", [](Commands& c, const std::string& card) { c.raw("c", "[\"" + card + "\"]"); }},
    {"a key that is no cart's id", [](Commands& c, const std::string& card) { c.raw("\x01 " + card, "{}"); }},
    {"the name of a dead letter's header",
     [](Commands& c, const std::string& card) {
       c.raw("c", "no JSON", {{"x " + card, "y"}});
     }},
    {"the value of a dead letter's header",
     [](Commands& c, const std::string& card) {
       c.raw("c", "no JSON", {{"x", card}});
     }},
    {"the content type",
     [](Commands& c, const std::string& card) {
       c.raw("c", "{}", {{"content-type", "text/" + card}});
     }},
    {"base64 in a dead letter",
     [](Commands& c, const std::string& card) {
       const auto event = R"({"specversion":"1.0","id":"1","source":"/s","type":"dev.mayfly.cart.cancel.v1",)"
                          R"("datacontenttype":"text/plain","data_base64":")" +
                          events::to_base64(card) + "\"}";
       const events::Header headers[] = {{"content-type", "application/cloudevents+json"}};
       c.store.append({Stream::commands, 0, "c", event, headers});
     }},
};

const std::pair<std::string, std::string> forms[] = {
    {"plain", "4111111111111111"},
    {"in groups", "4111 1111 1111 1111"},
    {"two spaces between", "4111  1111  1111  1111"},
    {"dashes", "4111-1111-1111-1111"},
    {"dashes with spaces", "4111 - 1111 - 1111 - 1111"},
    {"dots", "4111.1111.1111.1111"},
    {"slashes", "4111/1111/1111/1111"},
    {"no-break spaces",
     "4111\xC2\xA0"
     "1111\xC2\xA0"
     "1111\xC2\xA0"
     "1111"},
    {"en dashes",
     "4111\xE2\x80\x93"
     "1111\xE2\x80\x93"
     "1111\xE2\x80\x93"
     "1111"},
    {"full width",
     "\xEF\xBC\x94\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91"
     "\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91"},
    {"within words", "card4111111111111111, thanks"},
    {"within a URL that is none", "x://4111111111111111"},
};

const std::pair<std::string, std::string> innocent[] = {
    {"an EAN-13 in a name", "Mug 4006381333931 blue"}, {"epoch milliseconds", "at 1790000000000"},
    {"a telephone number", "+44 20 7946 0958"},        {"an order number", "order 2026112900017"},
    {"a wrong check digit", "4111111111111112"},
};

}  // namespace

TEST_CASE("a card number stands in nothing that the engine writes, wherever it stood and however it was written") {
  for (const auto& placement : placements) {
    for (const auto& form : forms) {
      if (placement.name == "a token" && form.first.starts_with("within"))
        continue;  // a token may have any digits in it
      Commands commands;
      placement.send(commands, form.second);
      const auto written = commands.decided();
      CAPTURE(placement.name);
      CAPTURE(form.first);
      CHECK(commands.store.records(Stream::events, 0).size() > 0);
      CAPTURE(written);
      CHECK(digits_only(written).find(card_digits) == std::string::npos);
    }
  }
}

TEST_CASE("numbers that are no card's stay as they are") {
  for (const auto& row : innocent) {
    Commands commands;
    commands.shop.create("c");
    commands.shop.send("c", "cart.add_line", line_with(R"("name":")" + row.second + "\""));
    commands.raw("c", row.second);
    CAPTURE(row.first);
    const auto written = commands.decided();
    CHECK(written.find(R"("name":")" + row.second) != std::string::npos);
    const auto letters = commands.store.records(Stream::deadletters, 0);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].value == row.second);
  }
}
