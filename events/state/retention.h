// Which commands a log must keep: what a record of the state stream still refers to. Pure.
#pragma once

#include "events/log/record.h"
#include "events/log/types.h"

#include <optional>

namespace mayfly::events {

/// The lowest offset of its partition's commands that this state record needs; nothing if it needs none. A cart needs
/// them from the one that created it on, an epitaph that is alive at `ticked` the same, the position record from the
/// next to decide on. 0 where the record cannot be read: then all is kept.
[[nodiscard]] std::optional<Offset> oldest_needed(Bytes key, Bytes value, Timestamp ticked);

}  // namespace mayfly::events
