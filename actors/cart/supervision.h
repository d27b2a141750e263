// How much dying is borne at each level before the next one up acts (docs/actors.md). None of these numbers decides
// what a replay finds: what supervision does to a record is recorded for it by command.dead_lettered.
#pragma once

#include "actors/cart/intensity.h"
#include "events/log/record.h"
#include "events/rules/words.h"

#include <functional>
#include <optional>
#include <string_view>

namespace mayfly::actors {

struct Supervision {
  using Millis = events::Millis;
  Intensity cart_restarts{8, Millis{60'000}};           // of one cart's actor; beyond: quarantine
  Intensity cart_dead_letters{2, Millis{3'600'000}};    // of one cart as keeps_failing; beyond: quarantine
  Intensity partition_restarts{1'000, Millis{10'000}};  // of its carts' actors; beyond: rebuilt from the log
  Intensity partition_rebuilds{3, Millis{300'000}};     // of all partitions; beyond: the engine ends
};

/// Says which records are to be dead-lettered without being decided, and why: in a replay, what the recorded
/// command.dead_lettered events name. `cart` is the record's, or the cart whose deadline a tick fires.
using Withheld = std::function<std::optional<events::DeadLetterReason>(events::Position, std::string_view cart)>;

/// A place where a simulation may let an actor die.
enum class Step : std::uint8_t {
  cart_decides,
  cart_concludes,
  cart_replies,  // the segment's count is down already; only where the supervisor must hear of it
  session_decides,
  session_decided,
  supervisor_reads,
  supervisor_gathers,
  supervisor_writes,
};

}  // namespace mayfly::actors
