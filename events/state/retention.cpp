#include "events/state/retention.h"

#include "events/state/epitaphs.h"
#include "events/state/snapshot.h"

#include <algorithm>

namespace mayfly::events {

std::optional<Offset> oldest_needed(Bytes key, Bytes value, Timestamp ticked) {
  if (key == position_key) {
    const auto position = decode_position(value);
    const auto* read = std::get_if<PositionRecord>(&position);
    return read != nullptr ? read->next : 0;
  }
  if (Epitaphs::is_page_key(key)) return EpitaphRing::oldest_created(value, ticked);
  const auto parts = split_snapshot(value);
  const auto* read = std::get_if<SnapshotParts>(&parts);
  const auto created = read != nullptr ? created_offset(read->cart) : std::nullopt;
  return created.value_or(0);
}

}  // namespace mayfly::events
