#include "tools/demo/connectors.h"
#include "tools/records/each_record.h"

#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

/// Nothing is asked of such a payment any more, and nothing late can come of it.
bool is_settled(std::string_view outcome) {
  return outcome == "captured" || outcome == "declined" || outcome == "canceled" || outcome == "refunded";
}

}  // namespace

Connectors::Connectors(events::LogClient& in, CommandWriter& out, Shop& shop, const Rates& rates, std::uint64_t seed,
                       std::int64_t faster)
    : in_(in),
      shop_(shop),
      rates_(rates),
      chance_(seed, faster),
      stock_(out, "/demo/inventory"),
      money_(out, "/demo/provider"),
      warehouse_(stock_, rates_, chance_),
      provider_(money_, rates_, chance_) {
  for (events::Partition p = 0; p < in.partitions(); ++p) next_.push_back(in.ends(events::Stream::events, p).end);
}

void Connectors::take(const events::Record& record, events::Timestamp now) {
  const std::string type(short_type(record));
  const std::string cart(record.key.value_or(events::Bytes{}));
  ++seen_.events;
  shop_.saw(type, cart, record);
  if (type == "order.placed") ++seen_.orders;
  if (type == "checkout.completed") ++seen_.completed;
  if (type == "payment.declined") ++seen_.declined;
  if (type == "cart.canceled") ++seen_.canceled;
  if (type == "cart.canceled" || type == "cart.converted" || type == "cart.expired" || type == "cart.merged")
    shop_.over(cart);
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

void Connectors::decline_unseen(const ConnectorRequest& request, std::string_view reason, events::Timestamp now) {
  money_.answer_to(request.id, request.correlation_id, request.at);
  money_.send_at(now, request.cart, "payment.declined",
                 Json{{"session_id", request.data.at("session_id")}, {"reason", reason}, {"retryable", true}}.dump());
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
