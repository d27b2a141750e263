#include "tools/replay/replay_timeline.h"

#include "events/rules/identity.h"
#include "tools/console/text.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/replay_beside.h"
#include "tools/replay/replay_guards.h"
#include "tools/replay/replay_recorded.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>

namespace mayfly::tools {

using events::Partition;
using events::Record;
using events::Stream;

namespace {

void hide_token(OrderedJson& data) {
  if (data.is_object() && data.contains("payment") && data["payment"].is_object() && data["payment"].contains("token"))
    data["payment"]["token"] = "(hidden)";
  if (data.is_object() && data.contains("token")) data["token"] = "(hidden)";
}

OrderedJson money_of(const ReplayedCart* cart) {
  if (cart == nullptr || !cart->session) return nullptr;
  const auto& s = *cart->session;
  return {{"asked_minor", s.amount_minor},
          {"held_minor", s.ledger.authorized_minor - s.ledger.captured_minor},
          {"taken_minor", s.ledger.captured_minor - s.ledger.refunded_minor},
          {"currency", s.currency.view()}};
}

class Gatherer final : public ReplayedPartition::Watcher {
 public:
  Gatherer(Timeline& timeline, BesideCart& beside) : timeline_(timeline), beside_(beside) {}

  bool watches(std::string_view cart_id) override { return cart_id == timeline_.cart; }
  bool whole = false;  // every guard that was tried, and the state before

  void decided(const Replayed& told) override {
    auto step = begin(told.record, told.is_deadline() ? "deadline" : "command");
    describe_command(step, told);
    step["outcome"] = outcome_of(told);
    describe_rule(step, told);
    step["events"] = OrderedJson::array();
    for (const auto& event : told.events) {
      OrderedJson said = {{"type", events::name(event.type)}};
      if (event.sequence != 0) said["sequence"] = event.sequence;
      said["data"] = json_or_null(event.data);
      if (event.type == events::EventType::order_placed) timeline_.order = said["data"].value("order_id", "");
      step["events"].push_back(std::move(said));
    }
    if (!told.offered_to.empty()) step["lines_offered_to"] = told.offered_to;
    compare_with_recorded(step, told.record.at.offset);
    for (auto& event : step["events"]) hide_token(event["data"]);
    describe_change(step, told);
    add_beside(step, told.record.at.offset);
    timeline_.phase = step["phase"];
    timeline_.steps.push_back(std::move(step));
  }

  void wait_started(const Record& tick, const ReplayedCart& cart) override {
    auto step = begin(tick, "wait_started");
    step["wait"] = {{"change", "started"},
                    {"kind", name(cart.wait.kind)},
                    {"length_ms", cart.wait.length.count},
                    {"due", time_text(*cart.wait.due)}};
    timeline_.steps.push_back(std::move(step));
  }

 private:
  static OrderedJson begin(const Record& record, const char* kind) {
    return {{"position", position_text(record.at)}, {"time", time_text(record.append_time)}, {"kind", kind}};
  }

  static void describe_command(OrderedJson& step, const Replayed& told) {
    if (told.is_deadline()) {
      const auto kind = std::get<events::DeadlineReached>(told.read->command.data).kind;
      step["type"] = std::string("wait over: ") + std::string(name(kind));
      return;
    }
    step["type"] = std::string(short_type(told.record));
    if (told.read != nullptr) step["type"] = events::name(told.read->command.type);
    step["source"] = header(told.record, "ce_source");
    step["id"] = header(told.record, "ce_id");
    if (told.read != nullptr && !told.read->correlation_id.empty()) step["correlation_id"] = told.read->correlation_id;
    if (told.read != nullptr && !told.read->traceparent.empty()) step["traceparent"] = told.read->traceparent;
    auto data = json_or_null(told.record.value.value_or("null"));
    hide_token(data);
    if (data.is_object() && !data.empty()) step["data"] = std::move(data);
  }

  void describe_rule(OrderedJson& step, const Replayed& told) const {
    const auto tried = guards_of(told);
    if (!tried.empty()) step["rule"] = {{"guard", tried.back().number}, {"name", tried.back().name}};
    if (!whole) return;
    step["guards"] = guards_json(tried);
    step["state_before"] = told.before != nullptr ? state_json(*told.before) : OrderedJson(nullptr);
  }

  void describe_change(OrderedJson& step, const Replayed& told) const {
    auto before = told.before != nullptr ? state_json(*told.before) : OrderedJson(nullptr);
    auto after = told.after != nullptr ? state_json(*told.after) : OrderedJson(nullptr);
    step["phase_before"] = phase_of(told.before, told.ended);
    step["phase"] = told.over ? std::string(name(*told.over)) : phase_of(told.after, told.ended);
    step["changes"] = OrderedJson::array();
    if (told.after != nullptr) {
      for (const auto& change : changes_between(before, after)) {
        static constexpr std::string_view told_elsewhere[] = {"sequence", "remembered_commands", "cart"};
        const bool elsewhere =
            std::find(std::begin(told_elsewhere), std::end(told_elsewhere), change.path) != std::end(told_elsewhere);
        if (elsewhere || change.path.starts_with("wait.")) continue;
        step["changes"].push_back({{"member", change.path}, {"before", change.before}, {"after", change.after}});
      }
    }
    describe_wait(step, told);
    const auto was = money_of(told.before);
    if (const auto now = money_of(told.after); !now.is_null() && now != was) step["money"] = now;
    step["state"] = std::move(after);
  }

