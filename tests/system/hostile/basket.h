// What a buyer puts into a cart, and what it costs by the shop's own book.
#pragma once

#include "system/hostile/habits.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace mayfly::hostile {

struct BasketLine {
  std::string sku;
  std::string line_id;  // empty: named by its sku
  std::int64_t quantity = 0;
  std::int64_t price = 0;
  std::int64_t per = 1;  // how many the price is for

  [[nodiscard]] std::int64_t cost() const;
  /// With what names it.
  [[nodiscard]] nlohmann::json named() const;
  /// As cart.add_line and cart.set_line have it.
  [[nodiscard]] nlohmann::json as_json() const;
};

class Basket {
 public:
  using Click = std::pair<std::string, nlohmann::json>;  // a command's type and data
  /// The clicks that fill it, with second thoughts.
  std::vector<Click> fill(const Habits&, tools::Chance&);
  /// One line.
  std::vector<Click> fill(BasketLine);
  /// No more than `quantity` of a line. What was taken out; its quantity is 0 if there is no such line.
  BasketLine keep(const std::string& sku, const std::string& line_id, std::int64_t quantity);
  [[nodiscard]] std::int64_t total() const;

 private:
  std::vector<BasketLine> lines_;
  std::int64_t shipping_ = 0;
};

}  // namespace mayfly::hostile
