// The id of an event: PARTITION-OFFSET-NUMBER. The first two say where the command lies that caused it.
#pragma once

#include "events/log/types.h"
#include "events/text/number.h"

#include <optional>
#include <string_view>

namespace mayfly::events {

/// All of the id but its last number: the same for all events of one command.
[[nodiscard]] constexpr std::string_view cause_place(std::string_view event_id) {
  return event_id.substr(0, event_id.rfind('-'));
}

/// Offset of the command; none where an id is not an engine's.
[[nodiscard]] inline std::optional<Offset> cause_offset(std::string_view event_id) {
  const auto place = cause_place(event_id);
  const auto dash = place.find('-');
  if (dash == std::string_view::npos || place.substr(dash + 1).starts_with('-')) return std::nullopt;
  return number_in<Offset>(place.substr(dash + 1));
}

}  // namespace mayfly::events
