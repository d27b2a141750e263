#include "tools/replay/replay_recorded.h"

#include "events/state/snapshot.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <charconv>
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
      if (record.key != events::position_key || !record.value) return true;
      const auto position = events::decode_position(*record.value);
      if (const auto* found = std::get_if<events::PositionRecord>(&position)) {
        recorded.ends[static_cast<std::size_t>(p)] = found->next;
        recorded.position_at[static_cast<std::size_t>(p)] = record.at.offset;
        recorded.engine = found->engine;
        if (found->settings.tick_secret != 0) recorded.tick_secret = found->settings.tick_secret;
      }
      return true;
    });
    const auto commands = log.ends(Stream::commands, p);
    if (status.ok()) status = commands.status;
    const auto first = commands.first;
    if (status.ok() && first > 0 && recorded.ends[static_cast<std::size_t>(p)] > 0) {
      status = {events::LogError::corrupt,
                "partition " + std::to_string(p) + ": commands before offset " + std::to_string(first) +
                    " are no longer there. A replay needs them from the first on: restore them from a backup."};
    }
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
      if (short_type(record) != "command.dead_lettered") return true;
      const auto data = nlohmann::json::parse(record.value.value_or("{}"), nullptr, false);
      const auto reason = data.value("reason", "");
      if (!by_supervision(reason)) return true;
      const auto cart = data.value("cart_id", std::string(record.key.value_or(events::Bytes{})));
      recorded.withheld[{{p, data.value("offset", events::no_offset)}, cart}] =
          *events::dead_letter_reason_from_name(reason);
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

events::LogStatus read_recorded(events::LogClient& log, Recorded& recorded) {
  auto status = read_positions(log, recorded);
  return status.ok() ? read_withheld(log, recorded) : status;
}

events::Offset cause_offset(const events::Record& event) {
  const auto id = header(event, "ce_id");
  const auto first = id.find('-');
  const auto last = id.rfind('-');
  if (first == std::string_view::npos || last <= first) return events::no_offset;
  events::Offset offset = 0;
  const auto read = std::from_chars(id.data() + first + 1, id.data() + last, offset);
  return read.ec == std::errc{} ? offset : events::no_offset;
}

}  // namespace mayfly::tools
