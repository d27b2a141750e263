// The events that a command came to, found in the log.
#pragma once

#include "events/log/log.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::tools {

/// An event as it lies in the log.
struct CausedEvent {
  std::string type;  // short: "cart.created"
  std::string id;
  std::string time;  // as in ce_time
  std::string data;  // JSON
  events::Position at{};
};

[[nodiscard]] CausedEvent caused_event(const events::Record&);

/// Is that all that came of a command: a refusal with this code?
[[nodiscard]] bool is_refused_with(const std::vector<CausedEvent>&, std::string_view code);

/// What is known of a command that lies in the log.
struct CommandResult {
  events::LogStatus status;  // not ok: nothing is known
  bool decided = false;
  std::vector<CausedEvent> events;
  events::Offset next_event = 0;  // not decided: its events will lie here or behind
  events::Offset next_state = 0;  // not decided: that it is will be said here or behind
};

/// Reads some tens of single events, for they lie in the order of the commands that caused them, and where there are
/// none the end of the partition's state.
[[nodiscard]] CommandResult result_of_command(events::LogClient&, events::Position);

}  // namespace mayfly::tools
