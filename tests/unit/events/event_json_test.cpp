// Requests as JSON: until when an answer is waited for, how long stock is held, under which key.
#include "events/wire/event_json.h"
#include "events/rules/identity.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <limits>
#include <memory_resource>

using namespace mayfly::events;

TEST_CASE("a reservation is asked for within a minute and held for three hours; its key knows no amount") {
  const Settings settings;
  Cart cart(std::pmr::get_default_resource());
  cart.id = "c1";
  cart.reservations = 1;
  const EventSurroundings surroundings{"shop", "c1", &cart, {0, 42}, Timestamp{1'750'000'000'000}, settings, nullptr};
  std::string data;
  append_event_data(data,
                    InventoryRequested{EventType::inventory_reservation_requested, 1, true, settings.reservation_wait},
                    surroundings);
  const auto json = nlohmann::json::parse(data);
  CHECK(json["reservation_id"] == "c1-r1");
  CHECK(json["deadline"] == "2025-06-15T15:07:40.000Z");
  CHECK(json["hold_until"] == "2025-06-15T18:06:40.000Z");
  CHECK(json["idempotency_key"].get<std::string>().size() == 36);
}

TEST_CASE("a late refund's key is none of those asked while the session was open") {
  const auto key = [](bool late) {
    return idempotency_key("shop", "c1", {0, 42}, "payment.refund_requested", 1, 1999, late);
  };
  CHECK(key(false) != key(true));
  CHECK(key(true) == key(true));
  CHECK(idempotency_key("shop", "c1", {0, 42}, "payment.refund_requested", 1, 1999) == key(false));
}

TEST_CASE("a refusal of version 1 keeps its message: events of old logs are decided again to the same bytes") {
  CHECK(sentence(Code::line_unknown) == "The cart has no line of this sku.");
  CHECK(sentence(Code::cart_full) == "The cart is full: 2000 lines, or 256 KiB of skus and names.");
  CHECK(sentence(Code::amount_out_of_range) == "A line or the total would be beyond 10^15 minor units.");
  CHECK(sentence(Code::attempts_exhausted) == "The cart has had 32 checkouts; create another one.");
}

TEST_CASE("what version 1.1 adds to events is written where it is said, and nowhere else") {
  const Settings settings;
  Cart cart(std::pmr::get_default_resource());
  cart.id = "c1";
  const EventSurroundings surroundings{"shop", "c1", &cart, {0, 42}, Timestamp{1'750'000'000'000}, settings, nullptr};
  const auto written = [&](const Event& event) {
    std::string data;
    append_event_data(data, event, surroundings);
    return data;
  };
  PaymentEvent e{};
  e.number = 1;
  e.amount_minor = 5;
  e.currency = *currency_in_force("GBP");
  const std::string begin = R"({"session_id":"c1-p1","amount_minor":5,"currency":"GBP")";
  e.type = EventType::payment_unresolved;
  CHECK(written(e) == begin + "}");
  e.cause = Cause::abandoned;
  CHECK(written(e) == begin + R"(,"cause":"abandoned"})");
  e.cause = Cause::none;
  e.type = EventType::payment_attempt_failed;
  e.reason = "no funds";
  e.attempt = 3;
  CHECK(written(e) == begin + R"(,"reason":"no funds","attempt":3})");
  e.type = EventType::payment_disputed;
  e.reason = {};
  e.dispute = DisputeState::lost;
  CHECK(written(e) == begin + R"(,"state":"lost"})");
  e.type = EventType::payment_pending;
  e.expires_at = Timestamp{1'750'000'000'000};
  CHECK(written(e) == begin + R"(,"expires_at":"2025-06-15T15:06:40.000Z"})");
  e.type = EventType::payment_authorization_requested;
  const Terms terms{true, 60, 3600, 7};
  e.terms = &terms;
  CHECK(written(e) ==
        begin + R"(,"capture":"on_command","capture_within_s":60,"settles_within_s":3600,"extra_up_to_minor":7})");
  e.terms = nullptr;
  CHECK(written(e) == begin + "}");
  e.type = EventType::payment_capture_requested;
  e.final = true;
  CHECK(written(e) == begin + R"(,"final":true})");
  cart.currency = e.currency;
  CHECK(written(CheckoutCompleted{}) == R"({"order_id":"o-c1","total_minor":0,"currency":"GBP"})");
  CHECK(written(CheckoutCompleted{5}) == R"({"order_id":"o-c1","total_minor":0,"currency":"GBP","captured_minor":5})");
  CHECK(written(OrderCanceled{Why::released}) == R"({"order_id":"o-c1","why":"released"})");
  CHECK(written(OrderPlaced{1, "pi", Timestamp{1'750'000'000'000}}) ==
        R"({"order_id":"o-c1","lines":[],"adjustments":[],"total_minor":0,"currency":"GBP","session_id":"c1-p1",)"
        R"("payment_reference":"pi","expires_at":"2025-06-15T15:06:40.000Z"})");
  const Available left[] = {{"A", "", 0}, {"B", "b1", 2}};
  CHECK(written(CheckoutReopened{Why::out_of_stock, {}, left}) ==
        R"({"why":"out_of_stock","available":[{"sku":"A","quantity":0},{"sku":"B","line_id":"b1","quantity":2}]})");
  CHECK(written(CheckoutReopened{Why::abandoned, {}}) == R"({"why":"abandoned"})");
  CHECK(written(CartMergeStarted{"d"}) == R"({"into":"d"})");
  CHECK(written(CartMergeRefused{"d", Code::cart_full, true}) == R"({"into":"d","code":"cart_full"})");
}

