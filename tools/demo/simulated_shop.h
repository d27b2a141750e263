// The demo's shop: carts with a few lines each and a checkout at once. Most are paid by card; some payments take days,
// some are captured when parcels leave, some buyers log in first. A cart that is reopened is tried once more, with what
// the warehouse still has, then canceled. All chances come from a seed, and none is taken after new_cart: which buyers
// come does not depend on how fast the engine is.
#pragma once

#include "tools/demo/connectors.h"
#include "tools/records/command_writer.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace mayfly::tools {

class SimulatedShop final : public Shop {
 public:
  /// `out` outlives it.
  SimulatedShop(CommandWriter& out, std::uint64_t seed) : out_(out), random_(seed) {}
  events::LogStatus new_cart();
  /// Sends what is due: captures of parcels that leave, merges that are tried again, checkouts of merged carts.
  events::LogStatus send_due(events::Timestamp now);
  void saw(std::string_view type, const std::string& cart, const events::Record&) override;
  events::LogStatus reopened(const std::string& cart) override;
  void over(const std::string& cart) override { open_.erase(cart); }
  /// Buyers; one who logs in has two carts.
  [[nodiscard]] std::int64_t started() const { return started_; }

 private:
  struct Line {
    nlohmann::json data;  // of cart.add_line
    [[nodiscard]] std::int64_t cost() const;
  };
  struct OpenCart {
    std::vector<Line> lines;
    nlohmann::json payment;
    bool in_two_parcels = false;  // of one that is captured on command
    std::string into;             // the buyer's own cart, which takes these lines
    int tries = 1;
    [[nodiscard]] std::int64_t total() const;
    /// As a command names a line; nullptr if there is none.
    Line* named_as(const nlohmann::json& name);
    void add(const Line&);
  };
  struct Later {
    std::string cart;
    std::string command;
    nlohmann::json data;
  };
  Line new_line(std::size_t number);
  void new_payment(OpenCart&);
  events::LogStatus log_in(const std::string& guest, OpenCart&);
  events::LogStatus complete(const std::string& cart, const OpenCart&);
  events::LogStatus send(const std::string& cart, std::string type, const nlohmann::json& data);
  bool one_in(unsigned n) { return random_() % n == 0; }

  CommandWriter& out_;
  std::mt19937_64 random_;
  std::map<std::string, OpenCart> open_;
  std::multimap<events::Timestamp, Later> later_;
  std::vector<std::string> merged_;             // carts that have taken a guest's lines
  std::map<std::string, nlohmann::json> left_;  // by reopened cart: what the warehouse still has
  std::int64_t started_ = 0;
};

}  // namespace mayfly::tools
