#include "tools/records/found_cart.h"

#include "tools/console/parsed_json.h"
#include "tools/console/printable.h"

#include <utility>

namespace mayfly::tools {

namespace {

using Kind = DerivedId::Kind;

bool names(const events::Record& record, const char* member, const std::string& id) {
  const auto data = parsed_json(record.value.value_or("{}"));
  return data.is_object() && data.contains(member) && data[member] == id;
}

events::LogStatus look(events::LogClient& log, const std::string& id, std::size_t most_events,
                       const std::function<std::string(const events::Record&)>& as_text, FoundCart& found) {
  const auto [kind, cart, number] = found.reading;
  const char* member = member_of(kind);
  const bool derived = kind != Kind::cart;
  auto status = inspect_cart(log, cart, found.cart, [&](const events::Record& record) {
    found.events.push_back(as_text(record));
    if (found.events.size() > most_events) {
      found.events.pop_front();
      ++found.events_left_out;
    }
    found.has_it = found.has_it || (derived && names(record, member, id));
  });
  const char* count = kind == Kind::session ? "sessions" : "reservations";
  if (number > 0 && found.cart.state.contains(count) && found.cart.state[count] >= number) found.has_it = true;
  if (!derived) found.has_it = found.cart.known();
  return status;
}

}  // namespace

events::LogStatus find_cart(events::LogClient& log, const std::string& id, std::size_t most_events,
                            const std::function<std::string(const events::Record&)>& as_text, FoundCart& shown) {
  auto readings = readings_of(id);
  // What is too long for a cart's id may be a session's.
  if (readings.empty() || readings[0].kind != Kind::cart) readings.insert(readings.begin(), {Kind::cart, id, 0});
  shown = {};
  std::string near_by;
  for (auto& reading : readings) {
    FoundCart found;
    found.reading = std::move(reading);
    auto status = look(log, id, most_events, as_text, found);
    const bool over = !status.ok() || !found.cart.unreadable.empty();
    if (!over && !found.has_it && found.cart.known()) {
      near_by = "cart " + printable(found.reading.cart) + " is here, but has no such " + noun(found.reading.kind);
    }
    if (over || found.has_it || shown.reading.cart.empty()) shown = std::move(found);
    if (over) return status;
    if (shown.has_it) break;
  }
  shown.near_by = std::move(near_by);
  return {};
}

const char* member_of(Kind kind) {
  switch (kind) {
    case Kind::cart: return "";
    case Kind::order: return "order_id";
    case Kind::session: return "session_id";
    case Kind::reservation: return "reservation_id";
  }
  return "";
}

const char* noun(Kind kind) {
  switch (kind) {
    case Kind::cart: return "cart";
    case Kind::order: return "order";
    case Kind::session: return "payment session";
    case Kind::reservation: return "reservation";
  }
  return "";
}

std::string relation(const FoundCart& found, const std::string& id) {
  if (found.reading.kind == Kind::cart) return {};
  auto text = printable(id) + " is " + (found.reading.kind == Kind::order ? "the " : "") + noun(found.reading.kind);
  if (found.reading.number > 0) text += " " + std::to_string(found.reading.number);
  return text + " of this cart";
}

}  // namespace mayfly::tools
