// decisions.md 1: what becomes of a record, good or bad; JSONTestSuite and naughty strings where they are at hand.
#include "events/wire/cloudevent.h"
#include "events/wire/json_reader.h"
#include "events/wire/json_writer.h"
#include "unit/events/shared_data.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory_resource>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

Headers headers_of(const std::string& type) {
  return {{"ce_specversion", "1.0"}, {"ce_id", "1"}, {"ce_source", "/t"}, {"ce_type", "dev.mayfly." + type + ".v1"}};
}

/// With one header more; of one that is given twice the last counts.
Headers with(Headers headers, const std::string& name, const std::string& value) {
  headers.emplace_back(name, value);
  return headers;
}

/// "ok", "data_invalid: about", or a dead letter's reason.
std::string verdict(const std::string& value, const Headers& given, std::optional<std::string> key = "c1",
                    Partition at = 0, std::int32_t partitions = 1, const Settings& current = {}) {
  CommandReader reader("test", partitions);
  std::pmr::monotonic_buffer_resource arena;
  std::vector<Header> headers;
  for (const auto& [name, text] : given) headers.push_back({name, text});
  Record record;
  record.at = {at, 7};
  if (key) record.key = *key;
  record.value = value;
  record.headers = headers;
  const auto result = reader.read(record, current, &arena);
  if (const auto* unreadable = std::get_if<Unreadable>(&result)) return std::string(name(unreadable->reason));
  const auto& command = std::get<ReadCommand>(result).command;
  if (const auto* invalid = std::get_if<Invalid>(&command.data)) return "data_invalid: " + std::string(invalid->about);
  return "ok";
}
bool tick_is_taken(const std::string& value, const Headers& given, const std::optional<std::string>& key,
                   const Settings& current = {}, TickSecrets secrets = {}, Partition partition = 0) {
  CommandReader reader("test", 1, std::move(secrets));
  std::pmr::monotonic_buffer_resource arena;
  std::vector<Header> headers;
  for (const auto& [name, text] : given) headers.push_back({name, text});
  Record record;
  record.at = {partition, 7};
  if (key) record.key = *key;
  record.value = value;
  record.headers = headers;
  const auto result = reader.read(record, current, &arena);
  return std::get<ClockTick>(std::get<ReadCommand>(result).command.data).at.has_value();
}
Fingerprint fingerprint(const std::string& type, const std::string& value) {
  CommandReader reader("test", 1);
  std::pmr::monotonic_buffer_resource arena;
  const auto given = headers_of(type);
  std::vector<Header> headers;
  for (const auto& [name, text] : given) headers.push_back({name, text});
  Record record;
  record.at = {0, 7};
  record.key = "c1";
  record.value = value;
  record.headers = headers;
  return std::get<ReadCommand>(reader.read(record, {}, &arena)).command.fingerprint;
}
std::string line(const std::string& data) { return verdict(data, headers_of("cart.add_line")); }
std::string reply(const std::string& type, const std::string& data) { return verdict(data, headers_of(type)); }

const std::string good = R"({"sku":"A","quantity":1,"unit_price_minor":2})";

}  // namespace

TEST_CASE("members that are missing, doubled, of a wrong type, empty, too long or negative are named") {
  const std::string l65(65, 'x');
  const struct {
    std::string data;
    std::string verdict;
  } rows[] = {
      {good, "ok"},
      {R"({"sku":"A","quantity":1,"unit_price_minor":2,"name":null,"other":{"a":[1,2,{}]},"other":1})", "ok"},
      {R"({"quantity":1,"unit_price_minor":2})", "data_invalid: sku is missing"},
      {R"({"sku":null,"quantity":1,"unit_price_minor":2})", "data_invalid: sku is missing"},
      {R"({"sku":"A","sku":"A","quantity":1,"unit_price_minor":2})", "data_invalid: sku is given twice"},
      {R"({"sku":"A","quantity":1,"unit_price_minor":2,"name":"n","name":"n"})", "data_invalid: name is given twice"},
      {R"({"sku":5,"quantity":1,"unit_price_minor":2})", "data_invalid: sku is not a string"},
      {R"({"sku":"","quantity":1,"unit_price_minor":2})", "data_invalid: sku is empty"},
      {R"({"sku":")" + l65 + R"(","quantity":1,"unit_price_minor":2})", "data_invalid: sku is longer than 64 bytes"},
      {R"({"sku":"A","quantity":"1","unit_price_minor":2})",
       "data_invalid: quantity is not an integer that 64 bits hold"},
      {R"({"sku":"A","quantity":1.0,"unit_price_minor":2})",
       "data_invalid: quantity is not an integer that 64 bits hold"},
      {R"({"sku":"A","quantity":1e0,"unit_price_minor":2})",
       "data_invalid: quantity is not an integer that 64 bits hold"},
      {R"({"sku":"A","quantity":9223372036854775808,"unit_price_minor":2})",
       "data_invalid: quantity is not an integer that 64 bits hold"},
      {R"({"sku":"A","quantity":1,"unit_price_minor":1e999999})",
       "data_invalid: unit_price_minor is not an integer that 64 bits hold"},
      {R"({"sku":"A","quantity":1,"unit_price_minor":2,"ignored":1e999999})", "ok"},
      {R"({"sku":"A","quantity":-9223372036854775808,"unit_price_minor":0})", "ok"},  // the cart judges it
      {R"({"sku":"A","quantity":1,"unit_price_minor":-1})", "data_invalid: unit_price_minor is negative"},
      {R"({"sku":"A","quantity":-0,"unit_price_minor":-0})", "ok"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.data);
    CHECK(line(row.data) == row.verdict);
  }
  CHECK(reply("payment.declined", R"({"session_id":"s","reason":"r","retryable":1})") ==
        "data_invalid: retryable is not true or false");
  CHECK(reply("payment.status",
              R"({"session_id":"s","state":"lost","authorized_minor":0,"captured_minor":0,"refunded_minor":0})") ==
        "data_invalid: state is none of the states a payment can have");
  CHECK(reply("cart.adjust", R"({"adjustments":[{"kind":"gift","label":"l","amount_minor":1}]})") ==
        "data_invalid: kind is not shipping, tax, discount or fee");
  CHECK(reply("checkout.complete", R"({"expected_total_minor":1,"payment":{"provider":"p"}})") ==
        "data_invalid: token is missing");
  CHECK(reply("payment.capture_failed", R"({"session_id":"s","reason":"r","retryable":true})") == "ok");
}

