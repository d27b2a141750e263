#include "tools/replay/replay_recorded.h"

#include "events/state/snapshot.h"
#include "events/text/event_id.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/checkpoint.h"

#include <nlohmann/json.hpp>

namespace mayfly::tools {

using events::Partition;
using events::Record;
using events::Stream;

namespace {

bool by_supervision(std::string_view reason) {
  return reason == name(events::DeadLetterReason::keeps_failing) ||
         reason == name(events::DeadLetterReason::quarantined) ||
         reason == name(events::DeadLetterReason::state_unreadable);
}

events::LogStatus read_positions(events::LogClient& log, Recorded& recorded) {
  events::LogStatus status;
  recorded.ends.resize(static_cast<std::size_t>(log.partitions()));
  recorded.position_at.resize(recorded.ends.size(), events::no_offset);
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    status = each_record(log, Stream::state, p, [&](const Record& record) {
      if (record.key == events::position_key && record.value) add_position(*record.value, record.at, recorded);
      return true;
    });
    if (status.ok()) status = commands_are_there(log, p, recorded);
  }
  return status;
}

/// One pass over the events, where the dead letters say that there is something to find.
events::LogStatus read_withheld(events::LogClient& log, Recorded& recorded) {
  events::LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    bool any = false;
    status = each_record(log, Stream::deadletters, p, [&](const Record& record) {
      any = by_supervision(header(record, "mayfly.reason"));
      return !any;
    });
    if (!any || !status.ok()) continue;
    status = each_record(log, Stream::events, p, [&](const Record& record) {
      add_withheld(record, p, recorded);
      return true;
    });
  }
  return status;
}

}  // namespace

std::optional<events::DeadLetterReason> Recorded::withheld_at(events::Position at, std::string_view cart) const {
  if (withheld.empty()) return std::nullopt;
  const auto found = withheld.find({at, std::string(cart)});
  if (found == withheld.end()) return std::nullopt;
  return found->second;
}

events::LogStatus commands_are_there(events::LogClient& log, Partition p, const Recorded& recorded) {
  const auto commands = log.ends(Stream::commands, p);
  const auto at = static_cast<std::size_t>(p);
  const auto begin = recorded.from ? recorded.from->parts[at].next : 0;
  if (!commands.status.ok() || commands.first <= begin || recorded.ends[at] <= begin) return commands.status;
  return {events::LogError::corrupt,
          "partition " + std::to_string(p) + ": commands before offset " + std::to_string(commands.first) +
              " are no longer there. A replay needs them from offset " + std::to_string(begin) +
              " on: restore them from a backup, or give a checkpoint that is late enough (--from)."};
}

void add_position(events::Bytes record, events::Position at, Recorded& recorded) {
  const auto position = events::decode_position(record);
  const auto* found = std::get_if<events::PositionRecord>(&position);
  if (found == nullptr) return;
  recorded.ends[static_cast<std::size_t>(at.partition)] = found->next;
  recorded.position_at[static_cast<std::size_t>(at.partition)] = at.offset;
  recorded.engine = found->engine;
  if (found->settings.tick_secret != 0) recorded.tick_secret = found->settings.tick_secret;
}

void add_withheld(const Record& event, Partition p, Recorded& recorded) {
  if (short_type(event) != "command.dead_lettered") return;
  const auto data = nlohmann::json::parse(event.value.value_or("{}"), nullptr, false);
  const auto reason = data.value("reason", "");
  if (!by_supervision(reason)) return;
  const auto cart = data.value("cart_id", std::string(event.key.value_or(events::Bytes{})));
  recorded.withheld[{{p, data.value("offset", events::no_offset)}, cart}] =
      *events::dead_letter_reason_from_name(reason);
}

events::LogStatus read_recorded(events::LogClient& log, Recorded& recorded) {
  auto status = read_positions(log, recorded);
  return status.ok() ? read_withheld(log, recorded) : status;
}

events::Offset cause_offset(const events::Record& event) {
  return events::cause_offset(header(event, "ce_id")).value_or(events::no_offset);
}

}  // namespace mayfly::tools
