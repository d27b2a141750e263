#include "system/hostile/shop.h"

namespace mayfly::hostile {

using events::Millis;
using events::Timestamp;
using Json = nlohmann::json;

namespace {

constexpr int most_tries = 3;
constexpr const char* currencies[] = {"GBP", "EUR", "JPY", "KWD", "USD"};

}  // namespace

void Shop::send(Timestamp when, const std::string& cart, std::string_view type, const Json& data) {
  tools::OutgoingCommand c;
  c.key = cart;
  c.type = type;
  c.id = "click-" + std::to_string(++sent_);
  c.source = "/hostile/shop";
  c.data = data.dump();
  if (chance_.percent(habits_.rates.duplicate)) out_.send_again_at(when + chance_.between({1}, {20'000}), c);
  out_.send_again_at(when, std::move(c));
}

void Shop::new_cart(Timestamp now) {
  const std::string cart = "cart-" + std::to_string(++started_);
  auto& open = open_[cart];
  open.currency = currencies[chance_.below(std::size(currencies))];
  send(now, cart, "cart.create", {{"currency", open.currency}});
  auto at = now;
  const auto lines = 1 + chance_.below(4);
  for (std::int64_t i = 0; i < lines; ++i) {
    const std::string sku = "SKU-" + std::to_string(i);
    const auto quantity = 1 + chance_.below(5);
    const auto price = chance_.percent(2) ? 0 : 1 + chance_.below(9'999);
    at = at + Millis{1};
    open.total += quantity * price;
    send(at, cart, "cart.add_line",
         {{"sku", sku}, {"quantity", quantity}, {"unit_price_minor", price}, {"name", "An article"}});
    if (i == 0 || !chance_.percent(10)) continue;
    const bool remove = chance_.percent(50);  // thinks better of it
    at = at + Millis{1};
    open.total += (remove ? -quantity : 1) * price;
    if (remove) {
      send(at, cart, "cart.remove_line", {{"sku", sku}});
    } else {
      send(at, cart, "cart.change_quantity", {{"sku", sku}, {"quantity", quantity + 1}});
    }
  }
  if (chance_.percent(20)) {
    const auto shipping = chance_.below(500);
    open.total += shipping;
    at = at + Millis{1};
    send(at, cart, "cart.adjust",
         {{"adjustments", {{{"kind", "shipping"}, {"label", "Parcel"}, {"amount_minor", shipping}}}}});
  }
  if (chance_.percent(3)) return;  // walks away
  if (chance_.percent(1))
    return send(at + Millis{1}, cart, "cart.merge", {{"into", "cart-" + std::to_string(started_ + 1)}});
  complete(at + chance_.between({1}, {30'000}), cart, open);
}

void Shop::complete(Timestamp when, const std::string& cart, OpenCart& open) {
  ++open.tries;
  const auto expected = open.total + (chance_.percent(1) ? 1 : 0);
  send(when, cart, "checkout.complete",
       {{"expected_total_minor", expected}, {"payment", {{"provider", "hostile"}, {"token", "tok_" + cart}}}});
  if (chance_.percent(habits_.crossing)) {
    const auto quick = chance_.percent(70) ? Millis{12'000} : Millis{400'000};
    send(when + chance_.between({10}, quick), cart, "cart.cancel", {{"reason", "changed my mind"}});
  }
}

void Shop::take(Timestamp now, const std::string& cart, std::string_view type, const Json& data) {
  const auto found = open_.find(cart);
  if (found == open_.end()) return;
  auto& open = found->second;
  if (type == "cart.converted" || type == "cart.canceled" || type == "cart.expired" || type == "cart.merged") {
    if (chance_.percent(2)) complete(now + chance_.between({10}, {5'000}), cart, open);  // clicks once more
    open_.erase(found);
  } else if (type == "checkout.reopened" ||
             (type == "command.rejected" && data.value("code", "") == "total_mismatch")) {
    if (data.contains("total_minor")) open.total = data.at("total_minor");
    if (open.tries < most_tries) return complete(now + chance_.between({10}, {60'000}), cart, open);
    if (chance_.percent(60)) send(now + Millis{10}, cart, "cart.cancel", Json::object());
  }
}

}  // namespace mayfly::hostile