TEST_CASE("the commands of version 1.1 are read, and what is wrong with them is named") {
  const struct {
    const char* type;
    const char* data;
    const char* verdict;
  } rows[] = {
      {"checkout.abandon", "{}", "ok"},
      {"checkout.abandon", R"({"reason":7})", "data_invalid: reason is not a string"},
      {"payment.attempt_failed", R"({"session_id":"c1-p1","reason":"no"})", "ok"},
      {"payment.attempt_failed", R"({"session_id":"c1-p1","reason":"no","attempt":1000000})", "ok"},
      {"payment.attempt_failed", R"({"session_id":"c1-p1","reason":"no","attempt":0})",
       "data_invalid: attempt is not from 1 to 1000000"},
      {"payment.attempt_failed", R"({"session_id":"c1-p1","reason":"no","attempt":1000001})",
       "data_invalid: attempt is not from 1 to 1000000"},
      {"payment.refund_failed",
       R"({"session_id":"c1-p1","amount_minor":5,"currency":"GBP","reason":"no","retryable":true})", "ok"},
      {"payment.refund_failed", R"({"session_id":"c1-p1","amount_minor":5,"reason":"no","retryable":true})",
       "data_invalid: currency is missing"},
      {"payment.disputed", R"({"session_id":"c1-p1","amount_minor":5,"currency":"GBP","state":"won"})", "ok"},
      {"payment.disputed", R"({"session_id":"c1-p1","amount_minor":5,"currency":"GBP","state":"over"})",
       "data_invalid: state is not opened, won or lost"},
      {"payment.status",
       R"({"session_id":"c1-p1","state":"refund_pending","authorized_minor":5,"captured_minor":5,"refunded_minor":0})",
       "ok"},
      {"inventory.rejected",
       R"({"reservation_id":"c1-r1","skus":["A"],"reason":"no","available":[{"sku":"A","quantity":0}]})", "ok"},
      {"inventory.rejected", R"({"reservation_id":"c1-r1","skus":["A"],"reason":"no","available":[{"sku":"A"}]})",
       "data_invalid: quantity is missing"},
      {"inventory.rejected", R"({"reservation_id":"c1-r1","skus":[],"reason":"no","available":[1]})",
       "data_invalid: available has an entry that is not an object"},
      {"inventory.rejected", R"({"reservation_id":"c1-r1","skus":[],"reason":"no","available":{}})",
       "data_invalid: available is not an array"},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.data));
    CHECK(reply(row.type, row.data) == row.verdict);
  }
}

TEST_CASE("what a line may have since version 1.1 is read, and what is wrong with it is named") {
  const auto line = [](const std::string& members, const std::string& type = "cart.add_line") {
    return verdict(R"({"sku":"A","quantity":1,"unit_price_minor":5,)" + members + "}", headers_of(type));
  };
  const auto many = [](int count) {
    std::string names = R"("attributes":{)";
    for (int i = 0; i < count; ++i) names += (i > 0 ? ",\"n" : "\"n") + std::to_string(i) + "\":\"v\"";
    return names + "}";
  };
  const std::pair<std::string, std::string> rows[] = {
      {R"("line_id":"a","per_quantity":1000,"attributes":{"size":"L","to":""})", "ok"},
      {R"("line_id":null,"per_quantity":null,"attributes":null)", "ok"},
      {R"("attributes":{})", "ok"},
      {R"("attributes":{"size":null})", "ok"},
      {R"("line_id":")" + std::string(64, 'i') + "\"", "ok"},
      {R"("line_id":")" + std::string(65, 'i') + "\"", "data_invalid: line_id is longer than 64 bytes"},
      {R"("line_id":1)", "data_invalid: line_id is not a string"},
      {R"("per_quantity":0)", "data_invalid: per_quantity is not from 1 to 1000000"},
      {R"("per_quantity":1000000)", "ok"},
      {R"("per_quantity":1000001)", "data_invalid: per_quantity is not from 1 to 1000000"},
      {R"("attributes":[])", "data_invalid: attributes is not an object"},
      {R"("attributes":{"size":1})",
       "data_invalid: attributes has a value that is not a string of at most 256 bytes, or a name twice"},
      {R"("attributes":{"size":"L","size":"M"})",
       "data_invalid: attributes has a value that is not a string of at most 256 bytes, or a name twice"},
      {R"("attributes":{"size":")" + std::string(256, 'v') + "\"}", "ok"},
      {R"("attributes":{"size":")" + std::string(257, 'v') + "\"}",
       "data_invalid: attributes has a value that is not a string of at most 256 bytes, or a name twice"},
      {R"("attributes":{"":"L"})", "data_invalid: attributes has a name that is not 1 to 64 bytes"},
      {R"("attributes":{")" + std::string(64, 'n') + R"(":"L"})", "ok"},
      {R"("attributes":{")" + std::string(65, 'n') + R"(":"L"})",
       "data_invalid: attributes has a name that is not 1 to 64 bytes"},
      {many(16), "ok"},
      {many(17), "data_invalid: attributes has over 16 entries"},
      {R"("attributes":{"a":")" + std::string(164, '\x7f') + R"(","b":")" + std::string(256, 'v') + R"(","c":")" +
           std::string(256, 'v') + R"(","d":")" + std::string(256, 'v') + R"(","e":")" + std::string(56, 'v') + "\"}",
       "ok"},
      {R"("attributes":{"a":")" + std::string(165, '\x7f') + R"(","b":")" + std::string(256, 'v') + R"(","c":")" +
           std::string(256, 'v') + R"(","d":")" + std::string(256, 'v') + R"(","e":")" + std::string(56, 'v') + "\"}",
       "data_invalid: attributes is longer than 1024 bytes"},
      {R"("attributes":{"4111111111111111":"a","5555555555554444":"b"})",
       "data_invalid: attributes has two names that are the same without card numbers"},
  };
  for (const auto& row : rows) {
    const auto& members = row.first;
    CAPTURE(members);
    CHECK(line(members) == row.second);
    CHECK(line(members, "cart.set_line") == row.second);
  }
  CHECK(verdict(R"({"customer_id":"cu-7"})", headers_of("cart.assign")) == "ok");
  CHECK(verdict("{}", headers_of("cart.assign")) == "data_invalid: customer_id is missing");
  const auto adjustment = [](const std::string& members) {
    return verdict(R"({"adjustments":[{"kind":"tax","label":"l","amount_minor":5,)" + members + "}]}",
                   headers_of("cart.adjust"));
  };
  CHECK(adjustment(R"("included":true,"line_id":"a")") == "ok");
  CHECK(adjustment(R"("included":false,"sku":"A")") == "ok");
  CHECK(adjustment(R"("included":null,"sku":null)") == "ok");
  CHECK(adjustment(R"("included":"yes")") == "data_invalid: included is not true or false");
}

