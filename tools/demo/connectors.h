// A shop, an inventory and a payment provider that are simulated in the open: they read events and answer with
// commands through the log, as real ones would. All chances come from a seed.
#pragma once

#include "events/log/log.h"
#include "tools/records/command_writer.h"

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

struct Chances {
  int decline_percent = 10;
  int silence_percent = 2;
  int out_of_stock_percent = 5;
  events::Millis mean_delay{150};
};

/// Counts what was seen in the events.
struct Seen {
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

/// Sends carts: a few lines each, a checkout at once; a cart that is reopened is tried once more, then canceled.
class SimulatedShop final : public Shop {
 public:
  SimulatedShop(CommandWriter& out, std::uint64_t seed) : out_(out), random_(seed) {}
  events::LogStatus new_cart();
  events::LogStatus reopened(const std::string& cart) override;
  void over(const std::string& cart) override { open_.erase(cart); }
  [[nodiscard]] std::int64_t started() const { return started_; }

 private:
  struct OpenCart {
    std::int64_t total = 0;
    int tries = 1;
  };
  events::LogStatus send(const std::string& cart, std::string type, std::string data);
  events::LogStatus complete(const std::string& cart, const OpenCart&);
  CommandWriter& out_;
  std::mt19937_64 random_;
  std::map<std::string, OpenCart> open_;
  std::int64_t started_ = 0;
};

/// What a provider has on its books for a payment session. Totals so far.
struct ProviderBooks {
  std::string state = "not_found";  // as payment.status says it
  std::int64_t authorized_minor = 0;
  std::int64_t captured_minor = 0;
  std::int64_t refunded_minor = 0;
};

/// Reads the events stream and answers requests as inventory and provider, each after a delay.
class Connectors {
 public:
  Connectors(events::LogClient& in, CommandWriter& out, Shop&, Chances, std::uint64_t seed);
  /// Reads what is new and sends the answers that are due at `now`.
  events::LogStatus step(events::Timestamp now);
  [[nodiscard]] const Seen& seen() const { return seen_; }

 private:
  void take(const events::Record&, events::Timestamp now);
  /// What the provider does with a request, in its books; the answer. A request asked for again is answered again.
  OutgoingCommand provider_answer(std::string_view type, const std::string& session, std::int64_t amount,
                                  const std::string& currency);
  void answer_later(events::Timestamp now, OutgoingCommand);
  bool chance(int percent);

  events::LogClient& in_;
  CommandWriter& out_;
  Shop& shop_;
  Chances chances_;
  std::mt19937_64 random_;
  std::vector<events::Offset> next_;
  std::multimap<events::Timestamp, OutgoingCommand> answers_;
  std::map<std::string, ProviderBooks> books_;  // by session, until it ends
  Seen seen_;
  std::vector<std::string> reopened_;
};

}  // namespace mayfly::tools
