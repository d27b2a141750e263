#include "tools/replay/replay_timeline.h"

#include "events/rules/identity.h"
#include "tools/console/parsed_json.h"
#include "tools/console/text.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/replay_guards.h"
#include "tools/replay/replay_recorded.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace mayfly::tools {

using events::Partition;
using events::Record;
using events::Stream;

namespace {

OrderedJson parsed(std::string_view text) {
  auto json = parsed_json<OrderedJson>(text);
  return json.is_discarded() ? OrderedJson(nullptr) : json;
}

void hide_token(OrderedJson& data) {
  if (data.is_object() && data.contains("payment") && data["payment"].is_object() && data["payment"].contains("token"))
    data["payment"]["token"] = "(hidden)";
  if (data.is_object() && data.contains("token")) data["token"] = "(hidden)";
}

std::int64_t offset_in(std::string_view digits) {
  std::int64_t offset = events::no_offset;
  std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  return offset;
}

OrderedJson money_of(const ReplayedCart* cart) {
  if (cart == nullptr || !cart->session) return nullptr;
  const auto& s = *cart->session;
  return {{"asked_minor", s.amount_minor},
          {"held_minor", s.ledger.authorized_minor - s.ledger.captured_minor},
          {"taken_minor", s.ledger.captured_minor - s.ledger.refunded_minor},
          {"currency", s.currency.view()}};
}

/// What the recorded streams hold of the cart besides its commands.
struct BesideCart {
  std::multimap<events::Offset, OrderedJson> said;          // recorded events, by what caused them
  std::multimap<events::Offset, OrderedJson> dead_letters;  // by the record they stand for
  std::multimap<events::Offset, OrderedJson> alerts;        // by the record they name
};

events::LogStatus read_beside(events::LogClient& log, Partition p, const std::string& cart, BesideCart& beside) {
  auto status = each_record(log, Stream::events, p, [&](const Record& r) {
    const auto data = r.key == cart || short_type(r) == "command.dead_lettered" ? parsed(r.value.value_or("null"))
                                                                                : OrderedJson(nullptr);
    const bool deadline = r.key != cart && data.is_object() && data.value("cart_id", "") == cart;
    if (r.key == cart || deadline) {
      beside.said.emplace(cause_offset(r), OrderedJson{{"type", short_type(r)}, {"data", data}});
    }
    return true;
  });
  if (!status.ok()) return status;
  status = each_record(log, Stream::deadletters, p, [&](const Record& r) {
    if (r.key != cart) return true;
    beside.dead_letters.emplace(offset_in(header(r, "mayfly.offset")),
                                OrderedJson{{"position", position_text(r.at)},
                                            {"reason", header(r, "mayfly.reason")},
                                            {"attempts", offset_in(header(r, "mayfly.attempts"))},
                                            {"message", header(r, "mayfly.message")}});
    return true;
  });
  if (!status.ok()) return status;
  return each_record(log, Stream::alerts, p, [&](const Record& r) {
    if (header(r, "ce_subject") != cart) return true;
    const auto data = parsed(r.value.value_or("null"));
    if (data.is_object()) beside.alerts.emplace(data.value("offset", events::no_offset), data);
    return true;
  });
}

class Gatherer final : public ReplayedPartition::Watcher {
 public:
  Gatherer(Timeline& timeline, BesideCart& beside) : timeline_(timeline), beside_(beside) {}

  bool watches(std::string_view cart_id) override { return watching && cart_id == timeline_.cart; }
  bool watching = true;
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
      said["data"] = parsed(event.data);
      if (event.type == events::EventType::order_placed) timeline_.order = said["data"].value("order_id", "");
      step["events"].push_back(std::move(said));
    }
    if (!told.merged_into.empty()) step["lines_sent_to"] = told.merged_into;
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
    auto data = parsed(told.record.value.value_or("null"));
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

  static std::string outcome_of(const Replayed& told) {
    if (told.dead_letter) return "dead letter " + std::string(events::name(*told.dead_letter));
    if (told.repeated) return "repeated";
    for (const auto& event : told.events) {
      if (event.code) return "rejected " + std::string(events::name(*event.code));
    }
    return told.events.empty() ? "no event" : "accepted";
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

events::LogStatus read_timeline(events::LogClient& log, const Recorded& recorded, const std::string& cart,
                                Timeline& timeline) {
  const auto p = events::partition_of(cart, log.partitions());
  const auto end = recorded.ends[static_cast<std::size_t>(p)];
  timeline.cart = cart;
  timeline.partition = p;
  timeline.phase = "none";
  BesideCart beside;
  if (auto status = read_beside(log, p, cart, beside); !status.ok()) return status;
  ReplayedPartition partition(recorded.engine, p, log.partitions(), recorded.tick_secrets);
  partition.withhold_as([&](events::Position at, std::string_view id) { return recorded.withheld_at(at, id); });
  Gatherer gatherer(timeline, beside);
  const auto status = each_record(log, Stream::commands, p, [&](const Record& record) {
    if (record.at.offset < end) {
      partition.take(record, &gatherer);
    } else if (record.key == cart) {
      ++timeline.not_decided;
    }
    return true;
  });
  if (const auto* open = partition.find(cart)) timeline.state = state_json(*open);
  for (const auto& [offset, alert] : beside.alerts) {  // of records that are not the cart's own
    timeline.steps.push_back({{"position", position_text({p, offset})}, {"kind", "alert"}, {"alerts", {alert}}});
  }
  return status;
}

namespace {

/// The carts that one record concerns: a command's, or those whose waits a tick ended.
class Concerned final : public ReplayedPartition::Watcher {
 public:
  bool watching = false;
  std::vector<std::string> carts;
  bool watches(std::string_view) override { return watching; }
  [[nodiscard]] bool wants_before() const override { return false; }
  void decided(const Replayed& told) override { carts.emplace_back(told.cart_id); }
};

/// Decides the partition up to the record, which the watcher alone sees.
template <class OneRecordWatcher>
events::LogStatus replay_to(events::LogClient& log, const Recorded& recorded, events::Position at,
                            OneRecordWatcher& watcher) {
  ReplayedPartition partition(recorded.engine, at.partition, log.partitions(), recorded.tick_secrets);
  partition.withhold_as([&](events::Position where, std::string_view id) { return recorded.withheld_at(where, id); });
  return each_record(log, Stream::commands, at.partition, [&](const Record& record) {
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
  for (const auto& cart : concerned.carts) {
    auto& timeline = timelines.emplace_back();
    timeline.cart = cart;
    timeline.partition = at.partition;
    timeline.phase = "none";
    BesideCart beside;
    if (status.ok()) status = read_beside(log, at.partition, cart, beside);
    Gatherer gatherer(timeline, beside);
    gatherer.whole = true;
    if (status.ok()) status = replay_to(log, recorded, at, gatherer);
    if (!status.ok()) return status;
  }
  return status;
}

}  // namespace mayfly::tools
