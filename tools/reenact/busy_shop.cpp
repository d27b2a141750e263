#include "tools/reenact/busy_shop.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t price_minor = 499;

}  // namespace

BusyShop::BusyShop(CommandWriter& out, const Plan& plan) : out_(out), plan_(plan) {}

/// Between half and one and a half of the mean.
events::Millis BusyShop::think(Buyer& buyer) const {
  const auto mean = plan_.pace().count;
  return {mean / 2 + static_cast<std::int64_t>(buyer.random()) % (mean + 1)};
}

events::LogStatus BusyShop::step(events::Timestamp begun, events::Timestamp now) {
  now_ = now;
  const auto wanted = std::min((now - begun).count, plan_.length.count) * plan_.carts_per_s / ms_per_s;
  while (figures_.offered < wanted) new_buyer();
  events::LogStatus status;
  while (status.ok() && !due_.empty() && due_.begin()->first <= now) {
    const auto cart = std::move(due_.extract(due_.begin()).mapped());
    const auto buyer = buyers_.find(cart);
    if (buyer != buyers_.end()) status = act(cart, buyer->second);
  }
  give_up();
  return status;
}

void BusyShop::new_buyer() {
  const auto cart = new_id();
  auto& buyer = buyers_[cart];
  std::seed_seq seeds{plan_.seed, plan_.seed >> 32, static_cast<std::uint64_t>(figures_.offered)};
  buyer.random.seed(seeds);
  buyer.lines_to_add = fewest_lines + static_cast<int>(buyer.random() % (most_lines - fewest_lines + 1));
  buyer.checks_out = static_cast<int>(buyer.random() % 100) >= plan_.abandoned_percent();
  ++figures_.offered;
  due_.emplace(now_, cart);
}

/// The next command of a buyer. One who has left the cart alone is forgotten when the last one is answered.
events::LogStatus BusyShop::act(const std::string& cart, Buyer& buyer) {
  if (buyer.lines_to_add > 0) due_.emplace(now_ + think(buyer), cart);
  if (buyer.total == 0) {
    buyer.total = price_minor * buyer.lines_to_add;
    return send(cart, buyer, "cart.create", R"({"currency":"GBP"})");
  }
  if (buyer.lines_to_add > 0) {
    const auto line = buyer.lines_to_add--;
    return send(cart, buyer, "cart.add_line",
                Json{{"sku", "SKU-" + std::to_string(line)},
                     {"quantity", 1},
                     {"unit_price_minor", price_minor},
                     {"name", "Breakfast tea, 100 bags, tin no. " + std::to_string(line)}}
                    .dump());
  }
  if (!buyer.checks_out) {
    if (buyer.asked_ms == 0) buyers_.erase(cart);
    return {};
  }
  ++figures_.checkouts;
  buyer.checkout_ms = now_.ms;
  checkouts_.emplace_back(now_, cart);
  return send(
      cart, buyer, "checkout.complete",
      Json{{"expected_total_minor", buyer.total}, {"payment", {{"provider", "sim"}, {"token", "tok_demo"}}}}.dump());
}

events::LogStatus BusyShop::send(const std::string& cart, Buyer& buyer, std::string type, std::string data) {
  if (buyer.asked_ms == 0) buyer.asked_ms = now_.ms;
  OutgoingCommand c;
  c.key = cart;
  c.type = std::move(type);
  c.id = new_id();
  c.source = "/reenact/shop";
  c.data = std::move(data);
  c.correlation_id = "reenact-" + cart;
  return out_.write(std::move(c));
}

void BusyShop::saw(std::string_view type, const std::string& cart, const events::Record&) {
  const auto found = buyers_.find(cart);
  if (found == buyers_.end()) return;
  auto& buyer = found->second;
  if (buyer.asked_ms != 0) answers_.push_back(now_.ms - buyer.asked_ms);
  buyer.asked_ms = 0;
  const bool refused = type == "command.rejected" || type == "command.dead_lettered";
  if (type == "cart.created") ++figures_.admitted;
  if (type == "order.placed") {
    ++figures_.orders;
    if (now_.ms - buyer.checkout_ms > slow.count) ++figures_.slow;
  } else if (refused && buyer.checkout_ms != 0) {
    ++figures_.failed;
  } else if (refused) {
    ++figures_.refused;
  }
  const bool left = buyer.lines_to_add == 0 && !buyer.checks_out;
  if (type == "order.placed" || refused || left) buyers_.erase(found);
}

/// Buyers whose patience has ended.
void BusyShop::give_up() {
  while (!checkouts_.empty()) {
    const auto& [since, cart] = checkouts_.front();
    const bool waits = buyers_.contains(cart);
    if (waits && now_ - since < patience) return;
    if (waits) {
      ++figures_.failed;
      buyers_.erase(cart);
    }
    checkouts_.pop_front();
  }
}

}  // namespace mayfly::tools
