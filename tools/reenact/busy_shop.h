// A shop whose buyers take their time: they fill carts line by line, and some check out. It notes how long each answer
// took and what became of each checkout. All chances come from a seed.
#pragma once

#include "tools/demo/connectors.h"
#include "tools/reenact/plan.h"

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mayfly::tools {

struct ShopFigures {
  std::int64_t offered = 0;    // carts that buyers began
  std::int64_t admitted = 0;   // cart.created
  std::int64_t refused = 0;    // cart.create that was refused
  std::int64_t checkouts = 0;  // begun
  std::int64_t orders = 0;     // placed while the buyer waited
  std::int64_t slow = 0;       // of these, that took longer than `slow`
  std::int64_t failed = 0;     // checkouts without an order when the buyer's patience ended, or refused
};

class BusyShop final : public Shop {
 public:
  BusyShop(CommandWriter&, const Plan&);

  /// Sends what buyers do at `now`: `begun` is the run's. What a buyer does depends on seed and number alone.
  events::LogStatus step(events::Timestamp begun, events::Timestamp now);
  [[nodiscard]] const ShopFigures& figures() const { return figures_; }
  /// A buyer has something to do, or waits for an order.
  [[nodiscard]] bool busy() const { return !due_.empty() || !checkouts_.empty(); }
  /// How long the engine took to answer each of the shop's commands that was answered since the last call, in
  /// milliseconds.
  std::vector<std::int64_t> take_answers() { return std::exchange(answers_, {}); }

  void saw(std::string_view type, const std::string& cart, const events::Record&) override;
  events::LogStatus reopened(const std::string&) override { return {}; }
  void over(const std::string&) override {}

 private:
  struct Buyer {
    std::minstd_rand random;
    int lines_to_add = 0;
    bool checks_out = false;
    std::int64_t total = 0;
    std::int64_t asked_ms = 0;     // of the oldest command without an answer; 0: none
    std::int64_t checkout_ms = 0;  // 0: not yet
  };
  using Buyers = std::unordered_map<std::string, Buyer>;

  events::LogStatus act(const std::string& cart, Buyer&);
  events::LogStatus send(const std::string& cart, Buyer&, std::string type, std::string data);
  void new_buyer();
  void give_up();
  [[nodiscard]] events::Millis think(Buyer&) const;

  CommandWriter& out_;
  const Plan& plan_;
  events::Timestamp now_{};
  Buyers buyers_;
  std::multimap<events::Timestamp, std::string> due_;
  std::deque<std::pair<events::Timestamp, std::string>> checkouts_;  // oldest first; those that are answered go from it
  std::vector<std::int64_t> answers_;
  ShopFigures figures_;
};

}  // namespace mayfly::tools