TEST_CASE("several tenders are read, and what is wrong with them is named") {
  const auto complete = [](const std::string& members) {
    return verdict(R"({"expected_total_minor":5,)" + members + "}", headers_of("checkout.complete"));
  };
  const std::string one = R"({"provider":"sim","token":"t","amount_minor":1})";
  const auto list = [&](int count) {
    std::string text = R"("payments":[)";
    for (int i = 0; i < count; ++i) text += (i > 0 ? "," : "") + one;
    return text + "]";
  };
  const std::pair<std::string, std::string> rows[] = {
      {list(2), "ok"},
      {list(4), "ok"},
      {R"("payments":null)", "ok"},
      {list(0), "data_invalid: payments is not an array of 2 to 4 entries"},
      {list(1), "data_invalid: payments is not an array of 2 to 4 entries"},
      {list(5), "data_invalid: payments is not an array of 2 to 4 entries"},
      {R"("payments":{})", "data_invalid: payments is not an array of 2 to 4 entries"},
      {R"("payments":[1,2])", "data_invalid: payments has an entry that is not an object"},
      {R"("payments":[)" + one + R"(,{"provider":"sim","token":"t"}])", "data_invalid: amount_minor is missing"},
      {R"("payments":[)" + one + R"(,{"provider":"sim","token":"t","amount_minor":0}])",
       "data_invalid: amount_minor is not from 1 to 1000000000000000"},
      {R"("payments":[)" + one + R"(,{"provider":"sim","token":"","amount_minor":1}])", "data_invalid: token is empty"},
      {R"("payment":{"provider":"sim","token":"t"},)" + list(2), "data_invalid: payments is given beside payment"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(complete(row.first) == row.second);
  }
}

TEST_CASE("terms are read, and what is wrong with them is named") {
  const auto complete = [](const std::string& members) {
    return verdict(R"({"expected_total_minor":5,"payment":{"provider":"sim","token":"t",)" + members + "}}",
                   headers_of("checkout.complete"));
  };
  const std::pair<std::string, std::string> rows[] = {
      {R"("capture":"on_command","capture_within_s":60,"settles_within_s":3600,"extra_up_to_minor":0)", "ok"},
      {R"("capture":"on_command","capture_within_s":7776000,"settles_within_s":2592000)", "ok"},
      {R"("capture":"automatic","extra_up_to_minor":5)", "ok"},
      {R"("capture":null,"capture_within_s":null,"settles_within_s":null,"extra_up_to_minor":null)", "ok"},
      {R"("capture":"later")", "data_invalid: capture is not automatic or on_command"},
      {R"("capture":1)", "data_invalid: capture is not a string"},
      {R"("capture_within_s":60)", "data_invalid: capture_within_s is for capture on_command only"},
      {R"("capture":"on_command","capture_within_s":59)", "data_invalid: capture_within_s is not from 60 to 7776000"},
      {R"("capture":"on_command","capture_within_s":7776001)",
       "data_invalid: capture_within_s is not from 60 to 7776000"},
      {R"("settles_within_s":3599)", "data_invalid: settles_within_s is not from 3600 to 2592000"},
      {R"("settles_within_s":2592001)", "data_invalid: settles_within_s is not from 3600 to 2592000"},
      {R"("extra_up_to_minor":-1)", "data_invalid: extra_up_to_minor is not from 0 to 1000000000000000"},
  };
  for (const auto& row : rows) {
    const auto& members = row.first;
    CAPTURE(members);
    CHECK(complete(members) == row.second);
  }
  CHECK(verdict("{}", headers_of("payment.capture")) == "ok");
  CHECK(verdict(R"({"session_id":"c1-p1","total_minor":-5,"final":true})", headers_of("payment.capture")) == "ok");
  CHECK(verdict(R"({"total_minor":1.5})", headers_of("payment.capture")) ==
        "data_invalid: total_minor is not an integer that 64 bits hold");
  CHECK(verdict(R"({"session_id":"c1-p1","expires_after_s":7776000})", headers_of("payment.pending")) == "ok");
  CHECK(verdict("{}", headers_of("payment.pending")) == "data_invalid: session_id is missing");
  CHECK(verdict(R"({"session_id":"c1-p1","expires_after_s":0})", headers_of("payment.pending")) ==
        "data_invalid: expires_after_s is not from 1 to 7776000");
}

TEST_CASE("an order on command waits seven days, unless it is said how long") {
  const auto waits_s = [](const std::string& members) {
    CommandReader reader("test", 1);
    std::pmr::monotonic_buffer_resource arena;
    const std::string value = R"({"expected_total_minor":5,"payment":{"provider":"sim","token":"t")" + members + "}}";
    const auto attributes = headers_of("checkout.complete");
    std::vector<Header> headers;
    for (const auto& [name, text] : attributes) headers.push_back({name, text});
    Record record;
    record.key = "c1";
    record.value = value;
    record.headers = headers;
    const auto read = reader.read(record, Settings{}, &arena);
    return std::get<CheckoutComplete>(std::get<ReadCommand>(read).command.data).terms.capture_within_s;
  };
  CHECK(waits_s(R"(,"capture":"on_command")") == 604'800);
  CHECK(waits_s(R"(,"capture":"on_command","capture_within_s":604801)") == 604'801);
  CHECK(waits_s("") == 0);
}

TEST_CASE("every known member of a shop's command counts where the same id comes again") {
  const auto payments = [](const std::string& provider, int first, int second) {
    const auto one = [&](int amount) {
      return R"({"token":"t","provider":")" + provider + R"(","amount_minor":)" + std::to_string(amount) + "}";
    };
    return R"({"expected_total_minor":5,"payments":[)" + one(first) + "," + one(second) + "]}";
  };
  const auto line = [](const std::string& more) {
    return R"({"sku":"A","quantity":1,"unit_price_minor":5)" + more + "}";
  };
  const auto payment = [](const std::string& more) {
    return R"({"expected_total_minor":5,"payment":{"provider":"sim","token":"t")" + more + "}}";
  };
  const auto adjustment = [](const std::string& more) {
    return R"({"adjustments":[{"kind":"tax","label":"VAT","amount_minor":1)" + more + "}]}";
  };
  const struct {
    std::string type;
    std::vector<std::string> bodies;
  } rows[] = {
      {"cart.create",
       {R"({"currency":"GBP"})", R"({"currency":"EUR"})", R"({"currency":"GBP","customer_id":"c"})",
        R"({"currency":"GBP","expires_after_s":60})"}},
      {"cart.add_line",
       {line(""), line(R"(,"name":"Tea")"), line(R"(,"currency":"GBP")"), line(R"(,"line_id":"a")"),
        line(R"(,"line_id":"b")"), line(R"(,"per_quantity":2)"), line(R"(,"attributes":{})"),
        line(R"(,"attributes":{"a":"b"})"), line(R"(,"attributes":{"a":"c"})")}},
      {"cart.set_line", {line(""), line(R"(,"line_id":"a")"), line(R"(,"attributes":{"a":"b"})")}},
      {"cart.assign", {R"({"customer_id":"a"})", R"({"customer_id":"b"})"}},
      {"cart.change_quantity",
       {R"({"sku":"A","quantity":1})", R"({"sku":"A","quantity":2})", R"({"sku":"A","quantity":1,"line_id":"a"})"}},
      {"cart.remove_line", {R"({"sku":"A"})", R"({"sku":"B"})", R"({"sku":"A","line_id":"a"})"}},
      {"cart.adjust",
       {adjustment(""), adjustment(R"(,"included":true)"), adjustment(R"(,"sku":"A")"), adjustment(R"(,"line_id":"A")"),
        adjustment(R"(,"sku":"A","included":true)"), R"({"adjustments":[]})"}},
      {"checkout.complete",
       {payment(""), payment(R"(,"capture":"on_command")"), payment(R"(,"capture":"on_command","capture_within_s":60)"),
        payment(R"(,"settles_within_s":3600)"), payment(R"(,"settles_within_s":3601)"),
        payment(R"(,"extra_up_to_minor":1)"), R"({"expected_total_minor":5})", payments("s", 2, 3), payments("s", 3, 2),
        payments("t", 2, 3)}},
      {"payment.capture",
       {"{}", R"({"total_minor":5})", R"({"total_minor":-1})", R"({"final":true})", R"({"session_id":"c1-p1"})"}},
  };
  for (const auto& row : rows) {
    std::map<std::uint32_t, std::string> bodies;
    for (const auto& body : row.bodies) {
      CAPTURE(body);
      const auto kept = bodies.emplace(fingerprint(row.type, body).body, body);
      CHECK_MESSAGE(kept.second, kept.first->second);
    }
  }
}

TEST_CASE("card numbers in attributes are masked, and the shop's order and spelling are kept") {
  CommandReader reader("test", 1);
  std::pmr::monotonic_buffer_resource arena;
  Record record;
  record.at = {0, 7};
  record.key = "c1";
  const std::string value =
      R"({"sku":"A","quantity":1,"unit_price_minor":5,"attributes":{"z":"caf\u00e9 \"x\"","card 4111 1111 1111 1111":"a","b":"4111111111111111"}})";
  record.value = value;
  const auto given = headers_of("cart.add_line");
  std::vector<Header> headers;
  for (const auto& [name, text] : given) headers.push_back({name, text});
  record.headers = headers;
  const auto read = reader.read(record, Settings{}, &arena);
  const auto& line = std::get<CartAddLine>(std::get<ReadCommand>(read).command.data);
  CHECK(line.attributes == R"({"z":"café \"x\"","card **** **** **** ****":"a","b":"****************"})");
}

