#include "tools/simulate/warehouse.h"

namespace mayfly::tools {

using Json = nlohmann::json;

void SimulatedWarehouse::take(events::Timestamp now, const ConnectorRequest& request) {
  const auto& [cart, type, event, correlation, at, data] = request;
  const std::string id = data.at("reservation_id");
  answers_.begin(event, correlation, at);
  if (type == "inventory.reservation_requested") {
    if (answers_.request_is_lost()) return;
    auto& r = reservations_[id];
    r.cart = cart;
    r.hold_until = data.at("hold_until");
    if (chance_.percent(rates_.out_of_stock)) {
      r.state = "rejected";
      const auto& missing = data.at("lines").at(0);
      Json left = {{"sku", missing.at("sku")}, {"quantity", chance_.below(missing.at("quantity").get<std::int64_t>())}};
      if (missing.contains("line_id")) left["line_id"] = missing.at("line_id");
      const Json reply = {
          {"reservation_id", id}, {"skus", {missing.at("sku")}}, {"reason", "sold out"}, {"available", {left}}};
      return answers_.answer(now, cart, "inventory.rejected", reply.dump());
    }
    r.state = "held";
    r.held_at = now;
    return answers_.answer(now, cart, "inventory.reserved", Json{{"reservation_id", id}}.dump());
  }
  // Commits and releases have no answer and are never lost: the log is read to its end.
  auto& r = reservations_[id];
  r.cart = cart;
  const bool commit = type == "inventory.commit_requested";
  if (r.state == "held") {
    r.state = commit ? "committed" : "released";
    r.ended_at = now;
  } else if (commit ? r.state != "committed" : r.state == "committed") {
    ++r.wrong;
  }
}

std::string SimulatedWarehouse::books_as_ndjson() const {
  std::string text;
  for (const auto& [id, r] : reservations_) {
    text += Json{{"reservation", id},
                 {"cart", r.cart},
                 {"state", r.state},
                 {"hold_until", r.hold_until},
                 {"held_at_ms", r.held_at.ms},
                 {"ended_at_ms", r.ended_at.ms},
                 {"wrong", r.wrong}}
                .dump();
    text += '\n';
  }
  return text;
}

}  // namespace mayfly::tools
