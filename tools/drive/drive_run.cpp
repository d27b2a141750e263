#include "tools/drive/drive_run.h"

#include "adapters/record_limits.h"
#include "events/rules/identity.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

using events::LogStatus;
using events::Millis;
using events::Record;

namespace {

events::Partition partition_in(const Record& record, std::int32_t partitions) {
  if (record.key && events::is_cart_id(*record.key)) return events::partition_of(*record.key, partitions);
  return record.at.partition % partitions;
}

}  // namespace

Drive::Drive(CommandSource& source, RecordedCommands& commands, events::LogClient& to, DriveTarget found,
             DrivePace pace, DriveClock& clock)
    : source_(source),
      commands_(commands),
      to_(to),
      found_(std::move(found)),
      pace_(pace),
      clock_(clock),
      reader_(source.engine(), source.partitions(), {{}, true}),
      own_source_("/mayfly/" + source.engine()) {}

/// The next command that is to be appended, if there is one.
LogStatus Drive::take_next() {
  LogStatus status;
  while (!pending_ && !counts_.ended) {
    auto command = commands_.next(status);
    if (!status.ok()) return status;
    if (!command) {
      counts_.ended = true;
      break;
    }
    ++counts_.read;
    const auto& record = command->record;
    const auto to = partition_in(record, to_.partitions());
    if (is_left_out(record) || is_there_already(record, to)) continue;
    auto pending = to_append(std::move(*command), to);
    if (!adapters::refusal(pending->record(), to_.partitions()).empty()) {
      ++counts_.too_large;
      continue;
    }
    pending->due = pace_.due(pending->command.record.append_time);
    pending_ = std::move(pending);
  }
  return status;
}

/// As it was recorded, but for headers that name positions in the source's log.
std::unique_ptr<Drive::Pending> Drive::to_append(RecordedCommand command, events::Partition to) const {
  auto pending = std::make_unique<Pending>();
  pending->to = to;
  pending->from = driven_name(source_.id(), command.record.at);
  for (const auto& h : command.record.headers) {
    if (!h.name.starts_with("mayfly.")) pending->headers.push_back(h);
  }
  pending->headers.push_back({driven_header, pending->from});
  pending->command = std::move(command);
  return pending;
}

bool Drive::is_left_out(const Record& record) {
  arena_.release();
  const auto read = reader_.read(record, {}, &arena_);
  const auto* command = std::get_if<events::ReadCommand>(&read);
  if (command != nullptr && command->command.type == events::CommandType::clock_tick) {
    ++counts_.ticks;
    return true;
  }
  const bool engines = header(record, "ce_source") == own_source_;
  counts_.engines += engines ? 1 : 0;
  return engines;
}

bool Drive::is_there_already(const Record& record, events::Partition to) {
  auto& last = found_.last[static_cast<std::size_t>(to)];
  if (!last) return false;
  if (*last == record.at) last.reset();
  ++counts_.already;
  return true;
}

bool Drive::lost_its_place() const {
  return counts_.ended &&
         std::any_of(found_.last.begin(), found_.last.end(), [](const auto& last) { return last.has_value(); });
}

LogStatus Drive::run(const std::function<void(const DriveCounts&)>& told) {
  const auto begun = clock_.now();
  std::vector<std::unique_ptr<Pending>> batch;
  while (!clock_.asked_to_stop()) {
    const events::Millis now{clock_.now().count - begun.count};
    batch.clear();
    std::size_t bytes = 0;
    while (batch.size() < most_at_once && bytes < most_bytes_at_once) {
      if (auto status = take_next(); !status.ok()) return status;
      if (!pending_ || pending_->due > now) break;
      if (!pace_.unpaced()) counts_.behind = std::max(counts_.behind, Millis{now.count - pending_->due.count});
      bytes += adapters::bytes_to_write(pending_->record());
      batch.push_back(std::move(pending_));
    }
    if (auto status = append(batch); !status.ok()) return status;
    told(counts_);
    if (!batch.empty()) continue;
    if (!pending_) break;
    clock_.wait_until({begun.count + std::min(pending_->due.count, now.count + tells_every.count)});
  }
  return {};
}

LogStatus Drive::append(const std::vector<std::unique_ptr<Pending>>& batch) {
  if (batch.empty()) return {};
  std::vector<events::NewRecord> records;
  records.reserve(batch.size());
  for (const auto& pending : batch) records.push_back(pending->record());
  const auto appended = to_.append(records);
  if (!appended.status.ok()) return appended.status;
  counts_.driven += std::ssize(batch);
  counts_.last = batch.back()->command.record.at;
  return {};
}

}  // namespace mayfly::tools