TEST_CASE("the first thing that is wrong names the dead letter") {
  const auto h = headers_of("cart.add_line");
  const std::string large = R"({"x":")" + std::string(65'536 - 8, 'x') + "\"}";
  REQUIRE(large.size() == 65'536);
  CHECK(verdict(large, h).starts_with("data_invalid"));
  CHECK(verdict(large + " ", h) == "too_large");
  CHECK(verdict(good, {}) == "not_cloudevent");
  CHECK(verdict(good, with(h, "ce_specversion", "0.3")) == "not_cloudevent");  // the last counts
  CHECK(verdict(good, with(h, "ce_id", "")) == "not_cloudevent");
  CHECK(verdict(good, with(h, "ce_source", "\x01")) == "not_cloudevent");
  CHECK(verdict(good, with(h, "ce_id", std::string(1025, 'i'))) == "not_cloudevent");
  CHECK(verdict(good, with(h, "content-type", "application/cloudevents-batch+json")) == "not_cloudevent");
  CHECK(verdict(good, with(h, "x-unknown", "y")) == "ok");
  CHECK(verdict(good, h, std::nullopt) == "key_invalid");
  CHECK(verdict(good, h, "") == "key_invalid");
  CHECK(verdict(good, h, std::string(128, 'k')) == "ok");
  CHECK(verdict(good, h, std::string(129, 'k')) == "key_invalid");
  CHECK(verdict(good, h, "\xff") == "key_invalid");
  CHECK(verdict(good, with(h, "ce_subject", "c2")) == "subject_mismatch");
  CHECK(verdict(good, with(h, "ce_subject", "c1")) == "ok");
  CHECK(verdict("{", headers_of("cart.fly")) == "type_unknown");
  for (const auto* data :
       {"", "{", "[]", "5", "null", "{}x", "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", "{'a':1}", "{\"a\":\"\\ud800\"}"}) {
    CAPTURE(data);
    CHECK(verdict(data, h) == "json_invalid");
  }
  CHECK(verdict(good, h, "c1", 1 - partition_of("c1", 2), 2) == "wrong_partition");
  CHECK(verdict(good, h, "c1", partition_of("c1", 2), 2) == "ok");
}

