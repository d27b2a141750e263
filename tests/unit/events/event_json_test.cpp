// Requests as JSON: until when an answer is waited for, how long stock is held, under which key.
#include "events/wire/event_json.h"
#include "events/rules/identity.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

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
