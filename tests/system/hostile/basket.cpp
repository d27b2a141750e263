#include "system/hostile/basket.h"

#include <algorithm>

namespace mayfly::hostile {

using Json = nlohmann::json;

std::int64_t BasketLine::cost() const {
  const auto whole = quantity * price;
  const auto twice_rest = whole % per * 2;
  const auto down = whole / per;
  return twice_rest > per || (twice_rest == per && down % 2 != 0) ? down + 1 : down;
}

Json BasketLine::named() const {
  Json data = {{"sku", sku}};
  if (!line_id.empty()) data["line_id"] = line_id;
  return data;
}

Json BasketLine::as_json() const {
  Json data = named();
  data.update({{"quantity", quantity}, {"unit_price_minor", price}, {"name", "An article"}});
  if (per > 1) data["per_quantity"] = per;
  if (!line_id.empty()) data["attributes"] = {{"wrapping", "silver"}, {"card", "for " + line_id}};
  return data;
}

std::vector<Basket::Click> Basket::fill(const Habits& habits, tools::Chance& chance) {
  std::vector<Click> clicks;
  const auto lines = 1 + chance.below(4);
  for (std::int64_t i = 0; i < lines; ++i) {
    BasketLine line;
    line.quantity = 1 + chance.below(5);
    line.price = chance.percent(2) ? 0 : 1 + chance.below(9'999);
    const bool gift = chance.percent(habits.own_line_id);
    line.sku = gift ? "GIFT" : "SKU-" + std::to_string(i);  // gifts differ by their lines alone
    if (gift) line.line_id = "line-" + std::to_string(i);
    if (chance.percent(habits.by_weight)) {
      line.quantity = 1 + chance.below(3'000);
      line.per = 1'000;
    }
    clicks.emplace_back(chance.percent(habits.set_line) ? "cart.set_line" : "cart.add_line", line.as_json());
    const bool first = i == 0;
    if (!first && chance.percent(10)) {  // thinks better of it
      Json data = line.named();
      if (chance.percent(50)) {
        clicks.emplace_back("cart.remove_line", data);
        continue;
      }
      data["quantity"] = ++line.quantity;
      clicks.emplace_back("cart.change_quantity", data);
    }
    lines_.push_back(line);
  }
  if (!chance.percent(20)) return clicks;
  shipping_ = chance.below(500);
  Json adjustments = Json::array({{{"kind", "shipping"}, {"label", "Parcel"}, {"amount_minor", shipping_}}});
  Json tax = {{"kind", "tax"}, {"label", "VAT"}, {"amount_minor", lines_.front().cost() / 6}, {"included", true}};
  tax.update(lines_.front().named());
  adjustments.push_back(tax);
  clicks.emplace_back("cart.adjust", Json{{"adjustments", adjustments}});
  return clicks;
}

std::vector<Basket::Click> Basket::fill(BasketLine line) {
  lines_ = {std::move(line)};
  return {{"cart.add_line", lines_.front().as_json()}};
}

BasketLine Basket::keep(const std::string& sku, const std::string& line_id, std::int64_t quantity) {
  const auto line = std::find_if(lines_.begin(), lines_.end(),
                                 [&](const BasketLine& l) { return l.sku == sku && l.line_id == line_id; });
  if (line == lines_.end() || line->quantity <= quantity) return {};
  BasketLine out = *line;
  out.quantity -= quantity;
  line->quantity = quantity;
  if (quantity == 0) lines_.erase(line);
  return out;
}

std::int64_t Basket::total() const {
  auto total = shipping_;
  for (const auto& line : lines_) total += line.cost();
  return total;
}

}  // namespace mayfly::hostile