TEST_CASE("structured mode is read like binary mode") {
  const Headers structured = {{"content-type", "Application/CloudEvents+JSON; charset=UTF-8"}};
  const auto event = [](const std::string& data) {
    return R"({"specversion":"1.0","id":"1","source":"/t","type":"dev.mayfly.cart.add_line.v1","subject":"c1","data":)" +
           data + "}";
  };
  CHECK(verdict(event(good), structured) == "ok");
  CHECK(verdict(event("[]"), structured) == "json_invalid");
  CHECK(verdict(event(R"({"sku":1})"), structured) == "data_invalid: sku is not a string");
  CHECK(verdict("{", structured) == "not_cloudevent");
  CHECK(verdict(R"({"specversion":"1.0"})", structured) == "not_cloudevent");
  const auto with = [&](const std::string& more) { return event(good).insert(1, more + ","); };
  CHECK(verdict(with(R"("subject":null)"), structured) == "ok");
  CHECK(verdict(with(R"("subject":7)"), structured) == "not_cloudevent");
  CHECK(verdict(with(R"("type":"dev.mayfly.cart.cancel.v1")"), structured) == "not_cloudevent");
  CHECK(verdict(with(R"("mine":1,"mine":2)"), structured) == "ok");
}

TEST_CASE("a tick is taken with no key and the engine's source; the dead letters' tool only releases carts") {
  const std::string plain = R"({"at":"2026-11-22T10:00:00.000Z","through":6})";
  const std::string set = R"({"at":"2026-11-22T10:00:00.000Z","through":6,"settings":{"live_carts":0}})";
  const std::string marks = R"({"at":"2026-11-22T10:00:00.000Z","through":-1})";
  const std::string release = R"({"at":"2026-11-22T10:00:00.000Z","through":-1,"release":"c1"})";
  const struct {
    std::string data;
    std::string source;
    std::optional<std::string> key;
    bool taken;
  } rows[] = {{plain, "/mayfly/test", {}, true},
              {set, "/mayfly/test", {}, true},
              {release, "/mayfly/test", {}, true},
              {plain, "/mayfly/test", "c1", false},
              {plain, "/mayfly/test", "", false},
              {plain, "/mayfly/Test", {}, false},
              {plain, "/mayfly/test2", {}, false},
              {plain, "mayfly/test", {}, false},
              {plain, "", {}, false},
              {marks, "/shop", {}, false},
              {release, "/mayfly/send", {}, false},
              {marks, "/mayfly/deadletters", {}, true},
              {release, "/mayfly/deadletters", {}, true},
              {release, "/mayfly/deadletters", "c1", false},
              {plain, "/mayfly/deadletters", {}, false},
              {set, "/mayfly/deadletters", {}, false}};
  for (const auto& row : rows) {
    CAPTURE(row.data);
    CAPTURE(row.source);
    CAPTURE(row.key.has_value());
    CHECK(tick_is_taken(row.data, with(headers_of("clock.tick"), "ce_source", row.source), row.key) == row.taken);
    const auto event = [&](const std::string& more) {
      return R"({"specversion":"1.0","id":"1","type":"dev.mayfly.clock.tick.v1","source":")" + row.source + "\"," +
             more + R"("data":)" + row.data + "}";
    };
    const Headers structured = {{"content-type", "application/cloudevents+json"}};
    CHECK(tick_is_taken(event(""), structured, row.key) == row.taken);
    CHECK(!tick_is_taken(event(R"("source":"/mayfly/test",)"), structured, row.key));  // given twice
  }
}

