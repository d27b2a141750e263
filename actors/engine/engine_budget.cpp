// A partition over its budget: its supervisor is restarted from its snapshot, which is a renewal. Decides nothing.
#include "actors/engine/engine_state.h"

#include <string>

namespace mayfly::actors {

void Engine::State::heed_partition_budgets() {
  using Stand = PartitionBudget::Stand;
  const auto most = config.memory.partition_bytes;
  if (most == 0) return;
  for (const auto& [partition, one] : served) {
    auto& budget = partition_budgets[partition];
    if (one.status.memory_bytes <= most) {
      budget.stand = Stand::within;
      continue;
    }
    if (budget.stand == Stand::left_alone || one.stopped) continue;
    if (budget.stand == Stand::renewing) {
      const std::scoped_lock lock(census_mutex);
      if (renewals_asked.contains(partition)) continue;
    }
    if (budget.stand == Stand::renewing) {
      budget.stand = Stand::left_alone;
      say_over_budget(partition, Notice::Level::error,
                      "just after its renewal: its open carts need as much. Allow it more, or have more partitions");
    } else if (budget.renewals.count(config.supervision.partition_rebuilds, clock.now())) {
      budget.stand = Stand::left_alone;
      say_over_budget(partition, Notice::Level::error,
                      "again and again (supervision.partition_rebuilds): it is left alone until it is within it");
    } else {
      budget.stand = Stand::renewing;
      say_over_budget(partition, Notice::Level::warning, "and is renewed");
      const std::scoped_lock lock(census_mutex);
      renewals_asked.insert(partition);
    }
  }
}

void Engine::State::say_over_budget(events::Partition partition, Notice::Level level, const std::string& what) {
  const auto& one = served[partition];
  const auto message = "Partition " + std::to_string(partition) + " takes " + std::to_string(one.status.memory_bytes) +
                       " bytes, more than memory.partition_bytes (" + std::to_string(config.memory.partition_bytes) +
                       "), " + what + ".";
  say(level, "partition_over_budget", message, partition,
      {{"memory_bytes", static_cast<std::int64_t>(one.status.memory_bytes)},
       {"budget_bytes", static_cast<std::int64_t>(config.memory.partition_bytes)}});
  raise_alert("partition_over_budget", {partition, one.committed}, message, clock.now().ms);
}

}  // namespace mayfly::actors
