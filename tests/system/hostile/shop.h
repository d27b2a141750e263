// A shop whose buyers repeat clicks, cancel while a checkout runs, try again, pay days later, log in, walk away. A
// third of its carts is paid at once, a third takes days, a third is captured on command. Keeps what its open carts
// hold.
#pragma once

#include "system/hostile/basket.h"
#include "tools/simulate/outbox.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>

namespace mayfly::hostile {

class Shop {
 public:
  /// All three outlive it.
  Shop(tools::Outbox& out, const Habits& habits, tools::Chance& chance) : out_(out), habits_(habits), chance_(chance) {}
  /// A buyer fills a cart and checks out, or does not.
  void new_cart(events::Timestamp now);
  /// Any event of a cart.
  void take(events::Timestamp now, const std::string& cart, std::string_view type, const nlohmann::json& data);
  /// Carts of buyers; those at login and those for what was missing come on top.
  [[nodiscard]] std::int64_t started() const { return started_; }
  [[nodiscard]] std::size_t open() const { return open_.size(); }

 private:
  enum class Pays { at_once, days_later, on_command };
  struct OpenCart {
    Basket basket;
    std::int64_t total = 0;
    std::string currency;
    Pays pays = Pays::at_once;
    int tries = 0;
    int clicks = 0;  // sent, where each cart is by itself
    int heard = 0;
    std::string into;           // the cart that it is merged into
    int merges = 0;             // that were asked for
    nlohmann::json last_asked;  // the last payment.capture
    events::Millis within{};    // how long the shop has to ask for it
  };
  void send(events::Timestamp when, const std::string& cart, std::string_view type, const nlohmann::json& data);
  /// Creates it and fills it. Returns when the last click was.
  events::Timestamp open(events::Timestamp now, const std::string& cart, const std::vector<Basket::Click>&);
  void log_in(events::Timestamp now, const std::string& guest, OpenCart&);
  void complete(events::Timestamp when, const std::string& cart, OpenCart&);
  nlohmann::json payment_of(const std::string& cart, OpenCart&);
  void reopened(events::Timestamp now, const std::string& cart, OpenCart&, const nlohmann::json& data);
  void order_back(events::Timestamp now, const std::string& cart, const OpenCart&, BasketLine missing);
  void ship(events::Timestamp now, const std::string& cart, OpenCart&, std::int64_t total);
  void capture(events::Timestamp when, const std::string& cart, OpenCart&, std::int64_t total, bool final);
  void refused(events::Timestamp now, const std::string& cart, OpenCart&, const nlohmann::json& data);
  void merge_refused(events::Timestamp now, const std::string& cart, OpenCart&);
  std::int64_t within_s(events::Millis least, events::Millis most, std::int64_t shortest_s);

  tools::Outbox& out_;
  const Habits& habits_;
  tools::Chance& chance_;
  std::map<std::string, OpenCart> open_;
  std::int64_t started_ = 0;
  std::int64_t sent_ = 0;
};

}  // namespace mayfly::hostile