TEST_CASE("the engine's own source sends the lines of a merge and nothing else") {
  const std::string line = R"({"sku":"A","quantity":1,"unit_price_minor":5,"currency":"EUR"})";
  const std::string reserved = R"({"reservation_id":"c1-r1"})";
  const std::string offer = R"({"from":"c2","merge":17,"currency":"GBP","lines":[]})";
  const std::string answer = R"({"from":"c2","merge":17})";
  const struct {
    const char* of;
    const char* type;
    const std::string& data;
    const char* source;
    const char* id;
    const char* verdict;
  } rows[] = {
      {"a line of a merge", "cart.add_line", line, "/mayfly/test", "0-17-2", "ok"},
      {"a line with a producer's id", "cart.add_line", line, "/mayfly/test", "a1", "source_refused"},
      {"an offer", "cart.merge_offered", offer, "/mayfly/test", "0-17-2", "ok"},
      {"an offer with a producer's id", "cart.merge_offered", offer, "/mayfly/test", "a1", "source_refused"},
      {"an offer of a producer", "cart.merge_offered", offer, "/t", "0-17-2", "source_refused"},
      {"an answer", "cart.merge_answered", answer, "/mayfly/test", "0-17-2", "ok"},
      {"an answer of a producer", "cart.merge_answered", answer, "/mayfly/test2", "0-17-2", "source_refused"},
      {"two numbers", "cart.add_line", line, "/mayfly/test", "0-17", "source_refused"},
      {"four numbers", "cart.add_line", line, "/mayfly/test", "0-17-2-1", "source_refused"},
      {"a number missing", "cart.add_line", line, "/mayfly/test", "0--2", "source_refused"},
      {"a dash at the end", "cart.add_line", line, "/mayfly/test", "0-17-", "source_refused"},
      {"another command with such an id", "cart.cancel", line, "/mayfly/test", "0-17-2", "source_refused"},
      {"a reply", "inventory.reserved", reserved, "/mayfly/test", "0-17-2", "source_refused"},
      {"another engine's source", "cart.add_line", line, "/mayfly/test2", "a1", "ok"},
      {"a reply of somebody", "inventory.reserved", reserved, "/stock", "a1", "ok"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.of);
    const Headers headers = {{"ce_specversion", "1.0"},
                             {"ce_id", row.id},
                             {"ce_source", row.source},
                             {"ce_type", std::string("dev.mayfly.") + row.type + ".v1"}};
    CHECK(verdict(row.data, headers) == row.verdict);
  }
}

TEST_CASE("what carts that merge say to each other is read, and what is wrong with it is named") {
  const auto read = [](const char* type, const std::string& data) {
    return verdict(data, {{"ce_specversion", "1.0"},
                          {"ce_id", "0-17-2"},
                          {"ce_source", "/mayfly/test"},
                          {"ce_type", std::string("dev.mayfly.cart.") + type + ".v1"}});
  };
  const auto offer = [](const std::string& lines) {
    return R"({"from":"c2","merge":17,"currency":"GBP","lines":)" + lines + "}";
  };
  const std::string a = R"({"sku":"A","quantity":1,"unit_price_minor":5})";
  const std::string a_with_id = R"({"sku":"A","quantity":1,"unit_price_minor":5,"line_id":"a"})";
  const std::string b_with_id = R"({"sku":"B","quantity":1,"unit_price_minor":5,"line_id":"a"})";
  const struct {
    const char* type;
    std::string data;
    const char* verdict;
  } rows[] = {
      {"merge_offered", offer("[" + a + "]"), "ok"},
      {"merge_offered", offer("[" + a + "," + a_with_id + "]"), "ok"},
      {"merge_offered", offer("[" + a + "," + a + "]"), "data_invalid: lines has a line twice"},
      {"merge_offered", offer("[" + a_with_id + "," + b_with_id + "]"), "data_invalid: lines has a line twice"},
      {"merge_offered", offer("{}"), "data_invalid: lines is not an array of at most 2000 entries"},
      {"merge_offered", offer("[1]"), "data_invalid: lines has an entry that is not an object"},
      {"merge_offered", offer(R"([{"sku":"A","quantity":1}])"), "data_invalid: unit_price_minor is missing"},
      {"merge_offered", R"({"from":"c2","merge":17,"currency":"GBP"})", "data_invalid: lines is missing"},
      {"merge_offered", R"({"from":"c2","merge":17,"lines":[]})", "data_invalid: currency is missing"},
      {"merge_offered", R"({"from":"c2","merge":-1,"currency":"GBP","lines":[]})",
       "data_invalid: merge is not from 0 to 9223372036854775807"},
      {"merge_offered", R"({"from":"\t","merge":1,"currency":"GBP","lines":[]})",
       "data_invalid: from is not a cart id"},
      {"merge_answered", R"({"from":"c2","merge":17})", "ok"},
      {"merge_answered", R"({"from":"c2","merge":17,"code":"cart_full"})", "ok"},
      {"merge_answered", R"({"from":"c2","merge":17,"code":"no"})",
       "data_invalid: code is none of the codes of refusals"},
      {"merge_answered", R"({"merge":17})", "data_invalid: from is missing"},
      {"merge_answered", R"({"from":"c2"})", "data_invalid: merge is missing"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.data);
    CHECK(read(row.type, row.data) == row.verdict);
  }
}

