// What must hold of a log after any history, and what of two of them is not the same. Shares nothing with the engine
// but the log and the words.
#pragma once

#include "events/rules/words.h"
#include "logs/memory_log.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::sim {

/// By position, then cart: dead letters of commands that killed their actor or met a quarantine.
using Withheld = std::map<events::Position, std::map<std::string, events::DeadLetterReason, std::less<>>>;
[[nodiscard]] Withheld withheld_of(const adapters::MemoryStore&);
[[nodiscard]] std::optional<events::DeadLetterReason> find(const Withheld&, events::Position, std::string_view cart);

/// Events: each id once, each cart's sequence without a gap, at most one order, every session that was opened ended.
/// All carts are over. A sentence if not.
[[nodiscard]] std::string unbalanced(const adapters::MemoryStore&);

/// How often merges went how. Counted over a whole history.
struct Merges {
  std::int64_t offered = 0;
  std::int64_t merged = 0;  // the lines are in the other cart, and this one is over
  std::int64_t twice = 0;   // they are in both, and merge_over said so
  std::int64_t aside = 0;   // they are in both: the answer is a dead letter
};
/// Of each merge: all lines are in the other cart and this one is over, or they are where they were, or somebody was
/// told that they are in both. A sentence if not.
[[nodiscard]] std::string merged_wrongly(const adapters::MemoryStore&, Merges&);

/// Events in order, newest state records per key. A sentence naming the first difference.
[[nodiscard]] std::string first_difference(const adapters::MemoryStore& history, const adapters::MemoryStore& again);

}  // namespace mayfly::sim
