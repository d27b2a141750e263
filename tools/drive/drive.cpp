// mayfly replay drive: a recorded log's or bundle's commands into another log, at the recorded speed or another.
#include "adapters/host/wall_clock.h"
#include "events/wire/json_writer.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/progress.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/drive/drive_run.h"

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <stop_token>

namespace mayfly::tools {

namespace {

class SteadyTime final : public DriveClock {
 public:
  explicit SteadyTime(std::stop_token stop) : stop_(std::move(stop)) {}
  events::Millis now() override {
    return {std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun_).count()};
  }
  void wait_until(events::Millis then) override {
    std::unique_lock lock(mutex_);
    woken_.wait_until(lock, stop_, begun_ + std::chrono::milliseconds(then.count), [] { return false; });
  }
  bool asked_to_stop() override { return stop_.stop_requested(); }

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begun_ = Clock::now();
  std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
};

/// What is driven from, and the log that it is read from if it is none of a file.
struct From {
  std::unique_ptr<events::LogClient> log;
  std::unique_ptr<CommandSource> source;
};

int open_from(const ReplayDriveOptions& options, const events::Clock& clock, From& from) {
  if (options.from.starts_with("sqlite:") || options.from.starts_with("kafka:")) {
    int code = exit_ok;
    from.log = open_history({options.from, options.from_config}, clock, code);
    if (!from.log) return code;
    events::LogStatus status;
    from.source = commands_of_log(*from.log, status);
    return from.source ? exit_ok : complain_of(status);
  }
  if (!std::ifstream(options.from)) {
    complain("%s cannot be read. Give a bundle's file, sqlite:FILE or kafka:HOST:PORT.\n",
             printable(options.from).c_str());
    return exit_usage;
  }
  std::string wrong;
  from.source = commands_of_bundle(options.from, wrong);
  if (from.source) return exit_ok;
  complain("%s: %s. Nothing was driven.\n", printable(options.from).c_str(), wrong.c_str());
  return exit_failed;
}

/// A sentence if it must not be driven into that log.
std::string not_into(const DriveTarget& target, const std::vector<FirstCommand>& source, bool into_used) {
  if (is_same_log(source, target.firsts)) {
    return "--log is the log that these commands come from, or a copy of it. Drive them into another one.";
  }
  if (target.others > 0 && !into_used) {
    return "--log holds commands of other producers, the first at " + position_text(target.first_other) +
           ". Carts of the same id would get both: drive into a new log (--create), or say --into-used.";
  }
  return {};
}

std::string json_of(const DriveCounts& counts, std::int64_t ms) {
  std::string out;
  events::JsonObject json(out);
  json.number("driven", counts.driven);
  json.number("driven_before", counts.already);
  json.number("ticks_left_out", counts.ticks);
  json.number("engine_commands_left_out", counts.engines);
  json.number("too_large_left_out", counts.too_large);
  json.number("behind_ms", counts.behind.count);
  json.number("ms", ms);
  if (counts.last) json.text("last", position_text(*counts.last));
  json.boolean("ended", counts.ended);
  json.close();
  return out;
}

void print_counts(const DriveCounts& counts, std::int64_t ms, bool paced) {
  print("%s commands driven in %.1f s", grouped(counts.driven).c_str(), static_cast<double>(ms) / 1'000);
  if (counts.already > 0) print(", %s were there already", grouped(counts.already).c_str());
  print_text("\n");
  if (counts.ticks + counts.engines > 0) {
    print("left out: %s clock ticks, %s commands that the engine wrote itself\n", grouped(counts.ticks).c_str(),
          grouped(counts.engines).c_str());
  }
  if (counts.too_large > 0) print("left out: %s commands that no log takes\n", grouped(counts.too_large).c_str());
  if (paced && counts.driven > 0) print("at most %s ms behind time\n", grouped(counts.behind.count).c_str());
}

int report(const Drive& drive, const events::LogStatus& status, std::int64_t ms, bool paced, bool json) {
  const auto& counts = drive.counts();
  if (json) {
    print_json(json_of(counts, ms));
  } else {
    print_counts(counts, ms, paced);
  }
  if (!status.ok()) complain("%s\n", status.message.c_str());
  if (!status.ok() || !counts.ended) {
    complain("Not all was driven%s. The same again goes on there.\n",
             counts.last ? (": it ended after the command at " + position_text(*counts.last)).c_str() : "");
    return status.ok() ? exit_failed : exit_code_of(status.error);
  }
  if (!drive.lost_its_place()) return exit_ok;
  complain("--log holds commands that were driven from here but are here no more. Drive into a new log.\n");
  return exit_failed;
}

}  // namespace

int replay_drive(const ReplayDriveOptions& options) {
  const auto speed = speed_from_words(options.speed);
  if (!speed) {
    complain("--speed %s: give max, or how many times the recorded speed: 0.001 to 1,000,000.\n",
             printable(options.speed).c_str());
    return exit_usage;
  }
  const adapters::WallClock clock;
  From from;
  if (const int code = open_from(options, clock, from); code != exit_ok) return code;
  RecordedCommands commands(*from.source);
  events::LogStatus status;
  const auto firsts = commands.firsts(status);
  if (!status.ok()) return complain_of(status);
  int code = exit_ok;
  const auto to = open_client(options, options.create, clock, code);
  if (!to) return code;
  DriveTarget target;
  if (status = look_at_target(*to, from.source->id(), target); !status.ok()) return complain_of(status);
  if (const auto wrong = not_into(target, firsts, options.into_used); !wrong.empty()) {
    complain("%s Nothing was driven.\n", wrong.c_str());
    return exit_usage;
  }
  auto stop = stop_on_signals();
  SteadyTime time(stop.get_token());
  const DrivePace pace(*speed, {options.longest_gap_s * 1'000});
  Drive drive(*from.source, commands, *to, std::move(target), pace, time);
  {
    Progress progress("commands", from.source->records());
    std::optional<std::int64_t> before;  // read to find the place where an earlier drive ended
    status = drive.run([&](const DriveCounts& counts) {
      if (!before) before = counts.already;
      progress.at(counts.read, *before);
    });
  }
  return report(drive, status, time.now().count, !speed->unpaced(), options.json);
}

}  // namespace mayfly::tools