TEST_CASE("an offer may have 1,000,000 bytes if the engine wrote it, every other command 64 KiB") {
  const auto of_size = [](std::size_t bytes) {
    std::string data = R"({"from":"c2","merge":17,"currency":"GBP","lines":[]})";
    data.resize(bytes, ' ');
    return data;
  };
  const auto from = [](const char* source, const char* id, const char* type) {
    return Headers{{"ce_specversion", "1.0"},
                   {"ce_id", id},
                   {"ce_source", source},
                   {"ce_type", std::string("dev.mayfly.") + type + ".v1"}};
  };
  const auto own = from("/mayfly/test", "0-17-2", "cart.merge_offered");
  CHECK(verdict(of_size(1'000'000), own) == "ok");
  CHECK(verdict(of_size(1'000'001), own) == "too_large");
  constexpr std::size_t more = 64 * 1024 + 1;
  CHECK(verdict(of_size(more), from("/t", "0-17-2", "cart.merge_offered")) == "too_large");
  CHECK(verdict(of_size(more), from("/mayfly/test", "a1", "cart.merge_offered")) == "too_large");
  CHECK(verdict(of_size(more), from("/mayfly/test", "0-17-2", "cart.merge_answered")) == "too_large");
  CHECK(verdict(of_size(more), from("/mayfly/test", "0-17-2", "cart.add_line")) == "too_large");
  CHECK(verdict(of_size(64 * 1024), from("/t", "a1", "cart.cancel")) == "ok");
}

TEST_CASE("replies come from the sources that settings name, if they name any; the shop's commands from all") {
  const struct {
    const char* patterns;
    const char* source;
    bool taken;
  } rows[] = {
      {"", "/anybody", true},
      {"/pay", "/pay", true},
      {"/pay", "/pay/", false},
      {"/pay", "/Pay", false},
      {"/pay/*", "/pay/", true},
      {"/pay/*", "/pay/a/b", true},
      {"/pay/*", "/shop/pay/", false},
      {"*/pay", "/a/pay", true},
      {"*/pay", "/a/pay2", false},
      {"/a*b*c", "/aXbbYbc", true},
      {"/a*b*c", "/aXcYb", false},
      {"**", "/x", true},
      {"/pay /stock", "/stock", true},
      {"/pay /stock", "/pay /stock", false},
      {"  /pay   /stock ", "/stock", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.patterns);
    CAPTURE(row.source);
    Settings settings;
    settings.reply_sources = *SourcePatterns::from(row.patterns);
    auto headers = with(headers_of("payment.captured"), "ce_source", row.source);
    const std::string captured = R"({"session_id":"c1-p1","reference":"r","amount_minor":5,"currency":"EUR"})";
    CHECK(verdict(captured, headers, "c1", 0, 1, settings) == (row.taken ? "ok" : "source_refused"));
    headers = with(headers_of("cart.cancel"), "ce_source", row.source);
    CHECK(verdict("{}", headers, "c1", 0, 1, settings) == "ok");
  }
  CHECK(SourcePatterns::from(std::string(254, 'a')).has_value());
  CHECK(!SourcePatterns::from(std::string(255, 'a')));
  CHECK(!SourcePatterns::from(std::string(127, 'a') + " " + std::string(127, 'b')));
  CHECK(!SourcePatterns::from("/a\n/b"));
}

TEST_CASE("where the settings name a secret a tick is taken only with its proof, by who knows the secret") {
  const TickSecret secret("a secret of at least thirty-two bytes");
  const TickSecret other("another one of at least thirty-two bytes");
  const std::string value = R"({"at":"2026-11-22T10:00:00.000Z","through":6})";
  const auto proven = [&](const TickSecret& by, Partition partition, const std::string& source, const std::string& id,
                          const std::string& over) {
    const auto proof = by.proof(partition, source, id, over);
    return with(with(headers_of("clock.tick"), "ce_source", "/mayfly/test"), "ce_proof",
                std::string(proof.begin(), proof.end()));
  };
  const auto right = proven(secret, 0, "/mayfly/test", "1", value);
  const auto upper = [](Headers headers) {
    for (auto& c : headers.back().second) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
    return headers;
  };
  const struct {
    const char* of;
    Headers headers;
    bool known;
    bool unknown;
  } rows[] = {
      {"no proof", with(headers_of("clock.tick"), "ce_source", "/mayfly/test"), false, false},
      {"the right one", right, true, true},
      {"another secret's", proven(other, 0, "/mayfly/test", "1", value), false, true},
      {"another partition's", proven(secret, 1, "/mayfly/test", "1", value), false, true},
      {"another source's", proven(secret, 0, "/mayfly/deadletters", "1", value), false, true},
      {"another id's", proven(secret, 0, "/mayfly/test", "2", value), false, true},
      {"another value's", proven(secret, 0, "/mayfly/test", "1", value + " "), false, true},
      {"id and value cut elsewhere", proven(secret, 0, "/mayfly/test", "1" + value.substr(0, 1), value.substr(1)),
       false, true},
      {"in upper case", upper(right), false, false},
      {"a digit too few", with(right, "ce_proof", right.back().second.substr(1)), false, false},
      {"no digits", with(right, "ce_proof", std::string(64, 'x')), false, false},
  };
  Settings settings;
  settings.tick_secret = secret.id();
  for (const auto& row : rows) {
    CAPTURE(row.of);
    CHECK(tick_is_taken(value, row.headers, {}, settings, {{other, secret}, false}) == row.known);
    CHECK(tick_is_taken(value, row.headers, {}, settings, {{secret}, true}) == row.known);  // whoever knows it checks
    CHECK(!tick_is_taken(value, row.headers, {}, settings, {{other}, false}));
    CHECK(tick_is_taken(value, row.headers, {}, settings, {{}, true}) == row.unknown);  // a replay without the secret
    CHECK(tick_is_taken(value, row.headers, {}, Settings{}, {{secret}, false}));        // none is asked for
  }
  CHECK(!tick_is_taken(value, right, "c1", settings, {{secret}, false}));  // a proof does not stand in for the rest
  CHECK(secret.id() > 0);
  CHECK(secret.id() != other.id());
}

