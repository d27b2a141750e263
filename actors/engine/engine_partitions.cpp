// How partitions come to the engine and go from it, and the ticks that move their time.
#include "actors/engine/engine_state.h"
#include "actors/partition/partition_actor.h"
#include "actors/partition/partition_state.h"
#include "actors/partition/state_comparison.h"
#include "events/wire/cloudevent.h"
#include "events/wire/cloudevent_headers.h"
#include "events/wire/tick_proof.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace mayfly::actors {

/// Restores what is ours. What the log does not give now is tried again after a pause that grows, unless `at_once`, and
/// one of these a step, so that it holds up neither those that are served nor those that were not tried.
void Engine::State::take_all(bool at_once) {
  const auto now = clock.now();
  std::vector<events::Partition> due;
  for (const auto partition : to_take) {
    const auto found = held_up.find(partition);
    if (waits_for_room(partition)) continue;
    // While nothing is served the loop itself pauses.
    if (at_once || served.empty() || found == held_up.end() || found->second.again <= now) due.push_back(partition);
  }
  std::stable_partition(due.begin(), due.end(), [this](auto partition) { return !held_up.contains(partition); });
  for (const auto partition : due) {
    take(partition);
    if (fatal) return;
    if (served.contains(partition) || left_alone.contains(partition)) {
      to_take.erase(partition);
      held_up.erase(partition);
      continue;
    }
    auto& held =
        held_up.try_emplace(partition, HeldUp{now, Pauses(config.first_pause, config.most_pause)}).first->second;
    held.again = clock.now() + held.pauses.next();
    ready = false;
    trouble = at_once || served.empty();
    return;
  }
}

bool Engine::State::waits_for_room(events::Partition partition) const {
  const auto found = too_large.find(partition);
  return found != too_large.end() && clock.now() < found->second.again;
}

void Engine::State::take(events::Partition partition, std::string rebuilt) {
  drop(partition);
  phase(partition, PartitionPhase::restoring);
  if (!rebuilt.empty()) alerts_waiting[partition].push_back({"partition_rebuilt", {}, std::move(rebuilt)});
  auto state = restore_partition(partition, nullptr);
  if (!state) return;
  left_alone.erase(partition);
  if (state->position_forgotten) {
    say(Notice::Level::warning, "position_forgotten",
        "the log has no committed position of partition " + std::to_string(partition) +
            " any more; it goes on from the state's, offset " + std::to_string(state->position.next),
        partition, {{"offset", state->position.next}});
  }
  serve_partition(std::move(state));
  phase(partition, PartitionPhase::serving);
  const auto& one = served[partition];
  say(Notice::Level::info, "partition_taken",
      "serving partition " + std::to_string(partition) + " from offset " + std::to_string(one.committed) + " with " +
          std::to_string(one.status.carts_open) + " open carts",
      partition, {{"offset", one.committed}, {"carts_open", one.status.carts_open}});
}

/// Reads what is committed of it. Null: not now, or never; it was said.
std::unique_ptr<PartitionState> Engine::State::restore_partition(events::Partition partition,
                                                                 StateComparison* comparison) {
  SeenState compare;
  if (comparison != nullptr) {
    compare = [comparison](const PartitionState& woken, std::string_view key, std::string_view value) {
      comparison->committed(woken, key, value);
    };
  }
  auto restored = restore(log, partition, config.name, environment.ledger, compare, config.table_key);
  if (auto* state = std::get_if<std::unique_ptr<PartitionState>>(&restored)) return std::move(*state);
  const auto& cannot = std::get<CannotServe>(restored);
  if (cannot.error == events::LogError::unavailable) {
    say(Notice::Level::warning, "log_unavailable", cannot.message + " This is tried again.", partition);
  } else if (cannot.only_this_one()) {
    leave_alone(partition, cannot);
  } else {
    say(Notice::Level::error, "cannot_serve", cannot.message, partition);
    fail(cannot.message, cannot.error);
  }
  return nullptr;
}

void Engine::State::serve_partition(std::unique_ptr<PartitionState> state) {
  const auto partition = state->partition;
  for (const auto& [cart, why] : state->unreadable) {
    std::string message = "state of cart ";
    message.append(cart).append(": ").append(why).append(" The cart is quarantined.");
    say(Notice::Level::error, "state_unreadable", std::move(message), partition);
  }
  auto& one = served[partition];
  one.status = state->status();
  one.carts_alive = one.status.carts_open;
  one.committed = state->position.next;
  flight.passed(partition, one.committed);
  one.supervisor = system.spawn<PartitionActor>(std::ref(environment), std::move(state));
  log.start(partition, one.committed);
  forget_undecided(partition);  // polled again from there on
  gauge();
}

