// Names the first field in which two states of a cart differ: memory and what is committed, or a log and its replay.
#pragma once

#include "events/rules/cart.h"
#include "events/rules/session.h"
#include "events/state/snapshot.h"

#include <optional>
#include <string>
#include <string_view>

namespace mayfly::events {

/// A field, such as lines[1].quantity, and its two values; what one of them does not have is "nothing". A payment
/// token's value is not told.
struct StateDifference {
  std::string field;
  std::string one;
  std::string other;
};

/// All members are compared, the sums too that are not in a state record. Nothing: they are the same.
[[nodiscard]] std::optional<StateDifference> first_difference(const Cart& one, const Cart& other);
[[nodiscard]] std::optional<StateDifference> first_difference(const Session& one, const Session& other);
/// Of the state record of the cart `id`, whatever layout each has; what cannot be read is a difference.
[[nodiscard]] std::optional<StateDifference> first_difference(std::string_view id, const SnapshotParts& one,
                                                              const SnapshotParts& other);
/// Of position records.
[[nodiscard]] std::optional<StateDifference> first_difference(const PositionRecord& one, const PositionRecord& other);

}  // namespace mayfly::events
