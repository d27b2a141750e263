// A simulated warehouse with its own books: every reservation, since when it is held, what became of it. It never lets
// go of stock by itself, so that what the engine forgets to release stays to be seen.
#pragma once

#include "tools/simulate/answering.h"

#include <map>
#include <string>

namespace mayfly::tools {

struct Reservation {
  std::string cart;
  std::string state;  // held, rejected, committed, released; empty: not known here
  std::string hold_until;
  events::Timestamp held_at{};
  events::Timestamp ended_at{};
  int wrong = 0;  // commits and releases that do not fit what the books say
};

class SimulatedWarehouse {
 public:
  /// All three outlive it.
  SimulatedWarehouse(Outbox& out, const Rates& rates, Chance& chance)
      : answers_(out, rates, chance), rates_(rates), chance_(chance) {}
  /// An inventory.*_requested event.
  void take(events::Timestamp now, const ConnectorRequest&);
  void become_reliable() { answers_.become_reliable(); }
  void forget(const std::string& reservation) { reservations_.erase(reservation); }
  [[nodiscard]] std::string books_as_ndjson() const;

 private:
  Answering answers_;
  const Rates& rates_;
  Chance& chance_;
  std::map<std::string, Reservation> reservations_;
};

}  // namespace mayfly::tools
