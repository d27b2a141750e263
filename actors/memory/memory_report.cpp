#include "actors/memory/memory_report.h"

#include "events/wire/json_writer.h"

namespace mayfly::actors {

std::int64_t MemoryReport::named_bytes() const {
  std::int64_t sum = actor_bytes + message_bytes + log_bytes;
  for (const auto& amounts : purposes) sum += amounts.taken_bytes + amounts.rounding_bytes;
  return sum;
}

std::int64_t MemoryReport::unaccounted_bytes() const {
  return process.allocated < 0 ? 0 : process.allocated - named_bytes();
}

std::int64_t MemoryReport::fragmentation_bytes() const {
  const auto taken = process.anonymous >= 0 ? process.anonymous : process.resident;
  return process.allocated < 0 || taken < 0 ? 0 : taken - process.allocated;
}

std::int64_t MemoryReport::owners(Purpose purpose) const {
  switch (kind_of(purpose)) {
    case Kind::cart: return cart_actors;
    case Kind::session: return session_actors;
    case Kind::partition:
      return purpose == Purpose::partition_epitaphs ? epitaphs
             : purpose == Purpose::partition_awake  ? carts_awake
                                                    : carts_open;
    case Kind::log:
    case Kind::codec: return purposes[static_cast<std::size_t>(purpose)].taken_blocks;
  }
  return 0;
}

std::string to_json(const MemoryReport& r) {
  std::string out;
  events::JsonObject all(out);
  all.number("at_ms", r.at.ms);
  events::JsonObject rows(all.member("purposes"));
  for (std::size_t i = 0; i < purpose_count; ++i) {
    const auto purpose = static_cast<Purpose>(i);
    const auto& a = r.purposes[i];
    events::JsonObject row(rows.member(name(purpose)));
    row.number("bytes", a.taken_bytes);
    row.number("blocks", a.taken_blocks);
    row.number("peak_bytes", r.peak_bytes[i]);
    row.number("held_bytes", a.held_bytes);
    row.number("unexplained_bytes", a.unexplained_bytes);
    row.number("orphaned_bytes", a.orphaned_bytes);
    row.number("owners", r.owners(purpose));
    row.close();
  }
  rows.close();
  all.number("cart_actors", r.cart_actors);
  all.number("session_actors", r.session_actors);
  all.number("cart_actors_overdue", r.cart_actors_overdue);
  all.number("session_actors_overdue", r.session_actors_overdue);
  all.number("actors_running", r.actors_running);
  all.number("supervisors", r.supervisors);
  all.number("actor_bytes", r.actor_bytes);
  all.number("messages", r.messages);
  all.number("message_bytes", r.message_bytes);
  all.number("carts_open", r.carts_open);
  all.number("carts_awake", r.carts_awake);
  all.number("carts_alive", r.carts_alive);
  all.number("carts_waiting", r.carts_waiting);
  all.number("sessions_open", r.sessions_open);
  all.number("sessions_awake", r.sessions_awake);
  all.number("sessions_too_old", r.sessions_too_old);
  all.number("epitaphs", r.epitaphs);
  all.number("log_bytes", r.log_bytes);
  all.number("named_bytes", r.named_bytes());
  all.number("allocated_bytes", r.process.allocated);
  all.number("unaccounted_bytes", r.unaccounted_bytes());
  all.number("resident_bytes", r.process.resident);
  all.number("anonymous_bytes", r.process.anonymous);
  all.number("fragmentation_bytes", r.fragmentation_bytes());
  all.number("limit_bytes", r.process.limit);
  all.number("budget_bytes", r.budget_bytes);
  all.number("used_bytes", r.used_bytes);
  all.text("pressure", name(r.pressure));
  all.number("pressure_permille", r.process.pressure_permille);
  auto& leaks = all.member("leaks");
  leaks += '[';
  for (const auto& leak : r.leaks) {
    if (leaks.back() != '[') leaks += ',';
    append_json(leaks, leak);
  }
  leaks += ']';
  all.close();
  return out;
}

}  // namespace mayfly::actors
