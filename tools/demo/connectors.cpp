#include "tools/demo/connectors.h"
#include "tools/records/each_record.h"

#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

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

// --- inventory and provider ----------------------------------------------------------------------------------------

Connectors::Connectors(events::LogClient& in, CommandWriter& out, Shop& shop, Chances chances, std::uint64_t seed)
    : in_(in), out_(out), shop_(shop), chances_(chances), random_(seed ^ 0x9e3779b97f4a7c15) {
  for (events::Partition p = 0; p < in.partitions(); ++p) next_.push_back(in.ends(events::Stream::events, p).end);
}

bool Connectors::chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

void Connectors::answer_later(events::Timestamp now, OutgoingCommand command) {
  if (chance(chances_.silence_percent)) return;
  const auto mean = chances_.mean_delay.count;
  const auto delay = mean > 0 ? static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(2 * mean + 1)) : 0;
  command.id = new_id();
  answers_.emplace(now + events::Millis{delay}, std::move(command));
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
  const bool ended = type == "payment.session_ended";
  if (!ended && !type.ends_with("_requested")) return;
  const auto data = Json::parse(record.value.value_or("{}"), nullptr, false);
  if (ended) return void(books_.erase(data.value("session_id", std::string())));
  OutgoingCommand answer;
  answer.key = cart;
  answer.correlation_id = std::string(header(record, "ce_correlationid"));
  if (type == "inventory.reservation_requested") {
    const bool out_of_stock = chance(chances_.out_of_stock_percent);
    answer.source = "/demo/inventory";
    answer.type = out_of_stock ? "inventory.rejected" : "inventory.reserved";
    Json reply = {{"reservation_id", data["reservation_id"]}};
    if (out_of_stock) reply.update({{"skus", Json::array({data["lines"][0]["sku"]})}, {"reason", "sold out"}});
    answer.data = reply.dump();
    return answer_later(now, std::move(answer));
  }
  if (!type.starts_with("payment.")) return;
  const std::string session = data["session_id"];
  // A request that is lost on its way changes no books; of one whose answer is lost only a status tells.
  if (type != "payment.status_requested" && chance(chances_.silence_percent) && chance(50)) return;
  auto reply = provider_answer(type, session, data["amount_minor"], data["currency"]);
  reply.key = cart;
  reply.correlation_id = answer.correlation_id;
  answer_later(now, std::move(reply));
}

OutgoingCommand Connectors::provider_answer(std::string_view type, const std::string& session, std::int64_t amount,
                                            const std::string& currency) {
  auto& books = books_[session];
  OutgoingCommand answer;
  answer.source = "/demo/provider";
  const auto reference = "pi_" + session;
  const auto money = [&](std::int64_t total) {
    return Json{{"session_id", session}, {"reference", reference}, {"amount_minor", total}, {"currency", currency}}
        .dump();
  };
  if (type == "payment.status_requested") {
    answer.type = "payment.status";
    Json status = {{"session_id", session},
                   {"state", books.state},
                   {"authorized_minor", books.authorized_minor},
                   {"captured_minor", books.captured_minor},
                   {"refunded_minor", books.refunded_minor},
                   {"currency", currency}};
    if (books.state != "not_found") status["reference"] = reference;
    answer.data = status.dump();
  } else if (type == "payment.authorization_requested") {
    if (books.state == "not_found") {
      books.state = chance(chances_.decline_percent) ? "declined" : "authorized";
      if (books.state == "authorized") books.authorized_minor = amount;
    }
    const bool declined = books.state == "declined" || books.state == "canceled";
    answer.type = declined ? "payment.declined" : "payment.authorized";
    answer.data = declined ? Json{{"session_id", session}, {"reason", "insufficient funds"}, {"retryable", true}}.dump()
                           : money(books.authorized_minor);
  } else if (type == "payment.capture_requested") {
    books.state = "captured";
    books.authorized_minor = std::max(books.authorized_minor, amount);
    books.captured_minor = std::max(books.captured_minor, amount);
    answer.type = "payment.captured";
    answer.data = money(books.captured_minor);
  } else if (type == "payment.cancel_requested") {
    if (books.captured_minor == 0) books.state = "canceled";
    answer.type = "payment.canceled";
    answer.data = money(amount);
  } else {
    books.state = "refunded";
    books.refunded_minor = std::max(books.refunded_minor, amount);
    answer.type = "payment.refunded";
    answer.data = money(books.refunded_minor);
  }
  return answer;
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
  while (status.ok() && !answers_.empty() && answers_.begin()->first <= now) {
    status = out_.write(std::move(answers_.begin()->second));
    answers_.erase(answers_.begin());
  }
  return status;
}

}  // namespace mayfly::tools