TEST_CASE("an unreadable record keeps its correlation id and trace") {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  std::vector<Header> headers = {{"ce_specversion", "1.0"},
                                 {"ce_id", "1"},
                                 {"ce_source", "/t"},
                                 {"ce_type", "dev.mayfly.unheard.of.v1"},
                                 {"ce_correlationid", "corr-1"},
                                 {"traceparent", trace}};
  Record record;
  record.key = "c1";
  record.value = "{}";
  record.headers = headers;
  std::pmr::monotonic_buffer_resource arena;
  CommandReader reader("test", 1);
  const auto read = reader.read(record, Settings{}, &arena);
  const auto* unreadable = std::get_if<Unreadable>(&read);
  REQUIRE(unreadable != nullptr);
  CHECK(unreadable->correlation_id == "corr-1");
  CHECK(unreadable->traceparent == trace);
}

TEST_CASE("a traceparent is carried on only in W3C's format, a correlation id only without card numbers") {
  const std::string ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
  CHECK(is_traceparent("00-" + ids + "-01"));
  for (const auto& other :
       {std::string(), std::string("4111111111111111"), "00-" + ids, "ff-" + ids + "-01", "00-" + ids + "-0G",
        "00-" + ids + "-01-more", "00-" + std::string(32, '0') + "-b7ad6b7169203331-01",
        std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")}) {
    CAPTURE(other);
    CHECK(!is_traceparent(other));
  }
  std::vector<Header> headers = {{"ce_specversion", "1.0"},
                                 {"ce_id", "1"},
                                 {"ce_source", "/t"},
                                 {"ce_type", "dev.mayfly.cart.cancel.v1"},
                                 {"ce_correlationid", "order 4111 1111 1111 1111"},
                                 {"traceparent", "4111111111111111"}};
  Record record;
  record.key = "c1";
  record.value = "{}";
  record.headers = headers;
  std::pmr::monotonic_buffer_resource arena;
  CommandReader reader("test", 1);
  const auto read = reader.read(record, Settings{}, &arena);
  const auto* command = std::get_if<ReadCommand>(&read);
  REQUIRE(command != nullptr);
  CHECK(command->correlation_id == "order **** **** **** ****");
  CHECK(command->traceparent.empty());
}

TEST_CASE("JSONTestSuite: what must be refused is, what must parse does, and nothing does harm") {
  const auto folder = testing::shared_data("json_test_suite/test_parsing");
  if (!folder) {
    MESSAGE("skipped: the JSON test suite is not here");
    return;
  }
  JsonReader reader;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
    const auto file = entry.path().filename().string();
    const auto text = testing::content_of(entry.path());
    CAPTURE(file);
    ++files;
    if (file.starts_with("n_")) {
      const std::string refused = text.size() > 64 * 1024 ? "too_large" : "json_invalid";
      CHECK(line(text) == refused);
      CHECK(line(R"({"sku":"A","quantity":1,"unit_price_minor":2,"ignored":)" + text + "}") == refused);
    } else if (file.starts_with("y_")) {
      const auto wrapped = line(R"({"sku":"A","quantity":1,"unit_price_minor":2,"ignored":)" + text + "}");
      CHECK(wrapped == "ok");
    } else {
      line(text);  // either way, without harm
    }
  }
  CHECK(files > 300);
}

TEST_CASE("naughty strings are served as names, skus and ids, or refused with a reason") {
  const auto file = testing::shared_data("naughty_strings/blns.json");
  if (!file) {
    MESSAGE("skipped: the naughty strings are not here");
    return;
  }
  for (const auto& entry : nlohmann::json::parse(testing::content_of(*file))) {
    const auto text = entry.get<std::string>();
    CAPTURE(text);
    std::string written;
    append_json_string(written, text);
    CHECK(nlohmann::json::parse(written).get<std::string>() == text);
    const auto as_name = line(R"({"sku":"A","quantity":1,"unit_price_minor":2,"name":)" + written + "}");
    CHECK((as_name == "ok" || as_name == "data_invalid: name is longer than 256 bytes"));
    const auto as_sku = line(R"({"quantity":1,"unit_price_minor":2,"sku":)" + written + "}");
    CHECK((as_sku == "ok" || as_sku.starts_with("data_invalid: sku is")));
    const auto as_key = verdict(good, headers_of("cart.add_line"), text);
    CHECK(as_key == (is_cart_id(text) ? "ok" : "key_invalid"));
    auto headers = headers_of("cart.add_line");
    headers[1].second = text;
    const auto as_id = verdict(good, headers);
    CHECK((as_id == "ok" || as_id == "not_cloudevent"));
  }
}
