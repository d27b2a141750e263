// Partitions are renewed between batches, never two at once: actors end, state is woken from what is committed and
// compared with what was in memory, memory goes back to the system (docs/memory.md).
#include "actors/engine/engine_state.h"
#include "actors/partition/partition_state.h"
#include "actors/partition/state_comparison.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

namespace {

std::string as_sentence(const Findings::Difference& d) {
  return d.what.field + ": in memory " + d.what.one + ", committed " + d.what.other + ". What is committed holds.";
}

}  // namespace

bool Engine::renew(events::Partition partition) {
  auto& s = *state_;
  const std::scoped_lock lock(s.census_mutex);
  const auto ask = [&s](events::Partition p, const PartitionView& view) {
    if (view.phase == PartitionPhase::serving) s.renewals_asked.insert(p);
    return view.phase == PartitionPhase::serving;
  };
  if (partition >= 0) {
    const auto found = s.views.find(partition);
    return found != s.views.end() && ask(partition, found->second);
  }
  bool any = false;
  for (const auto& [p, view] : s.views) any = ask(p, view) || any;
  return any;
}

/// Between two steps of the loop. False: none was to be renewed.
bool Engine::State::renew_one(bool by_schedule) {
  if (trouble || fatal) return false;
  const auto partition = next_to_renew(by_schedule);
  if (partition) renew(*partition);
  return partition.has_value();
}

/// One that was asked for, else the one that was renewed longest ago, if the schedule says so.
std::optional<events::Partition> Engine::State::next_to_renew(bool by_schedule) {
  const auto is_served = [this](events::Partition p) {
    const auto found = served.find(p);
    return found != served.end() && !found->second.stopped;
  };
  const std::scoped_lock lock(census_mutex);
  std::erase_if(renewals_asked, [&](events::Partition p) { return !is_served(p); });
  if (!renewals_asked.empty()) return renewals_asked.extract(renewals_asked.begin()).value();
  if (!by_schedule || !renewal_schedule.due(clock.now(), served.size())) return std::nullopt;
  const PartitionView* oldest = nullptr;
  for (const auto& [p, view] : views) {
    if (is_served(p) && (oldest == nullptr || view.renewals.newest < oldest->renewals.newest)) oldest = &view;
  }
  return oldest == nullptr ? std::nullopt : std::optional(oldest->partition);
}

void Engine::State::renew(events::Partition partition) {
  settle_commit();  // memory is compared with what is committed, so all of it has to be
  if (!served.contains(partition)) return;
  const auto begun = std::chrono::steady_clock::now();
  Handover handover;
  handover.finish = [this] { gate.one_done(); };
  if (!hand_over(partition, handover)) return;
  StateComparison comparison(*handover.state, handover.findings);
  auto woken = restore_partition(partition, &comparison);
  if (!woken) {  // the log does not give it now: taken when it does
    if (left_alone.contains(partition)) return;
    phase(partition, PartitionPhase::restoring);
    to_take.insert(partition);
    return;
  }
  comparison.complete(*woken);
  woken->attended_since = handover.state->attended_since;
  woken->alerts = std::move(handover.state->alerts);
  handover.state.reset();
  for (const auto& difference : handover.findings.told()) {
    alerts_waiting[partition].push_back({"renewal_difference", difference.cart_id, as_sentence(difference)});
  }
  serve_partition(std::move(woken));
  if (config.meter != nullptr) config.meter->give_back();
  const auto took = std::chrono::steady_clock::now() - begun;
  note_renewal(partition, comparison, handover, std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
}

/// The supervisor and its carts end. False: it died before; then the partition is rebuilt.
bool Engine::State::hand_over(events::Partition partition, Handover& handover) {
  deciding = true;
  gate.close(1);
  caf::anon_send(served[partition].supervisor, HandOver{&handover});
  gate.wait();
  deciding = false;
  served.erase(partition);
  if (handover.state) return true;
  take(partition, "The supervisor died before the partition could be renewed.");
  if (!served.contains(partition) && !left_alone.contains(partition) && !fatal) to_take.insert(partition);
  return false;
}

void Engine::State::note_renewal(events::Partition partition, const StateComparison& comparison,
                                 const Handover& handover, std::int64_t took_ms) {
  const auto differences = handover.findings.differences();
  std::string fields;
  {
    const std::scoped_lock lock(census_mutex);
    auto& r = views[partition].renewals;
    ++r.count;
    r.carts += comparison.carts();
    r.differences += differences;
    r.newest = clock.now();
    r.newest_ms = took_ms;
    r.newest_carts = comparison.carts();
    r.newest_differences = differences;
    r.newest_fields.clear();
    for (const auto& difference : handover.findings.told()) {
      r.newest_fields.push_back(difference.what.field);
      fields.append(fields.empty() ? "" : ", ").append(difference.what.field);
    }
  }
  const auto words = "partition " + std::to_string(partition) + " was renewed in " + std::to_string(took_ms) + " ms, " +
                     std::to_string(comparison.carts()) + " carts compared";
  const std::vector<Notice::Figure> numbers = {
      {"took_ms", took_ms}, {"carts", comparison.carts()}, {"differences", differences}};
  if (differences == 0) return say(Notice::Level::info, "partition_renewed", words + ", all equal", partition, numbers);
  say(Notice::Level::error, "renewal_difference",
      words + ", " + std::to_string(differences) + " differences, first in " + fields +
          ". What is committed holds; checkout.alerts.v1 names the carts.",
      partition, numbers);
  write_tick(partition, served[partition], clock.now());  // the alerts go out with the next record
}

}  // namespace mayfly::actors
