// mayfly replay bisect: since when? The first command after which a condition holds.
#include "events/rules/identity.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/bisect_checkpoints.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_condition.h"
#include "tools/replay/replay_timeline.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mayfly::tools {

namespace {

using events::Partition;
using events::Record;

struct Found {
  events::Position at;
  events::Timestamp time;
  std::string cart;
};

/// The state after a command, `command`, `event` and `code` beside; of the partition how much is open.
OrderedJson seen_after(const Replayed& told, const ReplayedPartition& partition) {
  auto json = told.after != nullptr ? state_json(*told.after) : OrderedJson{{"cart", std::string(told.cart_id)}};
  if (told.after == nullptr) json["phase"] = told.over ? std::string(name(*told.over)) : phase_of(nullptr, told.ended);
  json["command"] = told.is_deadline() ? "deadline" : std::string(short_type(told.record));
  json["event"] = OrderedJson::array();
  for (const auto& event : told.events) {
    json["event"].push_back(name(event.type));
    if (event.code) json["code"] = name(*event.code);
  }
  if (told.dead_letter) json["dead_letter"] = name(*told.dead_letter);
  json["partition"] = open_in(partition);
  return json;
}

class Looking final : public ReplayedPartition::Watcher {
 public:
  Looking(const ReplayedPartition& partition, const std::string& cart, std::function<bool(OrderedJson&&)> holds)
      : partition_(partition), cart_(cart), holds_(std::move(holds)) {}
  bool watches(std::string_view cart) override { return !found && (cart_.empty() || cart == cart_); }
  [[nodiscard]] bool wants_before() const override { return false; }
  void decided(const Replayed& told) override {
    if (holds_(seen_after(told, partition_)))
      found = {told.record.at, told.record.append_time, std::string(told.cart_id)};
    at.push_back({told.record.at, told.record.append_time, std::string(told.cart_id)});
    if (cart_.empty()) at.clear();
  }
  std::optional<Found> found;
  std::vector<Found> at;  // of each step, where one cart is looked at

 private:
  const ReplayedPartition& partition_;
  const std::string& cart_;
  std::function<bool(OrderedJson&&)> holds_;
};

/// Runs it with the state on standard input; true if it exits with 0.
bool program_says_so(const std::string& program, const OrderedJson& json) {
  auto* pipe = ::popen(program.c_str(), "w");
  if (pipe == nullptr) return false;
  const auto text = json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const auto written = ::write(::fileno(pipe), text.data() + at, text.size() - at);
    if (written <= 0) break;  // it has seen enough
    at += static_cast<std::size_t>(written);
  }
  return ::pclose(pipe) == 0;
}

class Bisection {
 public:
  Bisection(events::LogClient& log, const Recorded& recorded, const ReplayBisectOptions& options)
      : log_(log), recorded_(recorded), options_(options) {}

  events::LogStatus by_condition(const Condition& condition) {
    events::LogStatus status;
    for (Partition p = 0; p < log_.partitions() && status.ok(); ++p) {
      if (!options_.cart.empty() && events::partition_of(options_.cart, log_.partitions()) != p) continue;
      std::vector<Found> at;
      status = look(
          p, [&](OrderedJson&& json) { return condition.holds(json); }, at);
    }
    return status;
  }

  /// The program is asked as often as halving the cart's life takes: what held once must go on to hold.
  events::LogStatus by_program(const std::string& program) {
    std::vector<OrderedJson> states;
    std::vector<Found> at;
    const auto keep = [&](OrderedJson&& json) {
      states.push_back(std::move(json));
      return false;
    };
    auto status = look(events::partition_of(options_.cart, log_.partitions()), keep, at);
    if (!status.ok() || states.empty()) return status;
    std::size_t low = 0;
    auto high = states.size();
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      ++asked_;
      if (program_says_so(program, states[middle])) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    if (low < states.size()) found_ = at[low];
    return status;
  }

