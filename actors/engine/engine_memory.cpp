// What the engine's memory is for: counted between batches, read by any thread.
#include "actors/cart/cart_actor.h"
#include "actors/engine/engine_state.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

namespace {

/// While no partition has records: more than there are purposes, each begun and ended.
constexpr std::size_t most_to_alert = 64;

}  // namespace

void Engine::State::look_at_memory() {
  const auto now = clock.now();
  if (!memory.is_due(now, counted.commands)) return;
  const auto c = census();
  MemoryReport r;
  r.at = now;
  r.cart_actors = c.carts_started - c.carts_stopped;
  r.session_actors = c.sessions_started - c.sessions_stopped;
  r.cart_actors_started = c.carts_started;
  r.session_actors_started = c.sessions_started;
  const auto sessions_without_cart = std::max<std::int64_t>(r.session_actors - c.sessions_awake, 0);
  r.actor_bytes = c.actor_bytes + sessions_without_cart * CartActor::block_bytes();
  r.actors_running = c.actors_running;
  r.supervisors = c.supervisors;
  r.carts_open = c.carts_open;
  r.carts_awake = c.carts_awake;
  r.sessions_open = c.sessions_open;
  r.epitaphs = c.epitaphs;
  r.commands = c.commands;
  r.carts_ended = c.carts_ended;
  r.sessions_awake = c.sessions_awake;
  r.log_bytes = log.memory_bytes();
  for (const auto& [partition, one] : served) {
    r.carts_alive += one.carts_alive;
    r.carts_waiting += one.status.carts_waiting;
    r.sessions_too_old += one.status.sessions_too_old;
  }
  for (auto& leak : memory.look(std::move(r))) {
    say(leak.ended ? Notice::Level::info : Notice::Level::warning, leak.ended ? "leak_ended" : "leak", sentence(leak),
        leak.holders.empty() ? -1 : leak.holders.front().partition,
        {{"bytes", leak.bytes}, {"bytes_per_s", leak.bytes_per_s}});
    if (to_alert.size() < most_to_alert) to_alert.push_back(std::move(leak));
  }
}

/// An alert is written by a partition: its own, or a leak's holder's where that has records to decide now, else any.
void Engine::State::hand_over_alerts(const std::vector<Batch*>& shares) {
  if (shares.empty()) return;
  for (auto* share : shares) {
    if (auto waiting = alerts_waiting.extract(share->partition)) share->alerts = std::move(waiting.mapped());
  }
  for (auto& leak : to_alert) {
    auto to = std::find_if(shares.begin(), shares.end(), [&](const Batch* share) {
      return !leak.holders.empty() && share->partition == leak.holders.front().partition;
    });
    (to != shares.end() ? *to : shares.front())->leaks.push_back(std::move(leak));
  }
  to_alert.clear();
}

/// What the batch was to write will not be committed.
void Engine::State::take_back_alerts(Batch& batch) {
  to_alert.insert(to_alert.begin(), batch.leaks.begin(), batch.leaks.end());
  batch.leaks.clear();
  for (auto* alerts : {&batch.alerts, &batch.restart_alerts}) {
    for (auto& alert : std::exchange(*alerts, {})) {
      auto& waiting = alerts_waiting[batch.partition];
      if (waiting.size() < most_to_alert) waiting.push_back(std::move(alert));
    }
  }
}

MemoryReport Engine::memory() const { return state_->memory.report(); }

}  // namespace mayfly::actors
