#include "tools/connect/delivery_queue.h"

namespace mayfly::tools {

void DeliveryQueue::add(QueuedEvent event, events::Timestamp now) {
  const auto at = event.at;
  bytes_ += event.body.size();
  auto& of_cart = carts_[event.cart];
  if (of_cart.empty()) due_.insert({now, at});
  of_cart.insert(of_cart.end(), at);
  open_.emplace(at, std::move(event));
}

QueuedEvent* DeliveryQueue::take(events::Timestamp now) {
  if (in_flight_ >= limits_.in_flight || due_.empty() || due_.begin()->first > now) return nullptr;
  const auto at = due_.begin()->second;
  due_.erase(due_.begin());
  ++in_flight_;
  return &open_.at(at);
}

void DeliveryQueue::again(events::Position at, events::Timestamp when) {
  --in_flight_;
  due_.insert({when, at});
}

void DeliveryQueue::done(events::Position at, events::Timestamp now) {
  --in_flight_;
  const auto event = open_.find(at);
  bytes_ -= event->second.body.size();
  const auto cart = carts_.find(event->second.cart);
  cart->second.erase(at);
  if (cart->second.empty())
    carts_.erase(cart);
  else
    due_.insert({now, *cart->second.begin()});
  open_.erase(event);
}

std::optional<events::Timestamp> DeliveryQueue::next_due() const {
  if (due_.empty() || in_flight_ >= limits_.in_flight) return std::nullopt;
  return due_.begin()->first;
}

/// Partitions are in order of time, so the first of each is enough.
std::optional<events::Timestamp> DeliveryQueue::oldest() const {
  std::optional<events::Timestamp> oldest;
  for (auto first = open_.begin(); first != open_.end(); first = open_.lower_bound({first->first.partition + 1, 0})) {
    const auto appended = first->second.appended;
    if (!oldest || appended < *oldest) oldest = appended;
  }
  return oldest;
}

std::vector<events::Position> DeliveryQueue::positions() const {
  std::vector<events::Position> all;
  for (const auto& [partition, next] : read_to_) {
    const auto first = open_.lower_bound({partition, 0});
    const bool open = first != open_.end() && first->first.partition == partition;
    all.push_back({partition, open ? first->first.offset : next});
  }
  return all;
}

}  // namespace mayfly::tools
