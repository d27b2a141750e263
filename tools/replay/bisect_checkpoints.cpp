#include "tools/replay/bisect_checkpoints.h"

#include "events/rules/identity.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/replay/checkpoint.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

using events::LogStatus;
using events::Partition;

namespace {

LogStatus holds_in(const RecordedLog& opened, const std::string& cart, const StateHolds& holds, bool& held) {
  const auto partitions = opened.log->partitions();
  for (Partition p = 0; p < partitions && !held; ++p) {
    if (!cart.empty() && events::partition_of(cart, partitions) != p) continue;
    ReplayedPartition partition(opened.recorded.engine, p, partitions, opened.recorded.tick_secrets);
    events::Offset first = 0;
    if (auto status = begin_replay(opened.recorded, p, partition, first); !status.ok()) return status;
    const auto ask = [&](OrderedJson&& json) {
      json["partition"] = open_in(partition);
      held = holds(std::move(json));
    };
    if (const auto ended = cart.empty() ? std::nullopt : partition.epitaph(cart); ended)
      ask({{"cart", cart}, {"phase", phase_of(nullptr, ended)}});
    partition.each_cart([&](const ReplayedCart& open) {
      if (!held && (cart.empty() || std::string_view(open.cart.id) == cart)) ask(state_json(open));
    });
  }
  return {};
}

events::Offset commands_in(const Checkpoint& checkpoint) {
  events::Offset commands = 0;
  for (const auto& part : checkpoint.parts) commands += part.next;
  return commands;
}

}  // namespace

OrderedJson open_in(const ReplayedPartition& partition) {
  return {{"open_carts", partition.carts()}, {"open_sessions", partition.sessions()}};
}

int begin_before(const std::vector<std::string>& files, const std::string& cart, const StateHolds& holds,
                 RecordedLog& opened, std::string& file) {
  std::vector<std::pair<events::Offset, std::string>> by_age;
  for (const auto& name : files) {
    if (const int code = begin_with(name, opened); code != exit_ok) return code;
    by_age.emplace_back(commands_in(*opened.recorded.from), name);
  }
  std::sort(by_age.begin(), by_age.end());
  std::size_t older = 0;  // so many do not hold it
  for (auto end = by_age.size(); older < end;) {
    const auto middle = older + (end - older) / 2;
    if (const int code = begin_with(by_age[middle].second, opened); code != exit_ok) return code;
    bool held = false;
    if (const auto status = holds_in(opened, cart, holds, held); !status.ok()) return complain_of(status);
    (held ? end : older) = held ? middle : middle + 1;
  }
  file = older == 0 ? "" : by_age[older - 1].second;
  return begin_with(file, opened);
}

}  // namespace mayfly::tools
