#include "tools/deadletters/dead_letter_dry_run.h"

#include "tools/deadletters/dead_letter_retry.h"
#include "tools/records/each_record.h"
#include "tools/replay/replay_guards.h"
#include "tools/replay/replay_partition.h"
#include "tools/replay/replay_state.h"

#include <algorithm>
#include <map>
#include <utility>

namespace mayfly::tools {

using events::LogStatus;
using events::Partition;
using events::Record;

namespace {

/// What one record comes to.
class Outcome final : public ReplayedPartition::Watcher {
 public:
  bool watches(std::string_view) override { return true; }
  void decided(const Replayed& told) override {
    came_to.outcome = outcome_of(told);
    if (const auto tried = guards_of(told); !tried.empty()) {
      came_to.rule = std::string(tried.back().number) + " " + tried.back().name;
    }
    for (const auto& event : told.events) came_to.events.emplace_back(events::name(event.type));
  }
  DryOutcome came_to;
};

}  // namespace

DryRun::DryRun(events::LogClient& log, const Recorded& recorded, events::Timestamp now, bool forced,
               std::function<void()> read)
    : log_(log), recorded_(recorded), now_(now), forced_(forced), read_(std::move(read)) {}

LogStatus DryRun::run(std::deque<DeadLetterReading>& readings, const Selection& selection,
                      const std::function<void(const Found&, const DryOutcome&)>& f) {
  std::map<Partition, std::vector<DeadLetterReading*>> by_partition;  // where they would be sent
  for (auto& reading : readings) {
    auto status = reading.each_batch(selection, [&](std::vector<Found>& batch) {
      for (const auto& found : batch) {
        auto& from = by_partition[retry_partition(found, log_.partitions())];
        if (std::find(from.begin(), from.end(), &reading) == from.end()) from.push_back(&reading);
      }
      return LogStatus{};
    });
    if (!status.ok()) return status;
  }
  for (const auto& [to, from] : by_partition) {
    if (auto status = run(to, from, selection, f); !status.ok()) return status;
  }
  return {};
}

LogStatus DryRun::run(Partition to, const std::vector<DeadLetterReading*>& from, const Selection& selection,
                      const std::function<void(const Found&, const DryOutcome&)>& f) {
  ReplayedPartition partition(recorded_.engine, to, log_.partitions(), recorded_.tick_secrets);
  partition.withhold_as([&](events::Position at, std::string_view id) { return recorded_.withheld_at(at, id); });
  auto time = now_;
  auto status = each_record(log_, events::Stream::commands, to, [&](const Record& record) {
    partition.take(record, nullptr);
    time = std::max(time, record.append_time);
    read_();
    return true;
  });
  for (auto* reading : from) {
    if (!status.ok()) break;
    status = reading->each_batch(selection, [&](std::vector<Found>& batch) {
      for (const auto& found : batch) {
        if (retry_partition(found, log_.partitions()) != to) continue;
        if (const auto why = why_left_out(found.letter, forced_); !why.empty()) {
          f(found, {true, std::string(why), {}, {}});
          continue;
        }
        auto record = found.record;
        record.headers = found.letter.headers;
        record.at = {to, partition.position().next};
        record.append_time = time;
        Outcome outcome;
        partition.take(record, &outcome);
        f(found, outcome.came_to);
      }
      return LogStatus{};
    });
  }
  return status;
}

}  // namespace mayfly::tools
