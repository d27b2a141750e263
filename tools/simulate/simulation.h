// A simulated payment service, and a warehouse if it is wanted, beside a running engine: reads the log's events and
// answers their requests with commands. What it knows comes from the events: started again, it reads them from the
// begin and has the same books, and answers from the position on that is kept in the log.
#pragma once

#include "events/log/log.h"
#include "tools/records/command_writer.h"
#include "tools/simulate/provider.h"
#include "tools/simulate/warehouse.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mayfly::tools {

class Simulation {
 public:
  struct Wanted {
    bool provider = true;
    bool warehouse = false;
    Rates rates;
    std::uint64_t seed = 1;
    std::int64_t faster = 1;  // all waits are divided by it
  };
  /// `log` outlives it.
  Simulation(events::LogClient& log, Wanted);

  /// Reads what is there and makes the books of it. Call first.
  [[nodiscard]] events::LogStatus begin();
  /// Reads on, sends what is due at `now`, keeps its position; waits for nothing. `found`: whether there was anything.
  [[nodiscard]] events::LogStatus step(events::Timestamp now, bool& found);
  /// Keeps its position, also where it was kept a moment ago.
  [[nodiscard]] events::LogStatus keep();

  /// Reads on without answering: no more than which orders are placed. Call last.
  [[nodiscard]] events::LogStatus read_orders_to_the_end();

  [[nodiscard]] const SimulatedProvider& provider() const { return provider_; }
  [[nodiscard]] const SimulatedWarehouse& warehouse() const { return warehouse_; }
  /// The sessions of orders that are placed, and how much each may keep.
  [[nodiscard]] const std::map<std::string, std::int64_t>& orders() const { return orders_; }
  [[nodiscard]] std::int64_t taken() const { return taken_; }
  [[nodiscard]] std::int64_t sent() const { return out_.written(); }
  [[nodiscard]] std::size_t waiting() const { return stock_.size() + money_.size(); }

 private:
  /// All that is there of a partition. Nothing is said to what lies before `answered`: what was pending there is
  /// settled.
  [[nodiscard]] events::LogStatus read_from_the_begin(events::Position& next, events::Offset answered);
  void take(const events::Record&);
  void note_order(std::string_view type, const events::Record&);

  events::LogClient& log_;
  const Wanted wanted_;
  const std::string group_;  // of readers
  CommandWriter out_;
  Chance chance_;
  Outbox stock_;
  Outbox money_;
  SimulatedWarehouse warehouse_;
  SimulatedProvider provider_;
  std::map<std::string, std::int64_t> orders_;
  std::map<std::string, std::string> session_of_;  // by cart, of orders that are placed
  std::vector<events::Position> next_;
  std::vector<events::Position> kept_;
  events::Timestamp looked_at_{};
  std::int64_t taken_ = 0;
};

}  // namespace mayfly::tools
