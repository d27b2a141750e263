// Appends a source's commands to another log, each when it is due. Ticks and what the source's engine wrote itself are
// left out: the other log's engine makes its own.
#pragma once

#include "events/wire/cloudevent.h"
#include "tools/drive/drive_pace.h"
#include "tools/drive/drive_target.h"
#include "tools/drive/recorded_commands.h"

#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::tools {

/// The time of a drive.
class DriveClock {
 public:
  virtual ~DriveClock() = default;
  DriveClock() = default;
  DriveClock(const DriveClock&) = delete;
  DriveClock& operator=(const DriveClock&) = delete;
  [[nodiscard]] virtual events::Millis now() = 0;  // since some moment
  /// Returns then, or earlier where the drive is to stop.
  virtual void wait_until(events::Millis) = 0;
  [[nodiscard]] virtual bool asked_to_stop() = 0;
};

struct DriveCounts {
  std::int64_t read = 0;                 // of the source's records
  std::int64_t driven = 0;               // appended now
  std::int64_t already = 0;              // by an earlier drive
  std::int64_t ticks = 0;                // left out
  std::int64_t engines = 0;              // written by the source's engine itself: left out
  std::int64_t too_large = 0;            // for any log, with the header that is added: left out
  events::Millis behind{};               // how late a command was at most
  std::optional<events::Position> last;  // in the source, of the newest that was appended
  bool ended = false;                    // all of the source was read
};

class Drive {
 public:
  static constexpr std::size_t most_at_once = 500;
  static constexpr std::size_t most_bytes_at_once = 4 * 1024 * 1024;
  /// How often it tells how far it is while it waits.
  static constexpr events::Millis tells_every{1'000};

  /// All outlive it. `found`: what lies in `to` already.
  Drive(CommandSource& source, RecordedCommands& commands, events::LogClient& to, DriveTarget found, DrivePace pace,
        DriveClock& clock);
  /// Until all is there or the clock asks to stop. `told` is called as it goes on.
  [[nodiscard]] events::LogStatus run(const std::function<void(const DriveCounts&)>& told);
  [[nodiscard]] const DriveCounts& counts() const { return counts_; }
  /// What the other log has of this source is not in the source: the two do not belong together.
  [[nodiscard]] bool lost_its_place() const;

 private:
  /// A command as it is to be appended; `headers` view `from`.
  struct Pending {
    RecordedCommand command;
    events::Partition to = 0;
    events::Millis due{};
    std::string from;  // the value of its driven_header
    std::vector<events::Header> headers;
    [[nodiscard]] events::NewRecord record() const {
      return {events::Stream::commands, to, command.record.key, command.record.value, headers};
    }
  };
  [[nodiscard]] events::LogStatus take_next();
  [[nodiscard]] bool is_left_out(const events::Record&);
  [[nodiscard]] bool is_there_already(const events::Record&, events::Partition to);
  [[nodiscard]] std::unique_ptr<Pending> to_append(RecordedCommand, events::Partition to) const;
  [[nodiscard]] events::LogStatus append(const std::vector<std::unique_ptr<Pending>>&);

  CommandSource& source_;
  RecordedCommands& commands_;
  events::LogClient& to_;
  DriveTarget found_;
  DrivePace pace_;
  DriveClock& clock_;
  events::CommandReader reader_;
  std::pmr::monotonic_buffer_resource arena_;
  std::string own_source_;
  std::unique_ptr<Pending> pending_;  // the next one; null: not read yet, or none
  DriveCounts counts_;
};

}  // namespace mayfly::tools
