// Positions of groups of readers in the embedded log: a table that is made with the first one (docs/log.md).
#pragma once

#include "adapters/sqlite/sqlite.h"
#include "events/log/log.h"

#include <span>
#include <string_view>
#include <vector>

namespace mayfly::adapters::sqlite {

/// Throws Error.
[[nodiscard]] std::vector<events::Position> group_positions(const Connection&, std::string_view group, events::Stream);
/// In a transaction of the caller's. Throws Error.
void keep_group_positions(const Connection&, std::string_view group, events::Stream, std::span<const events::Position>);

}  // namespace mayfly::adapters::sqlite