/// One level up: what partitions hold in memory is thrown away and read again from what is committed, which all that
/// was decided is by then. Too often, and the engine ends.
void Engine::State::rebuild(const Failing& failing) {
  settle_commit();
  for (const auto& [partition, why] : failing.why) {
    if (!served.contains(partition)) continue;  // a failed commit has dropped it already
    say(Notice::Level::error, "partition_rebuilt", why, partition);
    if (rebuilds.count(config.supervision.partition_rebuilds, failing.now)) {
      return fail(
          "Partitions were rebuilt from the log more often than supervision.partition_rebuilds allows, the last one: " +
              why,
          events::LogError::none);
    }
    {
      std::scoped_lock lock(census_mutex);
      ++counted.rebuilds;
    }
    take(partition, why);
    if (!served.contains(partition) && !left_alone.contains(partition) && !fatal)
      to_take.insert(partition);  // the log does not give it now
  }
}

void Engine::State::drop(events::Partition partition) {
  const auto found = served.find(partition);
  if (found == served.end()) return;
  caf::anon_send_exit(found->second.supervisor, caf::exit_reason::user_shutdown);
  served.erase(found);
  phase(partition, PartitionPhase::restoring);
  gauge();
}

void Engine::State::drop_all() {
  while (!served.empty()) drop(served.begin()->first);
}

/// decisions.md 3: a tick each second while a wait has not started or a deadline is due; at once while due ones
/// remain; one that carries the settings this engine wants, if others hold; and one for alerts of leaks that wait for
/// a record beside which they can be written.
void Engine::State::write_ticks() {
  const auto now = clock.now();
  bool alerts_wait = !to_alert.empty();
  for (auto& [partition, one] : served) {
    if (one.stopped) continue;
    const bool carries_alerts = std::exchange(alerts_wait, false);
    const bool waited = events::has_passed(config.tick_interval, one.last_tick, now);
    const bool due = one.status.next_due && *one.status.next_due <= now;
    const bool wanted =
        carries_alerts || one.status.unstarted_waits || due || !(one.status.settings == wanted_settings);
    if ((wanted && waited) || std::exchange(one.status.due_now, false)) write_tick(partition, one, now);
  }
}

events::LogStatus Engine::State::append(const events::NewRecord& record) {
  ++appends;
  auto status = log.append(record);
  ++appends;
  return status;
}

void Engine::State::write_tick(events::Partition partition, Served& one, events::Timestamp now) {
  one.last_tick = now;
  std::string data;
  const bool change = !(one.status.settings == wanted_settings);
  append_tick_data(data, now, one.committed - 1, change ? &wanted_settings : nullptr, one.status.settings);
  const std::string id = "tick-" + std::to_string(partition) + "-" + std::to_string(now.ms);
  const std::string source = "/mayfly/" + config.name;
  const auto secret_id = one.status.settings.tick_secret;
  const auto* secret = config.tick_secrets.find(secret_id);
  if (secret_id != 0 && secret == nullptr) {
    fail("Ticks of partition " + std::to_string(partition) +
             " must be proven with a secret that this engine does not have: give it as engine.tick_secret_file, or as "
             "a further line of that file (docs/security.md).",
         events::LogError::invalid);
    return;
  }
  const auto proof = secret != nullptr ? secret->proof(partition, source, id, data) : events::TickSecret::Proof{};
  const events::CloudEventHeaders event{
      .id = id, .source = source, .type = events::ce_type(events::CommandType::clock_tick)};
  auto headers = event.list();
  if (secret != nullptr) headers.push_back({events::proof_header, {proof.data(), proof.size()}});
  const auto status = append({events::Stream::commands, partition, std::nullopt, data, headers});
  if (status.ok()) return;
  say(Notice::Level::warning, "tick_not_written", status.message, partition);
  // Without ticks no deadline fires: a log that takes none, and will not later, is no log to go on with.
  const bool later = status.error == events::LogError::unavailable || status.error == events::LogError::fenced;
  if (!later) fail(status.message, status.error);
}

}  // namespace mayfly::actors
