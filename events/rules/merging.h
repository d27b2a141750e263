// What carts that merge say to each other (decisions.md 7): the engine writes it into the commands, and the log
// delivers it.
#pragma once

#include "events/rules/command.h"
#include "events/rules/decide.h"

#include <optional>
#include <vector>

namespace mayfly::events {

/// What the cart that made an offer is told.
struct MergeAnswer {
  Text to;
  Offset merge;
  std::optional<Code> code;  // none: all lines are taken
};

/// The answer to a command that led to these events; nothing where it is no offer, or one that cannot be read. Not to
/// be asked of a repeat.
[[nodiscard]] std::optional<MergeAnswer> answer_to_offer(const Command&, const std::vector<Event>& said);

/// An answer that nobody waits for: where the lines were taken they stand in both carts.
void answered_too_late(Decision&, const CartMergeAnswered&);

}  // namespace mayfly::events
