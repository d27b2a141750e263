// The commands of a log or a bundle in the order in which they were appended, over all partitions. Holds a piece of
// each partition at a time.
#pragma once

#include "events/log/log.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

/// Where commands are read from, one partition after the other or in turn.
class CommandSource {
 public:
  virtual ~CommandSource() = default;
  CommandSource() = default;
  CommandSource(const CommandSource&) = delete;
  CommandSource& operator=(const CommandSource&) = delete;

  [[nodiscard]] virtual std::int32_t partitions() const = 0;
  /// The engine that decided them.
  [[nodiscard]] virtual const std::string& engine() const = 0;
  /// 16 hex digits that no other source has, and the same one each time.
  [[nodiscard]] virtual const std::string& id() const = 0;
  /// How many records there are at most.
  [[nodiscard]] virtual std::int64_t records() const = 0;
  /// The next commands of a partition, in offset order; none: it has no more.
  [[nodiscard]] virtual events::LogStatus read(events::Partition, events::RecordBatch&) = 0;
};

/// Where a partition's commands begin: when and at which offset. Two logs of which that is the same are one log.
struct FirstCommand {
  events::Position at;
  events::Timestamp time;
  bool operator==(const FirstCommand&) const = default;
};

/// The commands that are in the log now. It outlives what is made. Null with `status` set if it cannot be read.
[[nodiscard]] std::unique_ptr<CommandSource> commands_of_log(events::LogClient&, events::LogStatus& status);
/// A file that `replay export` made; all of it is read and checked first. Null with `wrong` set.
[[nodiscard]] std::unique_ptr<CommandSource> commands_of_bundle(const std::string& file, std::string& wrong);

/// The name of the engine that decides the log, as its state says; "mayfly" where none has.
[[nodiscard]] events::LogStatus engine_of(events::LogClient&, std::string& engine);

/// A command, and what keeps it.
struct RecordedCommand {
  events::Record record;
  std::shared_ptr<const void> storage;
};

class RecordedCommands {
 public:
  explicit RecordedCommands(CommandSource& source);
  /// The earliest that is left, by append time, then by partition; a partition's own order stays, whatever its times.
  /// Nothing at the end, or if `status` is not ok.
  [[nodiscard]] std::optional<RecordedCommand> next(events::LogStatus& status);
  /// Where each partition begins, of those that have commands. Before the first `next`.
  [[nodiscard]] std::vector<FirstCommand> firsts(events::LogStatus& status);

 private:
  struct Lane {
    events::RecordBatch batch;
    std::size_t at = 0;
  };
  [[nodiscard]] events::LogStatus fill(events::Partition);

  CommandSource& source_;
  std::vector<Lane> lanes_;
  std::vector<std::pair<events::Timestamp, events::Partition>> heads_;  // a heap, the earliest first
  bool begun_ = false;
};

}  // namespace mayfly::tools
