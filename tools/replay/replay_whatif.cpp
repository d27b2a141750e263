#include "tools/replay/replay_whatif.h"

#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/replay_state.h"

#include <algorithm>
#include <vector>

namespace mayfly::tools {

using events::Partition;
using events::Record;

namespace {

/// A wait of the changed side that no recorded tick answers is over so long after it was due: an engine writes its tick
/// within that time.
constexpr events::Millis tick_within{1'000};

/// What one side said while one record was decided.
class Side final : public ReplayedPartition::Watcher {
 public:
  struct Told {
    std::string cart;
    std::string command;
    std::string outcome;
    std::vector<ReplayedEvent> events;
  };

  explicit Side(ReplaySums& sums) : sums_(sums) {}
  void begin_with(const ReplayedPartition& partition) { sums_.begin_with(partition); }
  bool watches(std::string_view) override { return true; }
  [[nodiscard]] bool wants_before() const override { return false; }

  void decided(const Replayed& told) override {
    auto& t = of(told.cart_id);
    if (t.command.empty()) t.command = command_of(told);
    std::string said;
    for (const auto& event : told.events) {
      said += said.empty() ? "" : ", ";
      said += name(event.type);
      if (event.code) said += " " + std::string(name(*event.code));
      sums_.count(name(event.type), event.data);
      t.events.push_back(event);
    }
    if (said.empty()) said = told.repeated ? "repeated" : "nothing";
    t.outcome += (t.outcome.empty() ? "" : "; ") + said;
  }

  [[nodiscard]] const std::vector<Told>& told() const { return told_; }
  [[nodiscard]] const Told* find(std::string_view cart) const {
    const auto found = std::find_if(told_.begin(), told_.end(), [&](const Told& t) { return t.cart == cart; });
    return found == told_.end() ? nullptr : &*found;
  }
  void clear() { told_.clear(); }

 private:
  Told& of(std::string_view cart) {
    const auto found = std::find_if(told_.begin(), told_.end(), [&](const Told& t) { return t.cart == cart; });
    if (found != told_.end()) return *found;
    told_.push_back({std::string(cart), {}, {}, {}});
    return told_.back();
  }

  static std::string command_of(const Replayed& told) {
    if (!told.is_deadline()) return std::string(short_type(told.record));
    return "wait over: " + std::string(name(std::get<events::DeadlineReached>(told.read->command.data).kind));
  }

  SummedEvents sums_;
  std::vector<Told> told_;
};

/// Times until when an answer is asked for follow from waits and are no difference by themselves.
bool same_data(const std::string& one, const std::string& other) {
  if (one == other) return true;
  auto a = nlohmann::json::parse(one, nullptr, false);
  auto b = nlohmann::json::parse(other, nullptr, false);
  for (auto* json : {&a, &b}) {
    if (!json->is_object()) return false;
    json->erase("deadline");
    json->erase("hold_until");
  }
  return a == b;
}

bool same(const Side::Told* one, const Side::Told* other) {
  const auto count = [](const Side::Told* t) { return t == nullptr ? 0 : t->events.size(); };
  if (count(one) != count(other)) return false;
  for (std::size_t i = 0; i < count(one); ++i) {
    const auto& a = one->events[i];
    const auto& b = other->events[i];
    if (a.type != b.type || a.code != b.code || !same_data(a.data, b.data)) return false;
  }
  return true;
}

class PartitionWhatIf {
 public:
  PartitionWhatIf(const Recorded& recorded, const ReplayPlan& plan, Partition p, std::int32_t partitions, WhatIf& out)
      : plan_(plan),
        partition_(p),
        out_(out),
        base_(recorded.engine, p, partitions, recorded.tick_secrets),
        changed_(recorded.engine, p, partitions, recorded.tick_secrets),
        base_said_(out.recorded),
        changed_said_(out.changed) {
    const auto withheld = [&](events::Position at, std::string_view cart) { return recorded.withheld_at(at, cart); };
    base_.withhold_as(withheld);
    changed_.withhold_as(withheld);
  }

  /// Brings both sides to where the replay begins; `first`: the command to take first.
  events::LogStatus begin(const Recorded& recorded, events::Offset& first) {
    auto status = begin_replay(recorded, partition_, base_, first);
    if (status.ok()) status = begin_replay(recorded, partition_, changed_, first);
    base_said_.begin_with(base_);
    changed_said_.begin_with(changed_);
    changed_.change_settings([&](events::Settings& settings) { plan_.change(settings); });
    return status;
  }

  void take(const Record& record) {
    ++out_.commands;
    fire_waits(record);
    const auto found = plan_.commands.find(record.at);
    const auto* here = found == plan_.commands.end() ? nullptr : &found->second;
    if (here != nullptr) insert(here->before, record.at, record.append_time);
    base_.take(record, &base_said_);
    if (here == nullptr || (!here->dropped && !here->data)) {
      changed_.take(record, &changed_said_);
    } else if (!here->dropped) {
      auto altered = record;
      altered.value = *here->data;
      changed_.take(altered, &changed_said_);
    }
    compare(record.at, record.append_time, here != nullptr && here->dropped ? "left out " : "");
    last_ = record.at;
    last_time_ = record.append_time;
  }

  void finish() {
    const auto found = plan_.commands.find({partition_, ReplayPlan::at_end});
    if (found != plan_.commands.end()) {
      insert(found->second.before, {partition_, last_.offset + 1}, last_time_);
      compare({partition_, last_.offset + 1}, last_time_, "inserted ");
    }
    for (auto& [cart, difference] : out_.carts) {
      if (difference.at.partition != partition_) continue;
      difference.phase_recorded = phase_of(base_.find(cart), base_.epitaph(cart));
      difference.phase_changed = phase_of(changed_.find(cart), changed_.epitaph(cart));
    }
  }

 private:
  void insert(const std::vector<OwnRecord>& records, events::Position at, events::Timestamp time) {
    for (const auto& inserted : records) {
      as_record(inserted, at, time, [&](const Record& record) { changed_.take(record, &changed_said_); });
      compare(at, time, "inserted ");
    }
  }

  /// Waits that only the changed side has, and that are over before this record.
  void fire_waits(const Record& next) {
    const auto own_wait = [&](const ReplayedCart& cart) {
      const auto* as_recorded = base_.find(cart.cart.id);
      if (as_recorded == nullptr) return true;
      const auto& a = as_recorded->wait;
      const auto& b = cart.wait;
      return a.kind != b.kind || a.length != b.length || a.due != b.due;
    };
    Record tick;
    tick.at = next.at;
    while (const auto due = changed_.fire_next(tick, next.append_time - tick_within, own_wait, &changed_said_))
      compare(next.at, *due, "");
  }

  void compare(events::Position at, events::Timestamp time, const char* how) {
    for (const auto& told : base_said_.told()) note(told.cart, &told, changed_said_.find(told.cart), at, time, how);
    for (const auto& told : changed_said_.told()) {
      if (base_said_.find(told.cart) == nullptr) note(told.cart, nullptr, &told, at, time, how);
    }
    base_said_.clear();
    changed_said_.clear();
  }

  void note(const std::string& cart, const Side::Told* one, const Side::Told* other, events::Position at,
            events::Timestamp time, const char* how) {
    if (out_.carts.contains(cart) || same(one, other)) return;
    auto& difference = out_.carts[cart];
    difference.at = at;
    difference.time = time;
    difference.command = how + (one != nullptr ? one : other)->command;
    difference.as_recorded = one != nullptr ? one->outcome : "nothing";
    difference.as_changed = other != nullptr ? other->outcome : "nothing";
  }

  const ReplayPlan& plan_;
  Partition partition_;
  WhatIf& out_;
  ReplayedPartition base_;
  ReplayedPartition changed_;
  Side base_said_;
  Side changed_said_;
  events::Position last_{};
  events::Timestamp last_time_{};
};

}  // namespace

events::LogStatus what_if(events::LogClient& log, const Recorded& recorded, const ReplayPlan& plan, WhatIf& out) {
  events::LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    PartitionWhatIf partition(recorded, plan, p, log.partitions(), out);
    const auto end = recorded.ends[static_cast<std::size_t>(p)];
    events::Offset first = 0;
    if (status = partition.begin(recorded, first); !status.ok()) return status;
    status = each_record_from(log, events::Stream::commands, p, first, [&](const Record& record) {
      if (record.at.offset >= end) return false;
      partition.take(record);
      return true;
    });
    partition.finish();
  }
  return status;
}

}  // namespace mayfly::tools
