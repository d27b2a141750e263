// What the engine's memory is for: counted between batches, read by any thread.
#include "actors/cart_actor.h"
#include "actors/engine_state.h"
#include "actors/session_actor.h"

namespace mayfly::actors {

void Engine::State::look_at_memory() {
  const auto now = clock.now();
  if (!memory.is_due(now)) return;
  const auto c = census();
  MemoryReport r;
  r.at = now;
  r.cart_actors = c.carts_started - c.carts_stopped;
  r.session_actors = c.sessions_started - c.sessions_stopped;
  r.actor_bytes = r.cart_actors * CartActor::block_bytes() + r.session_actors * SessionActor::block_bytes();
  r.actors_running = c.actors_running;
  r.supervisors = c.supervisors;
  r.carts_open = c.carts_open;
  r.carts_awake = c.carts_awake;
  r.sessions_open = c.sessions_open;
  r.epitaphs = c.epitaphs;
  r.commands = c.commands;
  r.carts_ended = c.carts_ended;
  memory.look(r);
}

MemoryReport Engine::memory() const { return state_->memory.report(); }

}  // namespace mayfly::actors
