#include "tools/replay/replay_compare.h"

#include "events/rules/identity.h"
#include "tools/console/numbers.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/replay_moment.h"
#include "tools/replay/replay_recorded.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

using events::Partition;
using events::Record;

namespace {

class Decisions final : public ReplayedPartition::Watcher {
 public:
  struct Of {
    std::string cart;
    std::string command;
    std::optional<ReplayedCart> before;
  };
  bool watches(std::string_view) override { return true; }
  void decided(const Replayed& told) override {
    const bool keyed = told.unreadable == nullptr || events::is_cart_id(told.cart_id);
    const std::string cart(keyed ? told.cart_id : std::string_view{});
    const auto command = told.is_deadline() ? std::string("wait over") : std::string(short_type(told.record));
    auto& of = decided_of.emplace_back(Of{cart, command, std::nullopt});
    if (told.before != nullptr) of.before = *told.before;
    for (const auto& event : told.events)
      said.push_back({told.record.at, cart, std::string(name(event.type)), event.data});
  }
  void clear() {
    said.clear();
    decided_of.clear();
  }
  std::vector<OtherEvent> said;
  std::vector<Of> decided_of;
};

/// One partition beside the other side.
class Beside {
 public:
  Beside(OtherSide& other, Partition p, Comparison& out)
      : other_(other), partition_(p), out_(out), theirs_(out.other), ours_(out.again) {}

  /// Before the first command, `first`; events that earlier ones caused are passed over.
  void begin(const ReplayedPartition& partition, events::Offset first) {
    theirs_.begin_with(partition);
    ours_.begin_with(partition);
    step();
    while (first > 0 && next_ && next_->cause.offset < first) step();
  }

  /// This build's decisions of the command there.
  void compare(events::Position at, const Decisions& now) {
    while (next_ && next_->cause.offset < at.offset) note_missing();
    std::vector<OtherEvent> theirs;
    for (; next_ && next_->cause.offset == at.offset; step()) theirs.push_back(*next_);
    for (const auto& event : theirs) theirs_.count(event.type, event.data);
    for (const auto& event : now.said) ours_.count(event.type, event.data);
    out_.events += std::ssize(now.said);
    if (same(theirs, now.said)) return;
    for (const auto& of : now.decided_of) {
      const auto one = of_cart(theirs, of.cart);
      const auto two = of_cart(now.said, of.cart);
      if (one != two)
        note(of.cart, at, of.command, of.before ? state_json(*of.before) : OrderedJson(nullptr), one, two);
    }
    for (const auto& event : theirs) {
      if (of_cart(now.said, event.cart).empty()) note(event.cart, at, "", nullptr, of_cart(theirs, event.cart), {});
    }
  }
  void finish(events::Offset end) {
    while (next_ && next_->cause.offset < end) note_missing();
    while (next_) step();
  }

 private:
  static bool same(const std::vector<OtherEvent>& one, const std::vector<OtherEvent>& two) {
    return std::equal(one.begin(), one.end(), two.begin(), two.end(), [](const OtherEvent& a, const OtherEvent& b) {
      return a.cart == b.cart && a.type == b.type && a.data == b.data;
    });
  }
  static std::vector<std::string> of_cart(const std::vector<OtherEvent>& all, const std::string& cart) {
    std::vector<std::string> texts;
    for (const auto& event : all) {
      if (event.cart == cart) texts.push_back(std::string(event.type).append(" ").append(event.data));
    }
    return texts;
  }
  void step() {
    const auto* event = other_.next(partition_);
    next_ = event != nullptr ? std::optional(*event) : std::nullopt;
  }
  void note_missing() {
    theirs_.count(next_->type, next_->data);
    note(next_->cart, next_->cause, "", nullptr, of_cart({*next_}, next_->cart), {});
    step();
  }
  void note(const std::string& cart, events::Position at, const std::string& command, OrderedJson before,
            std::vector<std::string> other, std::vector<std::string> again) {
    out_.carts.try_emplace(cart, FirstDifference{at, command, std::move(before), std::move(other), std::move(again)});
  }

