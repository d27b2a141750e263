#include "tools/records/caused_events.h"

#include "events/rules/words.h"
#include "events/state/snapshot.h"
#include "events/text/event_id.h"
#include "tools/console/parsed_json.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <variant>

namespace mayfly::tools {

namespace {

constexpr std::size_t looked_at_once = 50;  // events of which one at least is an engine's
constexpr events::Offset newest_state =
    2'000;  // records, of which one at least is a position, as each batch writes one

std::optional<events::Offset> cause_of(const events::Record& event) {
  return events::cause_offset(header(event, "ce_id"));
}

/// The first event that a command at that offset or behind it caused, or where the events end.
events::LogStatus find_first_caused(events::LogClient& log, events::Position command, events::Offset& found) {
  const auto ends = log.ends(events::Stream::events, command.partition);
  if (!ends.status.ok()) return ends.status;
  auto from = ends.first;
  auto to = ends.end;
  while (from < to) {
    const auto middle = from + (to - from) / 2;
    const auto fetched =
        log.read(events::Stream::events, command.partition, middle, {looked_at_once, read_at_once.bytes, {}});
    if (!fetched.status.ok()) return fetched.status;
    const auto& records = fetched.batch.records;
    const auto at = std::find_if(records.begin(), records.end(), [](const auto& r) { return cause_of(r).has_value(); });
    if (at == records.end() || *cause_of(*at) >= command.offset)
      to = middle;
    else
      from = at->at.offset + 1;
  }
  found = from;
  return {};
}

events::LogStatus read_caused(events::LogClient& log, events::Position command, CommandResult& result) {
  auto status = find_first_caused(log, command, result.next_event);
  if (!status.ok()) return status;
  return each_record_from(log, events::Stream::events, command.partition, result.next_event,
                          [&](const events::Record& event) {
                            const auto cause = cause_of(event);
                            if (cause == command.offset) result.events.push_back(caused_event(event));
                            return !cause || *cause <= command.offset;
                          });
}

/// The newest position that the state says from there on: commands before it are decided.
events::LogStatus read_decided(events::LogClient& log, events::Partition partition, events::Offset from,
                               std::optional<events::Offset>& decided, events::Offset& next) {
  return each_record_from(log, events::Stream::state, partition, from, [&](const events::Record& record) {
    next = std::max(next, record.at.offset + 1);
    if (record.key != events::position_key || !record.value) return true;
    const auto position = events::decode_position(*record.value);
    if (const auto* at = std::get_if<events::PositionRecord>(&position)) decided = at->next;
    return true;
  });
}

}  // namespace

CausedEvent caused_event(const events::Record& record) {
  return {std::string(short_type(record)), std::string(header(record, "ce_id")), std::string(header(record, "ce_time")),
          std::string(record.value.value_or("{}")), record.at};
}

bool is_refused_with(const std::vector<CausedEvent>& events, std::string_view code) {
  if (events.size() != 1 || events.front().type != "command.rejected") return false;
  const auto data = parsed_json(events.front().data);
  return data.is_object() && data.value("code", "") == code;
}

/// Events first, which mostly are there. Then whether it is decided, and events again: they are committed with that.
CommandResult result_of_command(events::LogClient& log, events::Position command) {
  CommandResult result;
  result.status = read_caused(log, command, result);
  if (!result.status.ok() || !result.events.empty()) {
    result.decided = result.status.ok();
    return result;
  }
  const auto ends = log.ends(events::Stream::state, command.partition);
  result.status = ends.status;
  result.next_state = std::max(ends.first, ends.end - newest_state);
  std::optional<events::Offset> decided;
  if (result.status.ok()) {
    result.status = read_decided(log, command.partition, result.next_state, decided, result.next_state);
  }
  if (result.status.ok() && !decided) {
    result.status = read_decided(log, command.partition, ends.first, decided, result.next_state);
  }
  if (!result.status.ok() || !decided || *decided <= command.offset) return result;
  result.decided = true;
  result.status = read_caused(log, command, result);
  return result;
}

}  // namespace mayfly::tools
