#include "tools/demo/simulated_shop.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

constexpr int most_tries = 2;
constexpr events::Millis first_parcel{1'000};
constexpr events::Millis last_parcel{2'000};
constexpr events::Millis again{2'000};  // a capture that came while another one ran

struct Article {
  const char* sku;
  const char* name;
  std::int64_t price;
};
constexpr Article articles[] = {{"TEA-100", "Breakfast tea, 100 bags", 499},
                                {"MUG-BLUE", "Blue mug", 850},
                                {"KETTLE", "Kettle, 1.7 l", 3499},
                                {"HONEY", "Heather honey", 620},
                                {"TRAY", "Oak tray", 2400},
                                {"SPOON-6", "Six tea spoons", 1275}};

}  // namespace

/// Prices for more than one are such that nothing has to be rounded.
std::int64_t SimulatedShop::Line::cost() const {
  return data.at("quantity").get<std::int64_t>() * data.at("unit_price_minor").get<std::int64_t>() /
         data.value("per_quantity", std::int64_t{1});
}

std::int64_t SimulatedShop::OpenCart::total() const {
  std::int64_t sum = 0;
  for (const auto& line : lines) sum += line.cost();
  return sum;
}

SimulatedShop::Line* SimulatedShop::OpenCart::named_as(const Json& name) {
  const auto line = std::find_if(lines.begin(), lines.end(), [&](const Line& l) {
    return l.data.at("sku") == name.at("sku") && l.data.value("line_id", "") == name.value("line_id", "");
  });
  return line == lines.end() ? nullptr : &*line;
}

void SimulatedShop::OpenCart::add(const Line& line) {
  auto* known = named_as(line.data);
  if (known == nullptr) return lines.push_back(line);
  known->data["quantity"] =
      known->data.at("quantity").get<std::int64_t>() + line.data.at("quantity").get<std::int64_t>();
}

events::LogStatus SimulatedShop::send(const std::string& cart, std::string type, const Json& data) {
  OutgoingCommand c;
  c.key = cart;
  c.type = std::move(type);
  c.id = new_id();
  c.source = "/demo/shop";
  c.data = data.dump();
  c.correlation_id = "demo-" + cart;
  return out_.write(std::move(c));
}

SimulatedShop::Line SimulatedShop::new_line(std::size_t number) {
  const auto quantity = static_cast<std::int64_t>(1 + random_() % 3);
  if (one_in(8)) {
    return {{{"sku", "TEA-LOOSE"},
             {"line_id", "tea-" + std::to_string(number)},
             {"quantity", quantity * 250},
             {"unit_price_minor", 3960},
             {"per_quantity", 1'000},
             {"name", "Darjeeling, by the gram"}}};
  }
  if (one_in(8)) {
    return {{{"sku", "GIFT-CARD"},
             {"line_id", "gift-" + std::to_string(number)},
             {"quantity", 1},
             {"unit_price_minor", 1'000 * quantity},
             {"name", "Gift card"},
             {"attributes", {{"for", "somebody"}, {"design", quantity == 1 ? "birds" : "leaves"}}}}};
  }
  // Prices do not change: quantities of the same article simply add up.
  const auto& article = articles[(random_() + number) % std::size(articles)];
  return {{{"sku", article.sku}, {"quantity", quantity}, {"unit_price_minor", article.price}, {"name", article.name}}};
}

void SimulatedShop::new_payment(OpenCart& open) {
  open.payment = {{"provider", "sim"}, {"token", "tok_demo"}};
  if (one_in(6)) {
    open.payment["capture"] = "on_command";
    open.in_two_parcels = one_in(2);
  }
  if (one_in(8)) open.payment["settles_within_s"] = 3'600;  // which the demo's provider does in seconds
}

events::LogStatus SimulatedShop::new_cart() {
  const std::string cart = new_id();
  auto& open = open_[cart];
  ++started_;
  new_payment(open);
  auto status = send(cart, "cart.create", {{"currency", "GBP"}});
  const auto lines = 1 + random_() % 4;
  for (std::size_t i = 0; i < lines && status.ok(); ++i) {
    const auto line = new_line(i);
    open.add(line);
    status = send(cart, "cart.add_line", line.data);
  }
  if (!status.ok()) return status;
  return one_in(12) ? log_in(cart, open) : complete(cart, open);
}

events::LogStatus SimulatedShop::log_in(const std::string& guest, OpenCart& open) {
  open.into = new_id();
  auto& own = open_[open.into];
  own.lines = open.lines;
  own.payment = open.payment;
  own.in_two_parcels = open.in_two_parcels;
  auto status = send(open.into, "cart.create", {{"currency", "GBP"}});
  if (status.ok()) status = send(open.into, "cart.assign", {{"customer_id", "demo-buyer"}});
  return status.ok() ? send(guest, "cart.merge", {{"into", open.into}}) : status;
}

events::LogStatus SimulatedShop::complete(const std::string& cart, const OpenCart& open) {
  return send(cart, "checkout.complete", {{"expected_total_minor", open.total()}, {"payment", open.payment}});
}

void SimulatedShop::saw(std::string_view type, const std::string& cart, const events::Record& record) {
  const auto found = open_.find(cart);
  if (found == open_.end()) return;
  const auto& open = found->second;
  const auto data = [&] { return Json::parse(record.value.value_or("{}"), nullptr, false); };
  const auto later = [&](events::Millis wait, const char* command, Json what) {
    later_.emplace(record.append_time + wait, Later{cart, command, std::move(what)});
  };
  const Json all = {{"total_minor", open.total()}, {"final", true}};
  if (type == "cart.merged") {
    merged_.push_back(open.into);
  } else if (type == "cart.merge_refused") {  // the other one was not there yet
    later(again, "cart.merge", {{"into", open.into}});
  } else if (type == "checkout.reopened") {
    left_[cart] = data().value("available", Json::array());
  } else if (type == "order.placed" && open.payment.contains("capture")) {
    if (open.in_two_parcels) later(first_parcel, "payment.capture", {{"total_minor", open.total() / 2}});
    later(last_parcel, "payment.capture", all);
  } else if (type == "command.rejected" && data().value("code", "") == "capture_in_progress") {
    later(again, "payment.capture", all);
  }
}

events::LogStatus SimulatedShop::send_due(events::Timestamp now) {
  events::LogStatus status;
  while (status.ok() && !later_.empty() && later_.begin()->first <= now) {
    const auto due = later_.extract(later_.begin());
    status = send(due.mapped().cart, due.mapped().command, due.mapped().data);
  }
  for (const auto& cart : merged_) {
    const auto own = open_.find(cart);
    if (status.ok() && own != open_.end()) status = complete(cart, own->second);
  }
  merged_.clear();
  return status;
}

events::LogStatus SimulatedShop::reopened(const std::string& cart) {
  const auto found = open_.find(cart);
  if (found == open_.end()) return {};
  auto& open = found->second;
  const auto left = left_[cart];
  left_.erase(cart);
  if (++open.tries > most_tries) return send(cart, "cart.cancel", {{"reason", "gave up"}});
  events::LogStatus status;
  for (const auto& of : left) {
    auto* line = open.named_as(of);
    if (line == nullptr || of.at("quantity") == 0 || line->data.contains("per_quantity")) continue;
    line->data["quantity"] = of.at("quantity");
    if (status.ok()) status = send(cart, "cart.change_quantity", of);
  }
  return status.ok() ? complete(cart, open) : status;
}

}  // namespace mayfly::tools
