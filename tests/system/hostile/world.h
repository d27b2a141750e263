// Shop, inventory and provider round one log: reads the events, gives each to whom it concerns, sends what is due.
#pragma once

#include "events/log/log.h"
#include "system/hostile/provider.h"
#include "system/hostile/shop.h"
#include "tools/records/command_writer.h"
#include "tools/simulate/warehouse.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::hostile {

class World {
 public:
  World(events::LogClient& log, const Habits& habits, std::uint64_t seed, std::int64_t faster)
      : log_(log),
        habits_(habits),
        chance_(seed, faster),
        answers_chance_(seed, faster),
        writer_(log),
        clicks_(writer_, "/hostile/shop"),
        stock_(writer_, "/hostile/inventory"),
        money_(writer_, "/hostile/provider"),
        shop_(clicks_, habits, chance_),
        inventory_(stock_, habits.rates, answers_chance_),
        provider_(money_, habits.rates, answers_chance_),
        next_(static_cast<std::size_t>(log.partitions()), 0) {}

  /// Sends what is due at `now`.
  events::LogStatus send(events::Timestamp now);
  /// Reads the events that are new.
  events::LogStatus listen(events::Timestamp now);
  /// The next time at which something will be sent.
  [[nodiscard]] std::optional<events::Timestamp> next() const;
  void become_reliable() {
    inventory_.become_reliable();
    provider_.become_reliable();
  }
  Shop& shop() { return shop_; }
  Provider& provider() { return provider_; }
  [[nodiscard]] const tools::SimulatedWarehouse& inventory() const { return inventory_; }
  [[nodiscard]] std::int64_t heard() const { return heard_; }
  [[nodiscard]] std::int64_t sent() const { return writer_.written(); }

 private:
  void hear(events::Timestamp now, const events::Record&);
  std::string name_of(const tools::ConnectorRequest&);

  events::LogClient& log_;
  const Habits& habits_;
  tools::Chance chance_;          // of the buyers
  tools::Chance answers_chance_;  // of the connectors, begun anew with each request
  tools::CommandWriter writer_;
  tools::Outbox clicks_;
  tools::Outbox stock_;
  tools::Outbox money_;
  Shop shop_;
  tools::SimulatedWarehouse inventory_;
  Provider provider_;
  std::vector<events::Offset> next_;
  std::map<std::string, int> asked_;  // how often by name, where each cart is by itself
  std::int64_t heard_ = 0;
};

}  // namespace mayfly::hostile
