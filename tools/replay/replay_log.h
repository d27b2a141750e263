// The log of a replay: gives the recorded commands again, and compares what an engine commits with what is recorded, as
// it comes. Keeps the newest state of live carts and nothing else, however long the log is. Writes nothing.
#pragma once

#include "events/log/log.h"
#include "tools/replay/checkpoint.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mayfly::tools {

class ReplayLog final : public events::Log {
 public:
  /// Both read the recorded log, from two threads, and outlive the replay. `ends`: per partition the next command that
  /// the recorded engine would have decided; `position_at`: where its state says so.
  ReplayLog(events::LogClient& commands, events::LogClient& results, std::vector<events::Offset> ends,
            std::vector<events::Offset> position_at);
  /// Before an engine runs on it: it begins there, and not at the first commands.
  [[nodiscard]] events::LogStatus begin_with(const Checkpoint&);
  /// Before an engine runs on it: what it commits is taken as it is, whatever is recorded.
  void compare_nothing() { compares_ = false; }
  /// Before an engine runs on it: called in the engine's thread at each poll, with the number of commands that
  /// were given before, and their share of all, 0 to 1.
  void on_poll(std::function<void(std::int64_t commands, double share)> polled) { polled_ = std::move(polled); }
  /// From here on the replay ends later. No engine runs on it meanwhile.
  void extend(std::vector<events::Offset> ends, std::vector<events::Offset> position_at);

  [[nodiscard]] std::int32_t partitions() const override { return commands_.partitions(); }
  events::Polled poll(const events::PollLimits&) override;
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&) override;
  void start(events::Partition, events::Offset) override {}
  events::CommitResult commit(const events::Commit&) override;
  events::LogStatus append(const events::NewRecord&) override { return {}; }

  /// After the engine has caught up: recorded events that were not decided again, and every newest state record.
  /// An empty string, or the first difference. State that a later commit has written is not compared but counted.
  [[nodiscard]] std::string compare_rest();
  /// Not ok: the recorded log could not be read, so that what was said to differ may be the same.
  [[nodiscard]] const events::LogStatus& status() const { return status_; }
  [[nodiscard]] std::int64_t commands() const { return given_; }
  [[nodiscard]] std::int64_t events() const { return compared_; }
  [[nodiscard]] std::int64_t states() const { return states_; }
  /// Keys whose state was written by commits behind `ends`, and so could not be compared.
  [[nodiscard]] std::int64_t moved_on() const { return moved_on_; }

 private:
  struct Cursor {  // in the recorded events of a partition
    events::Offset next = 0;
    events::RecordBatch batch;
    std::size_t at = 0;
  };
  /// The next recorded event to compare with; null at the end. Valid until the next call for that partition.
  const events::Record* next_event(events::Partition);
  [[nodiscard]] bool expected(const events::Record& event, events::Partition) const;
  std::string compare_state(events::Partition);
  std::string difference_of_state(events::Partition, events::Offset, const std::string& key, const std::string& again);

  events::LogClient& commands_;
  events::LogClient& results_;
  std::vector<events::Offset> ends_;
  std::vector<events::Offset> position_at_;
  std::vector<events::Partition> taken_;
  std::vector<events::Offset> from_;
  std::vector<events::Offset> begins_;  // what from_ was at first
  std::vector<Cursor> cursors_;
  std::vector<std::map<std::string, std::string>> state_;  // newest per key, tombstones left out
  events::LogStatus status_;                               // of reading the recorded events
  [[nodiscard]] double share() const;

  bool compares_ = true;
  std::function<void(std::int64_t, double)> polled_;
  std::int64_t given_ = 0;
  std::int64_t compared_ = 0;
  std::int64_t states_ = 0;
  std::int64_t moved_on_ = 0;
};

}  // namespace mayfly::tools
