// The events that are on their way to one address: of each cart one at a time, in order, and carts beside each other.
// Bounded in number and bytes. Knows no clock, no log and no HTTP.
#pragma once

#include "events/log/types.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// An event that is to be delivered, as it will be sent each time.
struct QueuedEvent {
  events::Position at{};
  std::string cart;
  std::string type;  // short: "order.placed"
  std::string id;
  std::string body;
  std::string correlation_id;
  events::Timestamp appended{};  // to the log
  events::Timestamp until{};     // no attempt begins after it, but the first
  int attempts = 0;
};

class DeliveryQueue {
 public:
  struct Limits {
    std::size_t events = 1'000;
    std::size_t bytes = 16'777'216;  // of bodies
    std::size_t in_flight = 16;
  };
  explicit DeliveryQueue(Limits limits) : limits_(limits) {}

  /// False: read no further.
  [[nodiscard]] bool has_room() const { return open_.size() < limits_.events && bytes_ < limits_.bytes; }
  [[nodiscard]] std::size_t size() const { return open_.size(); }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

  /// Events of one partition come in the order of their offsets. It may be sent from `now` on, if it is its cart's
  /// first.
  void add(QueuedEvent, events::Timestamp now);
  /// All of that partition before `next` was added, or is not to be delivered.
  void read_to(events::Position next) { read_to_[next.partition] = next.offset; }

  /// The event that has been due longest and may be sent at `now`; it is in flight from then on. Null: none.
  [[nodiscard]] QueuedEvent* take(events::Timestamp now);
  /// An event that is in flight.
  [[nodiscard]] QueuedEvent& in_flight_at(events::Position at) { return open_.at(at); }
  /// It is not in flight any more, and may be sent again at `when`.
  void again(events::Position at, events::Timestamp when);
  /// It is delivered, or given up. The cart's next one may be sent from `now` on.
  void done(events::Position at, events::Timestamp now);

  /// When the next one is due that may be sent then; none: when an answer comes, or an event.
  [[nodiscard]] std::optional<events::Timestamp> next_due() const;
  /// When the oldest event was appended that is not done; none: there is none.
  [[nodiscard]] std::optional<events::Timestamp> oldest() const;
  /// Of each partition the first event that is not done: where to go on.
  [[nodiscard]] std::vector<events::Position> positions() const;

 private:
  Limits limits_;
  std::map<events::Position, QueuedEvent> open_;
  std::map<std::string, std::set<events::Position>, std::less<>> carts_;  // open events; only the first may be sent
  std::set<std::pair<events::Timestamp, events::Position>> due_;          // of carts without one in flight
  std::map<events::Partition, events::Offset> read_to_;
  std::size_t in_flight_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace mayfly::tools
