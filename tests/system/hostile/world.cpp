#include "system/hostile/world.h"

#include "tools/records/record_text.h"

#include <algorithm>

namespace mayfly::hostile {

namespace {

constexpr events::PollLimits read_at_once{5'000, 8 * 1024 * 1024, events::Millis{0}};

}  // namespace

events::LogStatus World::send(events::Timestamp now) {
  provider_.settle_pending(now);
  for (auto* box : {&clicks_, &stock_, &money_}) {
    if (auto status = box->send_due(now); !status.ok()) return status;
  }
  return writer_.flush();
}

events::LogStatus World::listen(events::Timestamp now) {
  for (std::size_t p = 0; p < next_.size(); ++p) {
    for (;;) {
      auto fetched = log_.read(events::Stream::events, static_cast<events::Partition>(p), next_[p], read_at_once);
      if (!fetched.status.ok()) return fetched.status;
      next_[p] = fetched.next;
      if (fetched.batch.records.empty()) break;
      for (const auto& record : fetched.batch.records) hear(now, record);
    }
  }
  return {};
}

/// An event's id has its offset, which is another one when something else has happened before.
std::string World::name_of(const tools::ConnectorRequest& request) {
  auto name = request.type + " of " + request.cart;
  return name + " " + std::to_string(++asked_[name]);
}

void World::hear(events::Timestamp now, const events::Record& record) {
  ++heard_;
  const auto type = tools::short_type(record);
  const std::string cart(record.key.value_or(events::Bytes{}));
  if (auto request = tools::request_of(record)) {
    if (habits_.each_cart_by_itself) request->id = name_of(*request);
    if (type.starts_with("payment.")) return provider_.take(now, *request);
    return inventory_.take(now, *request);
  }
  shop_.take(now, cart, type, nlohmann::json::parse(record.value.value_or("{}")));
}

std::optional<events::Timestamp> World::next() const {
  auto next = provider_.next_pending();
  for (const auto* box : {&clicks_, &stock_, &money_}) {
    if (!box->empty()) next = next ? std::min(*next, box->next()) : box->next();
  }
  return next;
}

}  // namespace mayfly::hostile
