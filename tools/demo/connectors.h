// The simulated warehouse and payment provider (tools/simulate/) beside a shop: they read events and answer with
// commands through the log, as real ones would. All chances come from a seed.
#pragma once

#include "events/log/log.h"
#include "tools/records/command_writer.h"
#include "tools/simulate/provider.h"
#include "tools/simulate/warehouse.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// Counts what was seen in the events.
struct Seen {
  std::int64_t events = 0;  // of any kind
  std::int64_t orders = 0;
  std::int64_t completed = 0;
  std::int64_t declined = 0;
  std::int64_t reopened = 0;
  std::int64_t canceled = 0;
};

/// Is told what becomes of its carts.
class Shop {
 public:
  virtual ~Shop() = default;
  Shop() = default;
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;
  /// Each event, before the two below.
  virtual void saw(std::string_view, const std::string&, const events::Record&) {}
  /// Its checkout was given up; the cart is open again. Called after all events that were read at once.
  virtual events::LogStatus reopened(const std::string& cart) = 0;
  virtual void over(const std::string& cart) = 0;
};

/// Reads the events stream and lets warehouse and provider answer its requests.
class Connectors {
 public:
  /// Every length of time in the rates is divided by `faster`.
  Connectors(events::LogClient& in, CommandWriter& out, Shop&, const Rates&, std::uint64_t seed,
             std::int64_t faster = 1);
  virtual ~Connectors() = default;
  Connectors(const Connectors&) = delete;
  Connectors& operator=(const Connectors&) = delete;
  /// Reads what is new and sends the answers that are due at `now`.
  events::LogStatus step(events::Timestamp now);
  [[nodiscard]] const Seen& seen() const { return seen_; }

 protected:
  /// Where the re-enactment's provider differs (tools/reenact/): it makes requests wait.
  virtual void answer(const ConnectorRequest&, events::Timestamp now);
  /// Answers an authorization that the provider never sees.
  void decline_unseen(const ConnectorRequest&, std::string_view reason, events::Timestamp now);

 private:
  void take(const events::Record&, events::Timestamp now);

  events::LogClient& in_;
  Shop& shop_;
  const Rates rates_;
  Chance chance_;
  Outbox stock_;
  Outbox money_;
  SimulatedWarehouse warehouse_;
  SimulatedProvider provider_;
  std::vector<events::Offset> next_;
  Seen seen_;
  std::vector<std::string> reopened_;
};

}  // namespace mayfly::tools
