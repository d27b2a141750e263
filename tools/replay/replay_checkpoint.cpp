// mayfly replay checkpoint: all that the partitions keep at one moment as a file that a later replay begins with.
#include "adapters/host/private_file.h"
#include "events/state/snapshot.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/progress.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/bundle_log.h"
#include "tools/records/each_record.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_moment.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace mayfly::tools {

using events::LogError;
using events::LogStatus;
using events::Partition;
using events::Record;
using events::Stream;

namespace {

/// By deciding the commands up to the moment.
LogStatus decide(RecordedLog& opened, const Moment& moment, Checkpoint& made) {
  auto& log = *opened.log;
  const auto& recorded = opened.recorded;
  std::int64_t all = 0;
  for (std::size_t p = 0; p < recorded.ends.size(); ++p)
    all += recorded.ends[p] - (recorded.from ? recorded.from->parts[p].next : 0);
  Progress progress("commands", std::max<std::int64_t>(all, 0));
  std::int64_t read = 0;
  for (Partition p = 0; p < log.partitions(); ++p) {
    const auto at = static_cast<std::size_t>(p);
    const auto* from = recorded.from ? &recorded.from->parts[at] : nullptr;
    ReplayedPartition partition(recorded.engine, p, log.partitions(), recorded.tick_secrets);
    partition.withhold_as([&](events::Position where, std::string_view id) { return recorded.withheld_at(where, id); });
    events::Offset first = 0;
    auto status = begin_replay(recorded, p, partition, first);
    auto time = from != nullptr ? from->time : events::Timestamp{};
    if (status.ok()) {
      status = each_record_from(log, Stream::commands, p, first, [&](const Record& record) {
        if (record.at.offset >= recorded.ends[at] || !moment.includes(record)) return false;
        partition.take(record, nullptr);
        time = record.append_time;
        progress.at(++read);
        return true;
      });
    }
    if (!status.ok()) return status;
    made.parts.push_back(part_of(partition, from, time));
  }
  return {};
}

/// The time of the last command before an offset; of the last tick where that one is no longer there.
LogStatus time_before(events::LogClient& log, const events::PositionRecord& position, Partition p,
                      events::Timestamp& time) {
  constexpr events::Offset marks = 64;  // of transactions, where a log has such between its records
  time = position.ticked;
  return each_record_from(log, Stream::commands, p, std::max<events::Offset>(position.next - marks, 0),
                          [&](const Record& record) {
                            if (record.at.offset >= position.next) return false;
                            time = record.append_time;
                            return true;
                          });
}

/// From the log's own state, at the engine's last commit.
LogStatus take_recorded(events::LogClient& log, Checkpoint& made) {
  for (Partition p = 0; p < log.partitions(); ++p) {
    Checkpoint::Part part;
    bool position_last = true;
    auto status = each_record(log, Stream::state, p, [&](const Record& record) {
      const std::string key(record.key.value_or(events::Bytes{}));
      position_last = key == events::position_key;
      if (record.value) {
        part.records.insert_or_assign(key, std::string(*record.value));
      } else {
        part.records.erase(key);
      }
      return true;
    });
    if (status.ok() && !position_last) {
      status = {LogError::unavailable, "An engine commits to this log: its state is of no one moment. Try again."};
    }
    const auto position = part.records.find(std::string(events::position_key));
    if (status.ok() && position != part.records.end()) {
      const auto read = events::decode_position(position->second);
      const auto* record = std::get_if<events::PositionRecord>(&read);
      if (record == nullptr) return {LogError::corrupt, std::get<events::Unsupported>(read).message};
      part.next = record->next;
      made.engine = record->engine;
      status = time_before(log, *record, p, part.time);
    }
    if (!status.ok()) return status;
    made.parts.push_back(std::move(part));
  }
  return {};
}

LogStatus write(const Checkpoint& made, const std::string& file) {
  LogStatus status;
  const auto partial = file + ".partial";
  const int made_private = adapters::open_private(partial, status);
  if (made_private < 0) return status;
  ::close(made_private);
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  std::error_code failed;
  if (!write_checkpoint(made, out)) status = {LogError::full, partial + " cannot be written to its end"};
  out.close();
  if (status.ok()) std::filesystem::rename(partial, file, failed);
  if (failed) status = {LogError::invalid, file + ": " + failed.message()};
  if (!status.ok()) std::filesystem::remove(partial, failed);
  return status;
}

int make(const ReplayCheckpointOptions& options, RecordedLog& opened, Checkpoint& made) {
  int code = exit_ok;
  if (options.as_recorded) {
    opened.log = open_recorded_log(options, opened.clock, code, &opened.has_state);
    if (!opened.log) return code;
    if (!opened.has_state) {
      complain("This bundle has no state that an engine recorded: leave out --as-recorded.\n");
      return exit_usage;
    }
    const auto status = take_recorded(*opened.log, made);
    return status.ok() ? exit_ok : complain_of(status);
  }
  if (code = open_recorded(options, opened); code != exit_ok) return code;
  Moment moment;
  auto status = moment_from_words(options.at, *opened.log, opened.clock.now(), moment);
  if (status.ok()) status = begins_before(opened.recorded, moment);
  made.engine = opened.recorded.engine;
  if (status.ok()) status = decide(opened, moment, made);
  return status.ok() ? exit_ok : complain_of(status);
}

}  // namespace

int replay_checkpoint(const ReplayCheckpointOptions& options) {
  if (std::filesystem::exists(options.file)) {
    complain("%s is there already. A checkpoint is a new file.\n", options.file.c_str());
    return exit_usage;
  }
  if (options.as_recorded && (!options.checkpoint.empty() || options.at != "end")) {
    complain("--as-recorded is what the engine has recorded last: give no --from or --at with it.\n");
    return exit_usage;
  }
  RecordedLog opened;
  Checkpoint made;
  if (const int code = make(options, opened, made); code != exit_ok) return code;
  if (const auto status = write(made, options.file); !status.ok()) return complain_of(status);
  std::int64_t records = 0;
  std::int64_t commands = 0;
  for (const auto& part : made.parts) {
    records += std::ssize(part.records);
    commands += part.next;
  }
  print("%s: %s records of state after %s commands, %s bytes\n", options.file.c_str(), grouped(records).c_str(),
        grouped(commands).c_str(),
        grouped(static_cast<std::int64_t>(std::filesystem::file_size(options.file))).c_str());
  return exit_ok;
}

}  // namespace mayfly::tools
