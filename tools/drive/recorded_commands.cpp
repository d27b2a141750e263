#include "tools/drive/recorded_commands.h"

#include <algorithm>
#include <functional>

namespace mayfly::tools {

using events::LogStatus;
using events::Partition;

RecordedCommands::RecordedCommands(CommandSource& source)
    : source_(source), lanes_(static_cast<std::size_t>(source.partitions())) {}

/// Puts the partition's next command among the heads, if it has one.
LogStatus RecordedCommands::fill(Partition p) {
  auto& lane = lanes_[static_cast<std::size_t>(p)];
  if (lane.at >= lane.batch.records.size()) {
    lane = {};
    if (auto status = source_.read(p, lane.batch); !status.ok()) return status;
    if (lane.batch.records.empty()) return {};
  }
  heads_.emplace_back(lane.batch.records[lane.at].append_time, p);
  std::push_heap(heads_.begin(), heads_.end(), std::greater<>());
  return {};
}

std::vector<FirstCommand> RecordedCommands::firsts(LogStatus& status) {
  std::vector<FirstCommand> firsts;
  begun_ = true;
  for (Partition p = 0; p < source_.partitions() && status.ok(); ++p) {
    status = fill(p);
    const auto& batch = lanes_[static_cast<std::size_t>(p)].batch;
    if (!batch.records.empty()) firsts.push_back({batch.records.front().at, batch.records.front().append_time});
  }
  return firsts;
}

std::optional<RecordedCommand> RecordedCommands::next(LogStatus& status) {
  if (!begun_) (void)firsts(status);
  if (!status.ok() || heads_.empty()) return std::nullopt;
  std::pop_heap(heads_.begin(), heads_.end(), std::greater<>());
  const auto p = heads_.back().second;
  heads_.pop_back();
  auto& lane = lanes_[static_cast<std::size_t>(p)];
  RecordedCommand command{lane.batch.records[lane.at++], lane.batch.storage};
  status = fill(p);
  if (!status.ok()) return std::nullopt;
  return command;
}

}  // namespace mayfly::tools