  static void describe_wait(OrderedJson& step, const Replayed& told) {
    const events::Wait none;
    const auto& was = told.before != nullptr ? told.before->wait : none;
    const auto& now = told.after != nullptr ? told.after->wait : none;
    const bool fired = told.is_deadline();
    if (was == now && !fired) return;
    const auto kind = [](const events::Wait& w) { return std::string(name(w.kind)); };
    if (now.kind == events::WaitKind::none) {
      if (was.kind != events::WaitKind::none)
        step["wait"] = {{"change", fired ? "fired" : "cleared"}, {"kind", kind(was)}};
      return;
    }
    step["wait"] = {{"change", fired ? "fired, set" : (was.kind == events::WaitKind::none ? "set" : "replaced")},
                    {"kind", kind(now)},
                    {"length_ms", now.length.count}};
    if (was.kind != events::WaitKind::none) step["wait"]["before"] = kind(was);
  }

  /// What was recorded of this record, if it is not what was decided now.
  void compare_with_recorded(OrderedJson& step, events::Offset offset) {
    const auto [first, last] = beside_.said.equal_range(offset);
    auto recorded = OrderedJson::array();
    for (auto at = first; at != last; ++at) recorded.push_back(at->second);
    auto now = OrderedJson::array();
    for (const auto& event : step["events"]) now.push_back({{"type", event["type"]}, {"data", event["data"]}});
    if (recorded == now) return;
    for (auto& event : recorded) hide_token(event["data"]);
    step["recorded"] = std::move(recorded);
    ++timeline_.differing;
  }

  void add_beside(OrderedJson& step, events::Offset offset) {
    for (auto [at, last] = beside_.dead_letters.equal_range(offset); at != last; ++at) step["dead_letter"] = at->second;
    for (auto [at, last] = beside_.alerts.equal_range(offset); at != last; ++at) step["alerts"].push_back(at->second);
    beside_.alerts.erase(offset);
  }

  Timeline& timeline_;
  BesideCart& beside_;
};

}  // namespace

namespace {

/// What was decided for each of them.
class Gatherers final : public ReplayedPartition::Watcher {
 public:
  /// Of the timelines of one partition. All outlive it. `whole`: as a Gatherer's.
  Gatherers(std::span<Timeline* const> timelines, BesideCarts& besides, bool whole) {
    for (auto* timeline : timelines) {
      auto& gatherer = of_.try_emplace(timeline->cart, *timeline, besides[timeline->cart]).first->second;
      gatherer.whole = whole;
    }
  }
  bool watching = true;
  bool watches(std::string_view cart_id) override { return watching && of_.contains(cart_id); }
  void decided(const Replayed& told) override { of_.find(told.cart_id)->second.decided(told); }
  void wait_started(const Record& tick, const ReplayedCart& cart) override {
    of_.find(std::string_view(cart.cart.id))->second.wait_started(tick, cart);
  }