  OtherSide& other_;
  Partition partition_;
  Comparison& out_;
  SummedEvents theirs_;
  SummedEvents ours_;
  std::optional<OtherEvent> next_;
};

/// `begun` is told the partition as it is before its first command, which it is given too.
template <class Begun, class F>
events::LogStatus decide_partition(events::LogClient& log, const Recorded& recorded, Partition p, Begun begun,
                                   F after) {
  ReplayedPartition partition(recorded.engine, p, log.partitions(), recorded.tick_secrets);
  partition.withhold_as([&](events::Position at, std::string_view cart) { return recorded.withheld_at(at, cart); });
  Decisions decisions;
  const auto end = recorded.ends[static_cast<std::size_t>(p)];
  events::Offset first = 0;
  if (auto status = begin_replay(recorded, p, partition, first); !status.ok()) return status;
  begun(partition, first);
  return each_record_from(log, events::Stream::commands, p, first, [&](const Record& record) {
    if (record.at.offset >= end) return false;
    partition.take(record, &decisions);
    after(record.at, decisions);
    decisions.clear();
    return true;
  });
}

}  // namespace

const OtherEvent* RecordedSide::next(Partition p) {
  auto& c = cursors_[static_cast<std::size_t>(p)];
  if (c.at == c.batch.records.size()) {
    auto fetched = log_.read(events::Stream::events, p, c.next, read_at_once);
    if (!fetched.status.ok()) wrong_ = fetched.status.message;
    if (fetched.batch.records.empty()) return nullptr;
    c.next = fetched.next;
    c.batch = std::move(fetched.batch);
    c.at = 0;
  }
  const auto& record = c.batch.records[c.at++];
  event_ = {{p, cause_offset(record)},
            std::string(record.key.value_or(events::Bytes{})),
            std::string(short_type(record)),
            std::string(record.value.value_or(events::Bytes{}))};
  if (!record.key) {
    const auto data = nlohmann::json::parse(event_.data, nullptr, false);
    if (data.is_object()) event_.cart = data.value("cart_id", "");
  }
  return &event_;
}

std::string decision_line(const OtherEvent& event) {
  const OrderedJson line = {
      {"position", std::to_string(event.cause.partition) + ":" + std::to_string(event.cause.offset)},
      {"cart", event.cart},
      {"type", event.type},
      {"data", event.data}};
  return line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

const OtherEvent* ProgramSide::next(Partition p) {
  if (!std::exchange(kept_, false)) {
    std::string line;
    if (!wrong_.empty() || !read_line_(line)) return nullptr;
    const auto json = nlohmann::json::parse(line, nullptr, false);
    const auto at = json.is_object() ? position_from_text(json.value("position", "")) : std::nullopt;
    if (!at) {
      wrong_ = "it does not say what it decides, but: " + line.substr(0, 200);
      return nullptr;
    }
    event_ = {*at, json.value("cart", ""), json.value("type", ""), json.value("data", "")};
  }
  kept_ = event_.cause.partition != p;
  return kept_ ? nullptr : &event_;
}

events::LogStatus compare_with(events::LogClient& log, const Recorded& recorded, OtherSide& other, Comparison& out) {
  events::LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    Beside beside(other, p, out);
    status = decide_partition(
        log, recorded, p,
        [&](const ReplayedPartition& partition, events::Offset first) { beside.begin(partition, first); },
        [&](events::Position at, const Decisions& decisions) {
          ++out.commands;
          beside.compare(at, decisions);
        });
    if (status.ok()) beside.finish(recorded.ends[static_cast<std::size_t>(p)]);
    if (status.ok() && !other.wrong().empty()) status = {events::LogError::corrupt, other.wrong()};
  }
  return status;
}

events::LogStatus each_decision(events::LogClient& log, const Recorded& recorded,
                                const std::function<void(const OtherEvent&)>& said) {
  events::LogStatus status;
  for (Partition p = 0; p < log.partitions() && status.ok(); ++p) {
    status = decide_partition(
        log, recorded, p, [](const ReplayedPartition&, events::Offset) {},
        [&](events::Position, const Decisions& decisions) {
          for (const auto& event : decisions.said) said(event);
        });
  }
  return status;
}

}  // namespace mayfly::tools
