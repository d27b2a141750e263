// A shop whose buyers repeat clicks, cancel while a checkout runs, try again, walk away. Keeps what its open carts
// hold.
#pragma once

#include "system/hostile/habits.h"
#include "tools/simulate/outbox.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>

namespace mayfly::hostile {

class Shop {
 public:
  Shop(tools::Outbox& out, const Habits& habits, tools::Chance& chance) : out_(out), habits_(habits), chance_(chance) {}
  /// A buyer fills a cart and checks out, or does not.
  void new_cart(events::Timestamp now);
  /// Any event of a cart.
  void take(events::Timestamp now, const std::string& cart, std::string_view type, const nlohmann::json& data);
  [[nodiscard]] std::int64_t started() const { return started_; }
  [[nodiscard]] std::size_t open() const { return open_.size(); }

 private:
  struct OpenCart {
    std::int64_t total = 0;
    int tries = 0;
    std::string currency;
  };
  void send(events::Timestamp when, const std::string& cart, std::string_view type, const nlohmann::json& data);
  void complete(events::Timestamp when, const std::string& cart, OpenCart&);

  tools::Outbox& out_;
  const Habits& habits_;
  tools::Chance& chance_;
  std::map<std::string, OpenCart> open_;
  std::int64_t started_ = 0;
  std::int64_t sent_ = 0;
};

}  // namespace mayfly::hostile
