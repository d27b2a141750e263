#include "events/rules/identity.h"
#include "events/state/snapshot.h"
#include "tools/drive/recorded_commands.h"
#include "tools/records/each_record.h"

#include <algorithm>

namespace mayfly::tools {

using events::LogStatus;
using events::Partition;
using events::Stream;

namespace {

/// What is read of all partitions together is held at once.
constexpr std::size_t held_records = 8'000;
constexpr std::size_t held_bytes = 16 * 1024 * 1024;

class LogCommands final : public CommandSource {
 public:
  explicit LogCommands(events::LogClient& log) : log_(log) {}

  LogStatus begin() {
    if (auto status = engine_of(log_, engine_); !status.ok()) return status;
    std::string first;
    for (Partition p = 0; p < partitions(); ++p) {
      const auto ends = log_.ends(Stream::commands, p);
      if (!ends.status.ok()) return ends.status;
      next_.push_back(ends.first);
      ends_.push_back(ends.end);
      records_ += ends.end - ends.first;
      const auto fetched = log_.read(Stream::commands, p, ends.first, {1, 1, events::Millis{0}});
      if (!fetched.status.ok()) return fetched.status;
      if (fetched.batch.records.empty()) continue;
      const auto& record = fetched.batch.records.front();
      first.append(std::to_string(p)).append(" ").append(std::to_string(record.at.offset));
      first.append(" ").append(std::to_string(record.append_time.ms)).append("\n").append(record.value.value_or(""));
    }
    id_ = events::sha256_hex(first).substr(0, 16);
    return {};
  }

  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  [[nodiscard]] const std::string& engine() const override { return engine_; }
  [[nodiscard]] const std::string& id() const override { return id_; }
  [[nodiscard]] std::int64_t records() const override { return records_; }

  LogStatus read(Partition p, events::RecordBatch& batch) override {
    auto& next = next_[static_cast<std::size_t>(p)];
    const auto end = ends_[static_cast<std::size_t>(p)];
    const auto share = next_.size();
    const events::PollLimits piece{std::max<std::size_t>(1, held_records / share),
                                   std::max<std::size_t>(1, held_bytes / share), events::Millis{0}};
    if (next >= end) return {};
    auto fetched = log_.read(Stream::commands, p, next, piece);
    if (!fetched.status.ok()) return fetched.status;
    next = fetched.batch.records.empty() ? end : fetched.next;
    batch = std::move(fetched.batch);
    std::erase_if(batch.records, [&](const events::Record& r) { return r.at.offset >= end; });
    return {};
  }

 private:
  events::LogClient& log_;
  std::string engine_;
  std::string id_;
  std::int64_t records_ = 0;
  std::vector<events::Offset> next_;
  std::vector<events::Offset> ends_;  // when it began
};

}  // namespace

std::unique_ptr<CommandSource> commands_of_log(events::LogClient& log, LogStatus& status) {
  auto source = std::make_unique<LogCommands>(log);
  status = source->begin();
  if (!status.ok()) return nullptr;
  return source;
}

LogStatus engine_of(events::LogClient& log, std::string& engine) {
  engine = "mayfly";
  LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    status = each_record(log, Stream::state, p, [&](const events::Record& record) {
      if (record.key != events::position_key || !record.value) return true;
      const auto position = events::decode_position(*record.value);
      if (const auto* found = std::get_if<events::PositionRecord>(&position)) engine = found->engine;
      return true;
    });
  }
  return status;
}

}  // namespace mayfly::tools
