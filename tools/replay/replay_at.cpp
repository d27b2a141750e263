// mayfly replay at, and diff: carts as they were at a moment, and what is different at another one.
#include "events/rules/identity.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/records/each_record.h"
#include "tools/replay/checkpoint.h"
#include "tools/replay/recorded_log.h"
#include "tools/replay/replay_moment.h"
#include "tools/replay/replay_state.h"
#include "tools/replay/replay_timeline.h"

#include <algorithm>
#include <map>
#include <set>

namespace mayfly::tools {

namespace {

using events::Partition;
using events::Stream;

constexpr std::size_t member_columns = 28;

/// What both verbs begin with.
struct Asked : RecordedLog {
  std::map<Partition, std::set<std::string>> carts;  // none: all
};

int open_asked(const FromWords& words, const std::vector<std::string>& ids, Asked& asked) {
  if (const int code = open_recorded(words, asked); code != exit_ok) return code;
  for (const auto& id : ids) {
    std::vector<std::string> carts;
    if (const auto status = carts_of_id_from(*asked.log, asked.recorded, id, carts); !status.ok())
      return complain_of(status);
    if (carts.empty()) {
      complain("No command names %s.\n", printable(id).c_str());
      return exit_failed;
    }
    for (const auto& cart : carts) asked.carts[events::partition_of(cart, asked.log->partitions())].insert(cart);
  }
  return exit_ok;
}

/// Decides a partition's commands for as long as `f` returns true, which is asked before each.
events::LogStatus replay_while(Asked& asked, ReplayedPartition& partition, Partition p,
                               const std::function<bool(const events::Record&)>& f) {
  const auto& recorded = asked.recorded;
  partition.withhold_as([&](events::Position at, std::string_view cart) { return recorded.withheld_at(at, cart); });
  const auto end = recorded.ends[static_cast<std::size_t>(p)];
  events::Offset first = 0;
  if (auto status = begin_replay(recorded, p, partition, first); !status.ok()) return status;
  return each_record_from(*asked.log, Stream::commands, p, first, [&](const events::Record& record) {
    if (record.at.offset >= end || !f(record)) return false;
    partition.take(record, nullptr);
    return true;
  });
}

void print_members(const OrderedJson& state) {
  for (const auto& member : changes_between(nullptr, state)) {
    if (member.path == "cart") continue;
    print_text("  " + padded(printable(member.path), member_columns) + " " + printable(short_value(member.after)) +
               "\n");
  }
}

void print_cart(const ReplayedPartition& partition, const std::string& cart, bool json) {
  const auto* open = partition.find(cart);
  const auto phase = phase_of(open, partition.epitaph(cart));
  const auto state = open != nullptr ? state_json(*open) : OrderedJson{{"cart", cart}, {"phase", phase}};
  if (json) return print_json(state.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  print("cart %s: %s\n", printable(cart).c_str(), phase.c_str());
  if (open != nullptr) print_members(state);
}

/// The states of carts that are open, as bytes.
std::map<std::string, std::string> states_of(const ReplayedPartition& partition, const std::set<std::string>* only) {
  std::map<std::string, std::string> states;
  partition.each_cart([&](const ReplayedCart& cart) {
    const std::string id(cart.cart.id);
    if (only == nullptr || only->contains(id)) states.emplace(id, snapshot_of(cart));
  });
  return states;
}

struct DiffCounts {
  std::int64_t same = 0;
  std::int64_t opened = 0;
  std::int64_t over = 0;
  std::int64_t changed = 0;
};

/// `ended`: how, where it is over; then its members are not listed one by one.
void print_change(const std::string& cart, const OrderedJson& before, const OrderedJson& after,
                  const std::string& ended, bool json) {
  const auto what = before.is_null() ? std::string("opened") : (after.is_null() ? "over, " + ended : "changed");
  OrderedJson line = {{"cart", cart}, {"is", what}, {"changes", OrderedJson::array()}};
  if (!json) print("cart %s: %s\n", printable(cart).c_str(), what.c_str());
  if (!json && after.is_null()) return;
  for (const auto& change : changes_between(before, after)) {
    if (change.path == "cart") continue;
    if (json) {
      line["changes"].push_back({{"member", change.path}, {"before", change.before}, {"after", change.after}});
    } else {
      print_text("  " + padded(printable(change.path), member_columns) + " " + printable(short_value(change.before)) +
                 " -> " + printable(short_value(change.after)) + "\n");
    }
  }
  if (json) print_json(line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
}

OrderedJson state_of(const std::string& id, const std::map<std::string, std::string>& states) {
  const auto found = states.find(id);
  if (found == states.end()) return nullptr;
  ReplayedCart cart(id);
  const auto wrong = read_snapshot(found->second, cart);
  return wrong.empty() ? state_json(cart) : OrderedJson{{"unreadable", wrong}};
}

void compare(const std::map<std::string, std::string>& was, const std::map<std::string, std::string>& is,
             const ReplayedPartition& partition, bool json, DiffCounts& counts) {
  auto ids = was;
  ids.insert(is.begin(), is.end());
  for (const auto& [id, any] : ids) {
    const auto before = state_of(id, was);
    const auto after = state_of(id, is);
    if (before == after) {
      ++counts.same;
      continue;
    }
    ++(before.is_null() ? counts.opened : (after.is_null() ? counts.over : counts.changed));
    print_change(id, before, after, phase_of(nullptr, partition.epitaph(id)), json);
  }
}

}  // namespace

int replay_at(const ReplayAtOptions& options) {
  Asked asked;
  if (const int code = open_asked(options, options.ids, asked); code != exit_ok) return code;
  Moment moment;
  auto found = moment_from_words(options.when, *asked.log, asked.clock.now(), moment);
  if (found.ok()) found = begins_before(asked.recorded, moment);
  if (!found.ok()) return complain_of(found);
  for (const auto& [p, carts] : asked.carts) {
    ReplayedPartition partition(asked.recorded.engine, p, asked.log->partitions(), asked.recorded.tick_secrets);
    const auto status = replay_while(asked, partition, p, [&](const auto& record) { return moment.includes(record); });
    if (!status.ok()) return complain_of(status);
    for (const auto& cart : carts) print_cart(partition, cart, options.json);
  }
  return exit_ok;
}

int replay_diff(const ReplayDiffOptions& options) {
  Asked asked;
  if (const int code = open_asked(options, options.ids, asked); code != exit_ok) return code;
  Moment from;
  Moment to;
  auto status = moment_from_words(options.before, *asked.log, asked.clock.now(), from);
  if (status.ok()) status = moment_from_words(options.after, *asked.log, asked.clock.now(), to);
  if (status.ok()) status = begins_before(asked.recorded, from);
  if (!status.ok()) return complain_of(status);
  DiffCounts counts;
  for (Partition p = 0; p < asked.log->partitions(); ++p) {
    const auto found = asked.carts.find(p);
    if (!asked.carts.empty() && found == asked.carts.end()) continue;
    const auto* only = found == asked.carts.end() ? nullptr : &found->second;
    ReplayedPartition partition(asked.recorded.engine, p, asked.log->partitions(), asked.recorded.tick_secrets);
    std::optional<std::map<std::string, std::string>> was;
    bool turned = false;
    status = replay_while(asked, partition, p, [&](const events::Record& record) {
      turned = turned || (from.includes(record) && !to.includes(record));
      if (!was && !from.includes(record)) was = states_of(partition, only);
      return to.includes(record);
    });
    if (!status.ok()) return complain_of(status);
    if (turned) {
      complain("%s is after %s: give the earlier moment first.\n", options.before.c_str(), options.after.c_str());
      return exit_usage;
    }
    const auto is = states_of(partition, only);
    compare(was ? *was : is, is, partition, options.json, counts);
  }
  if (!options.json) {
    print("%s opened, %s over, %s changed, %s the same\n", grouped(counts.opened).c_str(), grouped(counts.over).c_str(),
          grouped(counts.changed).c_str(), grouped(counts.same).c_str());
  }
  return exit_ok;
}

}  // namespace mayfly::tools
