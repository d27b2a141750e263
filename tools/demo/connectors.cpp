#include "tools/demo/connectors.h"
#include "tools/records/each_record.h"

#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

constexpr int most_tries = 2;

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

/// Nothing is asked of such a payment any more, and nothing late can come of it.
bool is_settled(std::string_view outcome) {
  return outcome == "captured" || outcome == "declined" || outcome == "canceled" || outcome == "refunded";
}

}  // namespace

// --- the shop ------------------------------------------------------------------------------------------------------

events::LogStatus SimulatedShop::send(const std::string& cart, std::string type, std::string data) {
  OutgoingCommand c;
  c.key = cart;
  c.type = std::move(type);
  c.id = new_id();
  c.source = "/demo/shop";
  c.data = std::move(data);
  c.correlation_id = "demo-" + cart;
  return out_.write(std::move(c));
}

events::LogStatus SimulatedShop::new_cart() {
  const std::string cart = new_id();
  auto& open = open_[cart];
  ++started_;
  auto status = send(cart, "cart.create", R"({"currency":"GBP"})");
  const auto lines = 1 + random_() % 4;
  for (std::size_t i = 0; i < lines && status.ok(); ++i) {
    const auto& article = articles[(random_() + i) % std::size(articles)];
    const auto quantity = static_cast<std::int64_t>(1 + random_() % 3);
    // Prices do not change: quantities of the same article simply add up.
    open.total += quantity * article.price;
    status = send(
        cart, "cart.add_line",
        Json{{"sku", article.sku}, {"quantity", quantity}, {"unit_price_minor", article.price}, {"name", article.name}}
            .dump());
  }
  return status.ok() ? complete(cart, open) : status;
}

events::LogStatus SimulatedShop::complete(const std::string& cart, const OpenCart& open) {
  return send(
      cart, "checkout.complete",
      Json{{"expected_total_minor", open.total}, {"payment", {{"provider", "sim"}, {"token", "tok_demo"}}}}.dump());
}

events::LogStatus SimulatedShop::reopened(const std::string& cart) {
  const auto found = open_.find(cart);
  if (found == open_.end()) return {};
  if (++found->second.tries <= most_tries) return complete(cart, found->second);
  return send(cart, "cart.cancel", R"({"reason":"gave up"})");
}

// --- warehouse and provider ----------------------------------------------------------------------------------------

Connectors::Connectors(events::LogClient& in, CommandWriter& out, Shop& shop, const Rates& rates, std::uint64_t seed)
    : in_(in),
      shop_(shop),
      rates_(rates),
      chance_(seed, 1),
      stock_(out, "/demo/inventory"),
      money_(out, "/demo/provider"),
      warehouse_(stock_, rates_, chance_),
      provider_(money_, rates_, chance_) {
  for (events::Partition p = 0; p < in.partitions(); ++p) next_.push_back(in.ends(events::Stream::events, p).end);
}

void Connectors::take(const events::Record& record, events::Timestamp now) {
  const std::string type(short_type(record));
  const std::string cart(record.key.value_or(events::Bytes{}));
  shop_.saw(type, cart, record);
  if (type == "order.placed") ++seen_.orders;
  if (type == "checkout.completed") ++seen_.completed;
  if (type == "payment.declined") ++seen_.declined;
  if (type == "cart.canceled") ++seen_.canceled;
  if (type == "cart.canceled" || type == "cart.converted" || type == "cart.expired") shop_.over(cart);
  if (type == "checkout.reopened") {
    ++seen_.reopened;
    reopened_.push_back(cart);
  }
  if (type == "payment.session_ended") {
    const auto data = Json::parse(record.value.value_or("{}"), nullptr, false);
    if (is_settled(data.value("outcome", ""))) provider_.forget(data.value("session_id", ""));
  }
  if (const auto request = request_of(record)) answer(*request, now);
}

/// The demo may run for days, so what is settled is forgotten.
void Connectors::answer(const ConnectorRequest& request, events::Timestamp now) {
  if (request.type.starts_with("payment.")) return provider_.take(now, request);
  warehouse_.take(now, request);
  if (request.type != "inventory.reservation_requested") warehouse_.forget(request.data.at("reservation_id"));
}

events::LogStatus Connectors::step(events::Timestamp now) {
  for (std::size_t p = 0; p < next_.size(); ++p) {
    auto fetched = in_.read(events::Stream::events, static_cast<events::Partition>(p), next_[p], read_at_once);
    if (!fetched.status.ok()) return fetched.status;
    next_[p] = fetched.next;
    for (const auto& record : fetched.batch.records) take(record, now);
  }
  events::LogStatus status;
  for (auto cart = reopened_.begin(); cart != reopened_.end() && status.ok(); ++cart) status = shop_.reopened(*cart);
  reopened_.clear();
  provider_.settle_pending(now);
  if (status.ok()) status = stock_.send_due(now);
  if (status.ok()) status = money_.send_due(now);
  return status;
}

}  // namespace mayfly::tools
