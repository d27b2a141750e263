// What a replay must know of a recorded log before it decides: the engine's name, how far it got, what it left out.
#pragma once

#include "events/log/log.h"
#include "events/rules/words.h"
#include "events/wire/tick_proof.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::tools {

struct Checkpoint;

struct Recorded {
  std::shared_ptr<const Checkpoint> from;  // where a replay begins; null: at the first commands
  std::string engine = "mayfly";
  std::vector<events::Offset> ends;  // per partition: the next command to decide
  std::vector<events::Offset>
      position_at;  // of the record in state that says so; state before it is of the same moment
  /// What supervision took out (docs/actors.md): the record, the cart, why.
  std::map<std::pair<events::Position, std::string>, events::DeadLetterReason> withheld;

  events::TickSecrets tick_secrets{{}, true};  // those that are at hand
  std::int64_t tick_secret = 0;                // the one that ticks are proven with now; 0: none

  [[nodiscard]] std::optional<events::DeadLetterReason> withheld_at(events::Position, std::string_view cart) const;
};

/// Of the command that caused an event of the engine's, as its ce_id says (docs/contract.md, section 3); no_offset if
/// it is none of ours.
[[nodiscard]] events::Offset cause_offset(const events::Record& event);

/// Adds what a recorded event says that supervision took out.
void add_withheld(const events::Record& event, events::Partition, Recorded&);
/// Adds what a partition's position record says, and where it lies.
void add_position(events::Bytes record, events::Position, Recorded&);

/// `corrupt` if a partition that was decided has lost commands from where the replay begins.
[[nodiscard]] events::LogStatus commands_are_there(events::LogClient&, events::Partition, const Recorded&);

/// Reads positions and what was taken out. `corrupt` if commands that a replay needs are no longer there.
[[nodiscard]] events::LogStatus read_recorded(events::LogClient&, Recorded&);

}  // namespace mayfly::tools