 private:
  std::map<std::string, Gatherer, std::less<>> of_;
};

/// One pass over what `each` gives of each stream of the partition, whatever the number of carts.
events::LogStatus read_partition(std::int32_t partitions, const Recorded& recorded, Partition p,
                                 const EachRecordBeside& each, std::span<Timeline* const> timelines,
                                 const RecordRead& read) {
  BesideCarts besides;
  std::map<std::string, Timeline*, std::less<>> of;
  for (auto* timeline : timelines) {
    besides[timeline->cart];
    of.emplace(timeline->cart, timeline);
  }
  ReplayedPartition partition(recorded.engine, p, partitions, recorded.tick_secrets);
  events::Offset first = 0;
  if (auto status = begin_replay(recorded, p, partition, first); !status.ok()) return status;
  const auto each_here = [&](Stream stream, const std::function<bool(const Record&)>& f) {
    return each(stream, partition, f);
  };
  if (auto status = read_beside(each_here, besides, read); !status.ok()) return status;
  partition.withhold_as([&](events::Position at, std::string_view id) { return recorded.withheld_at(at, id); });
  Gatherers gatherers(timelines, besides, false);
  const auto end = recorded.ends[static_cast<std::size_t>(p)];
  auto status = each_here(Stream::commands, [&](const Record& record) {
    read();
    if (record.at.offset < end) {
      partition.take(record, &gatherers);
    } else if (const auto found = of.find(record.key.value_or(events::Bytes{})); found != of.end()) {
      ++found->second->not_decided;
    }
    return true;
  });
  for (auto* timeline : timelines) {
    if (timeline->steps.empty())
      timeline->phase = phase_of(partition.find(timeline->cart), partition.epitaph(timeline->cart));
    if (const auto* open = partition.find(timeline->cart)) timeline->state = state_json(*open);
    for (const auto& [offset, alert] : besides[timeline->cart].alerts) {  // of records that are not the cart's own
      timeline->steps.push_back({{"position", position_text({p, offset})}, {"kind", "alert"}, {"alerts", {alert}}});
    }
  }
  return status;
}

}  // namespace

events::LogStatus read_timelines(events::LogClient& log, const Recorded& recorded,
                                 const std::vector<std::string>& carts, std::vector<Timeline>& timelines,
                                 const RecordRead& read) {
  timelines.assign(carts.size(), {});
  std::map<Partition, std::vector<Timeline*>> by_partition;
  for (std::size_t i = 0; i < carts.size(); ++i) {
    auto& timeline = timelines[i];
    timeline.cart = carts[i];
    timeline.partition = events::partition_of(carts[i], log.partitions());
    by_partition[timeline.partition].push_back(&timeline);
  }
  for (const auto& [p, of] : by_partition) {
    const auto first = recorded.from ? recorded.from->parts[static_cast<std::size_t>(p)].next : 0;
    const auto each = [&log, partition = p, first](Stream stream, const ReplayedPartition&, const auto& f) {
      return each_record_from(log, stream, partition, stream == Stream::commands ? first : 0, f);
    };
    if (auto status = read_partition(log.partitions(), recorded, p, each, of, read); !status.ok()) return status;
  }
  return {};
}

events::LogStatus read_timeline(std::int32_t partitions, const Recorded& recorded, const EachRecordBeside& each,
                                const std::string& cart, Timeline& timeline) {
  timeline = {};
  timeline.cart = cart;
  timeline.partition = events::partition_of(cart, partitions);
  Timeline* const one[] = {&timeline};
  return read_partition(partitions, recorded, timeline.partition, each, one, [] {});
}

events::LogStatus records_to_read(events::LogClient& log, const std::vector<std::string>& carts,
                                  std::int64_t& records) {
  std::set<Partition> partitions;
  for (const auto& cart : carts) partitions.insert(events::partition_of(cart, log.partitions()));
  records = 0;
  for (const auto p : partitions) {
    for (const auto stream : {Stream::events, Stream::deadletters, Stream::alerts, Stream::commands}) {
      const auto ends = log.ends(stream, p);
      if (!ends.status.ok()) return ends.status;
      records += ends.end - ends.first;
    }
  }
  return {};
}

namespace {

/// The carts that one record concerns: a command's, or those whose waits a tick ended.
class Concerned final : public ReplayedPartition::Watcher {
 public:
  bool watching = false;
  std::vector<std::string> carts;
  bool watches(std::string_view) override { return watching; }
  [[nodiscard]] bool wants_before() const override { return false; }
  void decided(const Replayed& told) override {
    if (seen_.emplace(told.cart_id).second) carts.emplace_back(told.cart_id);
  }

 private:
  std::set<std::string> seen_;
};

/// Decides the partition up to the record, which the watcher alone sees.
template <class OneRecordWatcher>
events::LogStatus replay_to(events::LogClient& log, const Recorded& recorded, events::Position at,
                            OneRecordWatcher& watcher) {
  ReplayedPartition partition(recorded.engine, at.partition, log.partitions(), recorded.tick_secrets);
  partition.withhold_as([&](events::Position where, std::string_view id) { return recorded.withheld_at(where, id); });
  events::Offset first = 0;
  if (auto status = begin_replay(recorded, at.partition, partition, first); !status.ok()) return status;
  return each_record_from(log, Stream::commands, at.partition, first, [&](const Record& record) {
    watcher.watching = record.at == at;
    partition.take(record, &watcher);
    return record.at.offset < at.offset;
  });
}

}  // namespace

events::LogStatus read_why(events::LogClient& log, const Recorded& recorded, events::Position at,
                           std::vector<Timeline>& timelines) {
  Concerned concerned;
  auto status = replay_to(log, recorded, at, concerned);
  if (!status.ok()) return status;
  BesideCarts besides;
  timelines.assign(concerned.carts.size(), {});
  std::vector<Timeline*> of;
  for (std::size_t i = 0; i < timelines.size(); ++i) {
    timelines[i].cart = concerned.carts[i];
    timelines[i].partition = at.partition;
    besides[timelines[i].cart];
    of.push_back(&timelines[i]);
  }
  const auto each = [&](Stream stream, const auto& f) { return each_record(log, stream, at.partition, f); };
  if (status = read_beside(each, besides); !status.ok()) return status;
  Gatherers gatherers(of, besides, true);
  return replay_to(log, recorded, at, gatherers);
}

}  // namespace mayfly::tools