TEST_CASE("the order names what each of several tenders pays") {
  const Settings settings;
  Cart cart(std::pmr::get_default_resource());
  cart.id = "c1";
  const EventSurroundings surroundings{"shop", "c1", &cart, {0, 42}, Timestamp{1'750'000'000'000}, settings, nullptr};
  std::string data;
  append_event_data(data, OrderPlaced{0, {}, {}, {{{3, 300, "gift-1"}, {4, 700, ""}}}}, surroundings);
  const auto json = nlohmann::json::parse(data);
  CHECK(
      json["payments"].dump() ==
      R"([{"amount_minor":300,"reference":"gift-1","session_id":"c1-p3"},{"amount_minor":700,"session_id":"c1-p4"}])");
  CHECK_FALSE(json.contains("session_id"));
}

TEST_CASE("an offer of the fullest cart there can be stays below what a record may have, and so does its answer") {
  Cart cart(std::pmr::get_default_resource());
  cart.id = std::string(128, '"');
  cart.currency = *currency_in_force("GBP");
  const Settings settings;
  const Context context{{0, 42}, Timestamp{1'750'000'000'000}, settings};
  const std::int64_t text_of_each = limits::cart_text_bytes / limits::cart_lines;
  for (std::int64_t i = 0; i < limits::cart_lines; ++i) {
    const auto sku = std::to_string(100'000 + i);
    const auto line_id = "l" + sku;
    const std::string attributes = R"({"a":"b"})";
    const auto rest = text_of_each - std::ssize(sku) - std::ssize(line_id) - std::ssize(attributes);
    const std::string name =
        std::string(static_cast<std::size_t>(rest / 6), '\x01') + std::string(static_cast<std::size_t>(rest % 6), 'x');
    LineChanged line{EventType::cart_line_added, sku,       limits::quantity, max_amount_minor, name, 0, line_id,
                     limits::per_quantity,       attributes};
    evolve(cart, line, context);
  }
  CHECK(cart.text_bytes == limits::cart_lines * text_of_each);
  std::string offer;
  append_merge_offer_data(offer, cart, std::numeric_limits<Offset>::max());
  CHECK(std::ssize(offer) > limits::cart_text_bytes);
  CHECK(std::ssize(offer) < limits::offer_bytes * 6 / 10);
  std::string answer;
  append_merge_answer_data(answer, "d", {"c", 17, std::nullopt});
  CHECK(answer == R"({"from":"d","merge":17})");
  answer.clear();
  append_merge_answer_data(answer, "d", {"c", 17, Code::cart_full});
  CHECK(answer == R"({"from":"d","merge":17,"code":"cart_full"})");
}
