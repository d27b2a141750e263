// mayfly replay why: which guards of docs/decisions.md a command met, with the values they saw, and which one decided.
#include "tools/console/exit_codes.h"
#include "tools/console/numbers.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_moment.h"
#include "tools/replay/replay_timeline.h"

namespace mayfly::tools {

namespace {

/// A sentence if there is no decided command at the position.
std::string not_decided(events::LogClient& log, const Recorded& recorded, events::Position at,
                        events::LogStatus& status) {
  const auto where = position_text(at);
  if (at.partition < 0 || at.partition >= log.partitions()) {
    return where + ": the log has the partitions 0 to " + std::to_string(log.partitions() - 1) + ".";
  }
  const auto first = recorded.from ? recorded.from->parts[static_cast<std::size_t>(at.partition)].next : 0;
  if (at.offset < first) return where + ": it was decided before the checkpoint. Give an earlier one, or none.";
  bool there = false;
  status = each_record_from(log, events::Stream::commands, at.partition, at.offset, [&](const events::Record& record) {
    there = record.at == at;
    return false;
  });
  if (!there) return where + ": there is no command.";
  const bool decided = at.offset < recorded.ends[static_cast<std::size_t>(at.partition)];
  return decided ? "" : where + ": it is not decided yet. Is an engine serving this log?";
}

}  // namespace

int replay_why(const ReplayWhyOptions& options) {
  const auto at = position_from_text(options.position);
  if (!at) {
    complain("%s: give the PARTITION:OFFSET of a command, as show prints it.\n", printable(options.position).c_str());
    return exit_usage;
  }
  RecordedLog opened;
  if (const int code = open_recorded(options, opened); code != exit_ok) return code;
  auto& log = *opened.log;
  const auto& recorded = opened.recorded;
  events::LogStatus status;
  const auto wrong = not_decided(log, recorded, *at, status);
  if (!status.ok()) return complain_of(status);
  if (!wrong.empty()) {
    complain("%s\n", wrong.c_str());
    return exit_failed;
  }
  std::vector<Timeline> timelines;
  if (status = read_why(log, recorded, *at, timelines); !status.ok()) return complain_of(status);
  for (const auto& timeline : timelines) print_timeline(timeline, options.json);
  if (timelines.empty() && !options.json) print("%s is a tick that ended no wait.\n", position_text(*at).c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
