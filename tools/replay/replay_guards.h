// Which guards of docs/decisions.md a command was held against, in their order, and with the values they saw. This is
// for people: the rules themselves are events/rules, and nothing is decided here.
#pragma once

#include "tools/replay/replay_partition.h"
#include "tools/replay/replay_state.h"

#include <string>
#include <vector>

namespace mayfly::tools {

struct GuardTried {
  const char* number;  // as on the page, "2.11.3"
  const char* name;    // "other total"
  bool held;
  OrderedJson saw;  // an object: the values it looked at; may be empty
};

/// Every guard that was tried, up to the one that decided, which is the last and held. Empty where no guard decided:
/// what supervision took out. Those of 1.1 are told only of what is no command.
[[nodiscard]] std::vector<GuardTried> guards_of(const Replayed&);

/// As an array of objects: `guard`, `name`, `held`, `saw`.
[[nodiscard]] OrderedJson guards_json(const std::vector<GuardTried>&);

}  // namespace mayfly::tools
