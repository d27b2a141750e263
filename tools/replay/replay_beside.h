// What a log holds of carts besides their commands: recorded events, dead letters, alerts.
#pragma once

#include "events/log/log.h"
#include "tools/replay/replay_state.h"

#include <functional>
#include <map>
#include <string>

namespace mayfly::tools {

struct BesideCart {
  std::multimap<events::Offset, OrderedJson> said;          // recorded events, by what caused them
  std::multimap<events::Offset, OrderedJson> dead_letters;  // by the record they stand for
  std::multimap<events::Offset, OrderedJson> alerts;        // by the record they name
};
using BesideCarts = std::map<std::string, BesideCart, std::less<>>;  // by cart id

/// Gives records of a partition's stream in offset order until the function returns false: all, or those of a cart.
using EachRecord = std::function<events::LogStatus(events::Stream, const std::function<bool(const events::Record&)>&)>;

/// Fills in the carts that are there, all of one partition, in one pass over each stream. `read` is called for
/// each record of them.
[[nodiscard]] events::LogStatus read_beside(
    const EachRecord&, BesideCarts&, const std::function<void()>& read = [] {});

}  // namespace mayfly::tools
