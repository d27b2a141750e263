// What is seen of the engine from outside: counters, gauges, partitions. Written by the loop, read by any thread.
#include "actors/engine/engine_state.h"

#include <algorithm>

namespace mayfly::actors {

namespace {

constexpr events::Millis figures_interval{1'000};

template <class Array>
void add(Array& to, const Array& more) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += more[i];
}

}  // namespace

void Engine::State::count_commit(bool ok, std::chrono::steady_clock::duration took) {
  std::scoped_lock lock(census_mutex);
  ++(ok ? counted.commits : counted.commit_failures);
  counted.commit.add(std::chrono::duration<double>(took).count());
}

void Engine::State::count(const Batch& batch) {
  const auto found = served.find(batch.partition);
  if (found != served.end()) found->second.committed = batch.next;
  flight.passed(batch.partition, batch.next);
  const auto now = clock.now();
  std::scoped_lock lock(census_mutex);
  counted.commands += batch.counts.commands;
  counted.events += batch.counts.events;
  counted.rejections += batch.counts.rejections;
  counted.dead_letters += batch.counts.dead_letters;
  counted.ticks += batch.counts.ticks;
  counted.alerts_held_back += batch.counts.alerts_held_back;
  counted.payments_unresolved += batch.counts.payments_unresolved;
  counted.restarts += batch.counts.restarts;
  counted.carts_ended += batch.counts.carts_ended;
  counted.epitaphs_evicted += batch.counts.epitaphs_evicted;
  add(counted.events_by_type, batch.counts.events_by_type);
  add(counted.rejections_by_code, batch.counts.rejections_by_code);
  add(counted.dead_letters_by_reason, batch.counts.dead_letters_by_reason);
  if (!batch.records.empty()) {
    const auto age = now - batch.records.front().append_time;
    counted.committed.add(static_cast<double>(age.count) / 1000.0);
  }
  auto& view = views[batch.partition];
  view.next = batch.next;
  view.commands += batch.counts.commands;
  view.restarts += batch.counts.restarts;
  view.epitaphs_evicted += batch.counts.epitaphs_evicted;
  for (const auto& failure : batch.failures) {
    if (view.newest.size() == PartitionView::newest_restarts) view.newest.erase(view.newest.begin());
    view.newest.push_back({failure, now});
  }
}

void Engine::State::gauge() {
  std::scoped_lock lock(census_mutex);
  counted.supervisors = static_cast<std::int64_t>(served.size());
  counted.carts_quarantined = 0;
  counted.carts_open = counted.carts_awake = counted.sessions_open = counted.sessions_awake = counted.epitaphs = 0;
  for (const auto& [partition, one] : served) {
    auto& view = views[partition];
    view.next = one.committed;
    view.ticked = one.status.ticked;
    view.carts_open = one.status.carts_open;
    view.carts_awake = one.status.carts_awake;
    view.sessions_open = one.status.sessions_open;
    view.epitaphs = one.status.epitaphs;
    counted.carts_quarantined += one.status.carts_quarantined + one.status.carts_unreadable;
    counted.carts_open += view.carts_open;
    counted.carts_awake += view.carts_awake;
    counted.sessions_open += view.sessions_open;
    counted.sessions_awake += one.status.sessions_awake;
    counted.epitaphs += view.epitaphs;
  }
}

void Engine::State::forget_view(events::Partition partition) {
  std::scoped_lock lock(census_mutex);
  views.erase(partition);
}

void Engine::State::phase(events::Partition partition, PartitionPhase now_in) {
  std::scoped_lock lock(census_mutex);
  auto& view = views[partition];
  view.partition = partition;
  view.phase = now_in;
  view.since = clock.now();
  if (now_in == PartitionPhase::serving) ++view.times_taken;
}

void Engine::State::ask_figures() {
  const auto now = clock.now();
  if (!events::has_passed(figures_interval, figures_at, now)) return;
  figures_at = now;
  auto newest = log.figures();
  {
    std::scoped_lock lock(census_mutex);
    figures = std::move(newest);
  }
  write_refused_alerts();
  watch_clocks();
  watch_pending();
  watch_limits();
  count_open_alerts();
}

void Engine::State::count_open_alerts() {
  const auto over_budget = std::count_if(partition_budgets.begin(), partition_budgets.end(), [this](const auto& of) {
    return served.contains(of.first) && of.second.stand != PartitionBudget::Stand::within;
  });
  std::scoped_lock lock(census_mutex);
  const auto set = [this](LastingAlert alert, auto open) {
    counted.alerts_open[static_cast<std::size_t>(alert)] = static_cast<std::int64_t>(open);
  };
  set(LastingAlert::leak, memory.leaks());
  set(LastingAlert::memory_pressure, pressure == PressureLevel::normal ? 0 : 1);
  set(LastingAlert::partition_over_budget, over_budget);
  set(LastingAlert::transaction_hanging, pending.hanging());
  set(LastingAlert::record_too_large, too_large.size());
  set(LastingAlert::clocks_apart, clocks_apart ? 1 : 0);
  set(LastingAlert::log_over_limit, limits.over());
  set(LastingAlert::cart_quarantined, counted.carts_quarantined);
}

std::string_view name(LastingAlert alert) {
  switch (alert) {
    case LastingAlert::leak: return "leak";
    case LastingAlert::memory_pressure: return "memory_pressure";
    case LastingAlert::partition_over_budget: return "partition_over_budget";
    case LastingAlert::transaction_hanging: return "transaction_hanging";
    case LastingAlert::record_too_large: return "record_too_large";
    case LastingAlert::clocks_apart: return "clocks_apart";
    case LastingAlert::log_over_limit: return "log_over_limit";
    case LastingAlert::cart_quarantined: return "cart_quarantined";
  }
  return {};
}

Census Engine::census() const { return state_->census(); }
bool Engine::ready() const { return state_->ready; }
FlightRecorder& Engine::flight() const { return state_->flight; }

Pulse Engine::pulse() const {
  Pulse pulse{state_->beats, state_->deciding, {state_->committer.calls(), state_->appends}};
  for (const auto& thread : state_->flight.look()) pulse.beats += thread.marks;
  return pulse;
}

Census Engine::State::census() {
  std::scoped_lock lock(census_mutex);
  Census c = counted;
  const auto& lives = environment.lives;
  c.actor_bytes = lives.bytes;
  c.carts_stopped = lives.carts_stopped;
  c.carts_started = lives.carts_started;
  c.sessions_stopped = lives.sessions_stopped;
  c.sessions_started = lives.sessions_started;
  c.actors_running = static_cast<std::int64_t>(system.registry().running());
  return c;
}

std::vector<PartitionView> Engine::partitions() const {
  std::scoped_lock lock(state_->census_mutex);
  std::vector<PartitionView> all;
  for (const auto& [partition, view] : state_->views) all.push_back(view);
  return all;
}

events::LogFigures Engine::log_figures() const {
  std::scoped_lock lock(state_->census_mutex);
  return state_->figures;
}

}  // namespace mayfly::actors