  [[nodiscard]] const std::optional<Found>& found() const { return found_; }
  [[nodiscard]] std::int64_t commands() const { return commands_; }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  /// Until the condition holds, or what was found in another partition lies before.
  events::LogStatus look(Partition p, std::function<bool(OrderedJson&&)> holds, std::vector<Found>& at) {
    ReplayedPartition partition(recorded_.engine, p, log_.partitions(), recorded_.tick_secrets);
    partition.withhold_as([&](events::Position pos, std::string_view id) { return recorded_.withheld_at(pos, id); });
    Looking looking(partition, options_.cart, std::move(holds));
    const auto end = recorded_.ends[static_cast<std::size_t>(p)];
    events::Offset first = 0;
    auto status = begin_replay(recorded_, p, partition, first);
    if (!status.ok()) return status;
    status = each_record_from(log_, events::Stream::commands, p, first, [&](const Record& record) {
      if (record.at.offset >= end || (found_ && record.append_time >= found_->time)) return false;
      partition.take(record, &looking);
      ++commands_;
      return !looking.found;
    });
    if (looking.found) found_ = looking.found;
    at = std::move(looking.at);
    return status;
  }

  events::LogClient& log_;
  const Recorded& recorded_;
  const ReplayBisectOptions& options_;
  std::optional<Found> found_;
  std::int64_t commands_ = 0;
  int asked_ = 0;
};

int print_found(events::LogClient& log, const Recorded& recorded, const Found& found, bool json) {
  std::vector<Timeline> timelines;
  if (const auto status = read_timelines(log, recorded, {found.cart}, timelines); !status.ok())
    return complain_of(status);
  auto& timeline = timelines.front();
  const auto position = std::to_string(found.at.partition) + ":" + std::to_string(found.at.offset);
  auto& steps = timeline.steps;
  steps.erase(std::remove_if(steps.begin(), steps.end(), [&](const auto& s) { return s["position"] != position; }),
              steps.end());
  timeline.not_decided = 0;
  print_timeline(timeline, json);
  return exit_ok;
}

/// `began`: the checkpoint, of several, that the search begins with.
int open_at(const ReplayBisectOptions& options, const Condition& condition, RecordedLog& opened, std::string& began) {
  FromWords words;
  const LogWords& log = options;
  static_cast<LogWords&>(words) = log;
  if (options.checkpoints.size() == 1) words.checkpoint = options.checkpoints.front();
  if (options.checkpoints.size() < 2) return open_recorded(words, opened);
  if (options.program.empty() && condition.is_of_decisions()) {
    complain("A checkpoint has no command, event, code or dead_letter: give one --from, or a condition over state.\n");
    return exit_usage;
  }
  if (const int code = open_unread(words, opened); code != exit_ok) return code;
  const auto holds = [&](OrderedJson&& json) {
    return options.program.empty() ? condition.holds(json) : program_says_so(options.program, json);
  };
  if (const int code = begin_before(options.checkpoints, options.cart, holds, opened, began); code != exit_ok)
    return code;
  const auto status = read_recorded(*opened.log, opened.recorded);
  return status.ok() ? exit_ok : complain_of(status);
}

}  // namespace

int replay_bisect(const ReplayBisectOptions& options) {
  if (options.when.empty() == options.program.empty() || (!options.program.empty() && options.cart.empty())) {
    complain("Give --when CONDITION, or --exec PROGRAM with --cart CART.\n");
    return exit_usage;
  }
  std::string wrong;
  const Condition condition(options.when, wrong);
  if (!options.when.empty() && !wrong.empty()) {
    complain("--when: %s. docs/replay.md says what a condition is.\n", wrong.c_str());
    return exit_usage;
  }
  RecordedLog opened;
  std::string began;
  if (const int code = open_at(options, condition, opened, began); code != exit_ok) return code;
  auto& log = *opened.log;
  const auto& recorded = opened.recorded;
  Bisection bisection(log, recorded, options);
  const auto status =
      options.program.empty() ? bisection.by_condition(condition) : bisection.by_program(options.program);
  if (!status.ok()) return complain_of(status);
  const auto& found = bisection.found();
  if (!options.json) {
    if (options.checkpoints.size() > 1)
      print("began with %s\n", began.empty() ? "the first commands: it holds in every checkpoint" : began.c_str());
    print(
        "%s after %s commands%s\n", found ? "found" : "It never holds: looked", grouped(bisection.commands()).c_str(),
        options.program.empty() ? "" : (", the program asked " + std::to_string(bisection.asked()) + " times").c_str());
  }
  return found ? print_found(log, recorded, *found, options.json) : exit_failed;
}

}  // namespace mayfly::tools
