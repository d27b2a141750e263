#include "system/hostile/shop.h"

#include "events/rules/settings.h"

#include <algorithm>

namespace mayfly::hostile {

using namespace events;
using Json = nlohmann::json;

namespace {

constexpr int most_merges = 2;
constexpr const char* currencies[] = {"GBP", "EUR", "JPY", "KWD", "USD"};

bool is_end(std::string_view type) {
  return type == "cart.converted" || type == "cart.canceled" || type == "cart.expired" || type == "cart.merged";
}

}  // namespace

void Shop::send(Timestamp when, const std::string& cart, std::string_view type, const Json& data) {
  tools::OutgoingCommand c;
  c.key = cart;
  c.type = type;
  c.id = "click-" + std::to_string(habits_.each_cart_by_itself ? ++open_[cart].clicks : ++sent_);
  c.source = "/hostile/shop";
  c.data = data.dump();
  if (chance_.percent(habits_.rates.duplicate)) out_.send_again_at(when + chance_.between({1}, {20'000}), c);
  out_.send_again_at(when, std::move(c));
}

Timestamp Shop::open(Timestamp now, const std::string& cart, const std::vector<Basket::Click>& clicks) {
  auto& open = open_[cart];
  open.total = open.basket.total();
  send(now, cart, "cart.create", {{"currency", open.currency}});
  for (const auto& [type, data] : clicks) {
    now = now + Millis{1};
    send(now, cart, type, data);
  }
  return now + Millis{1};
}

void Shop::new_cart(Timestamp now) {
  const std::string cart = "cart-" + std::to_string(++started_);
  if (habits_.each_cart_by_itself) chance_.begin(cart);
  auto& it = open_[cart];
  it.currency = currencies[chance_.below(std::size(currencies))];
  it.pays = static_cast<Pays>(started_ % 3);
  const auto at = open(now, cart, it.basket.fill(habits_, chance_));
  if (chance_.percent(3)) return;  // walks away
  if (habits_.merge > 0 && chance_.percent(1))
    return send(at, cart, "cart.merge", {{"into", "cart-" + std::to_string(started_ + 1)}});
  if (chance_.percent(habits_.merge)) return log_in(at, cart, it);
  complete(at + chance_.between({1}, {30'000}), cart, it);
}

/// The buyer has a cart of an earlier day, which takes the guest's lines.
void Shop::log_in(Timestamp now, const std::string& guest, OpenCart& it) {
  it.into = guest + "-own";
  auto& own = open_[it.into];
  own.currency = chance_.percent(95) ? it.currency : currencies[chance_.below(std::size(currencies))];
  own.pays = it.pays;
  std::vector<Basket::Click> clicks;
  if (chance_.percent(60)) clicks = own.basket.fill(habits_, chance_);
  clicks.emplace_back("cart.assign", Json{{"customer_id", "buyer-of-" + guest}});
  const auto at = open(now, it.into, clicks);
  ++it.merges;
  send(at + chance_.between({1}, {20'000}), guest, "cart.merge", {{"into", it.into}});
  if (chance_.percent(habits_.crossing)) complete(at + chance_.between({1}, {20'000}), it.into, own);
}

std::int64_t Shop::within_s(Millis least, Millis most, std::int64_t shortest_s) {
  return std::max(shortest_s, chance_.between(least, most).count / 1'000);
}

Json Shop::payment_of(const std::string& cart, OpenCart& open) {
  using namespace limits;
  Json payment = {{"provider", "hostile-" + std::to_string(open.tries)}, {"token", "tok_" + cart}};
  const bool days_later = open.pays == Pays::days_later;
  if (days_later) payment["settles_within_s"] = within_s(1_h, 240_h, settles_within_min_s);
  if (open.pays == Pays::on_command || (days_later && chance_.percent(30))) {
    const auto within = within_s(habits_.capture_least, habits_.capture_most, capture_within_min_s);
    payment["capture"] = "on_command";
    payment["capture_within_s"] = within;
    open.within = Millis{within * 1'000};
  }
  if (open.total > 4 && chance_.percent(20)) payment["extra_up_to_minor"] = 1 + chance_.below(open.total / 4);
  return payment;
}

void Shop::complete(Timestamp when, const std::string& cart, OpenCart& open) {
  ++open.tries;
  open.within = {};
  const auto expected = open.total + (chance_.percent(1) ? 1 : 0);
  send(when, cart, "checkout.complete", {{"expected_total_minor", expected}, {"payment", payment_of(cart, open)}});
  if (!chance_.percent(habits_.crossing)) return;
  const auto longest = chance_.percent(70)             ? Millis{12'000}
                       : open.pays == Pays::days_later ? habits_.thinks_longest
                                                       : Millis{400'000};
  const char* type = chance_.percent(40) ? "checkout.abandon" : "cart.cancel";
  send(when + chance_.between({10}, longest), cart, type, {{"reason", "changed my mind"}});
}

void Shop::take(Timestamp now, const std::string& cart, std::string_view type, const Json& data) {
  const auto found = open_.find(cart);
  if (found == open_.end()) return;
  auto& open = found->second;
  if (habits_.each_cart_by_itself) chance_.begin(cart + " heard " + std::to_string(++open.heard));
  if (type.starts_with("cart.") && data.contains("total_minor")) open.total = data.at("total_minor");
  if (is_end(type)) {
    if (chance_.percent(2)) complete(now + chance_.between({10}, {5'000}), cart, open);  // clicks once more
    const auto into = open_.find(type == "cart.merged" ? open.into : "");
    if (into != open_.end()) complete(now + chance_.between({1}, {30'000}), into->first, into->second);
    open_.erase(cart);
  } else if (type == "checkout.reopened") {
    reopened(now, cart, open, data);
  } else if (type == "cart.merge_refused") {
    merge_refused(now, cart, open);
  } else if (type == "payment.action_required") {
    if (chance_.percent(habits_.goes_back))
      send(now + chance_.between({1'000}, {60'000}), cart, "checkout.abandon", Json::object());
  } else if (type == "order.placed" && open.within.count > 0) {
    ship(now, cart, open, data.at("total_minor"));
  } else if (type == "command.rejected") {
    refused(now, cart, open, data);
  }
}

void Shop::refused(Timestamp now, const std::string& cart, OpenCart& open, const Json& data) {
  const auto code = data.value("code", "");
  if (code == "total_mismatch") {
    open.total = data.at("total_minor");
    reopened(now, cart, open, Json::object());
  } else if (code == "capture_in_progress" && !open.last_asked.is_null()) {
    send(now + chance_.between({60'000}, {1'800'000}), cart, "payment.capture", open.last_asked);
  } else if (data.value("command_type", "") == "cart.merge") {
    merge_refused(now, cart, open);
  }
}

void Shop::merge_refused(Timestamp now, const std::string& cart, OpenCart& open) {
  if (!open.into.empty() && ++open.merges <= most_merges)
    return send(now + chance_.between({1'000}, {600'000}), cart, "cart.merge", {{"into", open.into}});
  if (open.tries == 0) complete(now + chance_.between({10}, {60'000}), cart, open);
}

void Shop::reopened(Timestamp now, const std::string& cart, OpenCart& open, const Json& data) {
  if (data.contains("available") && open.tries < habits_.most_tries) {
    for (const auto& left : data.at("available")) {
      const auto before = open.basket.total();
      const auto missing = open.basket.keep(left.at("sku"), left.value("line_id", ""), left.at("quantity"));
      if (missing.quantity == 0) continue;
      Json change = missing.named();
      change["quantity"] = left.at("quantity");
      now = now + Millis{1};
      send(now, cart, "cart.change_quantity", change);
      open.total += open.basket.total() - before;
      if (chance_.percent(60)) order_back(now, cart, open, missing);
    }
  }
  if (open.tries < habits_.most_tries) return complete(now + chance_.between({10}, {60'000}), cart, open);
  if (chance_.percent(60)) send(now + Millis{10}, cart, "cart.cancel", Json::object());
}

/// What is missing is ordered in a cart of its own, and paid when it is there.
void Shop::order_back(Timestamp now, const std::string& cart, const OpenCart& of, BasketLine missing) {
  const auto later = cart + "-back-" + std::to_string(of.tries);
  auto& back = open_[later];
  back.currency = of.currency;
  back.pays = Pays::on_command;
  const auto at = open(now, later, back.basket.fill(std::move(missing)));
  complete(at + Millis{1}, later, back);
}

/// Parcels leave, and their money is asked for: at once, in parts, less than all of it, none, or not in time.
void Shop::ship(Timestamp now, const std::string& cart, OpenCart& open, std::int64_t total) {
  const auto way = chance_.below(100);
  const auto first = now + Millis{open.within.count * (1 + chance_.below(40)) / 100};
  const auto second = first + Millis{open.within.count * (1 + chance_.below(40)) / 100};
  if (way < 45) return capture(first, cart, open, total, chance_.percent(50));
  if (way < 70) {
    capture(first, cart, open, total / 3, false);
    return capture(second, cart, open, total, chance_.percent(50));
  }
  if (way < 80) {
    capture(first, cart, open, total / 4, false);
    return capture(second, cart, open, total / 2, true);
  }
  if (way < 86) return capture(first, cart, open, total / 2, true);
  if (way < 91) return capture(first, cart, open, 0, true);  // nothing left after all
  if (way < 94) return capture(first, cart, open, total / 2, false);
  if (way < 97) capture(now + Millis{open.within.count + open.within.count / 10}, cart, open, total, false);
}

void Shop::capture(Timestamp when, const std::string& cart, OpenCart& open, std::int64_t total, bool final) {
  open.last_asked = Json{{"total_minor", total}};
  if (final) open.last_asked["final"] = true;
  send(when, cart, "payment.capture", open.last_asked);
}

}  // namespace mayfly::hostile
