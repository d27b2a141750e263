// The recorded commands decided twice, as they are and with a plan's changes: what is different per cart, what caused
// it first, and what it comes to in sum. Keeps what is open and the carts that differ.
#pragma once

#include "events/log/log.h"
#include "tools/replay/replay_plan.h"
#include "tools/replay/replay_recorded.h"
#include "tools/replay/replay_sums.h"

#include <cstdint>
#include <map>
#include <string>

namespace mayfly::tools {

struct CartDifference {
  events::Position at;      // of the command with which it begins
  events::Timestamp time;   // when that was decided
  std::string command;      // its type, "wait over: reservation", "inserted cart.cancel"
  std::string as_recorded;  // what it came to: "accepted: cart.created", "rejected cart_full", "nothing"
  std::string as_changed;
  std::string phase_recorded;  // at the end of the log: active, converted_paid ...
  std::string phase_changed;
};

struct WhatIf {
  std::map<std::string, CartDifference> carts;
  ReplaySums recorded;
  ReplaySums changed;
  std::int64_t commands = 0;
};

[[nodiscard]] events::LogStatus what_if(events::LogClient&, const Recorded&, const ReplayPlan&, WhatIf&);

}  // namespace mayfly::tools
