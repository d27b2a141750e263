#include "actors/engine/engine.h"

#include "actors/engine/engine_state.h"

#include <limits>

namespace mayfly::actors {

namespace {

std::int64_t or_no_limit(std::int64_t budget_bytes) {
  return budget_bytes > 0 ? budget_bytes : std::numeric_limits<std::int64_t>::max();
}

caf::actor_system_config actor_system_config(const EngineConfig& config) {
  caf::actor_system_config c;
  // Work stealing collapses with 100,000 runnable actors; sharing does not.
  c.set("scheduler.policy", config.choose ? caf::atom("testing") : caf::atom("sharing"));
  if (config.threads > 0) c.set("scheduler.max-threads", static_cast<std::size_t>(config.threads));
  c.set("logger.verbosity", caf::atom("quiet"));
  return c;
}

}  // namespace

Engine::State::State(events::Log& l, const events::Clock& k, EngineConfig c, std::function<void(const Notice&)> n)
    : log(l),
      clock(k),
      config(std::move(c)),
      notice(std::move(n)),
      flight(config.flight != nullptr ? *config.flight : own_flight),
      caf_config(actor_system_config(config)),
      system(caf_config),
      gate(system, config.choose),
      committer(l, config.choose),
      batch_size(config.batch_records, flight.died_with()),
      pauses(config.first_pause, config.most_pause),
      pending(config.pending_limit),
      wanted_settings(config.settings),
      memory(environment.ledger, config.meter, config.memory),
      renewal_schedule(config.renewal.interval, config.renewal.jitter_percent, static_cast<std::uint64_t>(k.now().ms)) {
  environment.engine = config.name;
  environment.cart_maker = config.cart_maker;
  environment.before_decide = config.before_decide;
  environment.after_decide = config.after_decide;
  environment.at_step = config.at_step;
  environment.tick_secrets = config.tick_secrets;
  environment.withheld = config.withheld;
  environment.supervision = config.supervision;
  environment.cart_budget_bytes = or_no_limit(config.memory.cart_bytes);
  environment.session_budget_bytes = or_no_limit(config.memory.session_bytes);
  environment.flight = &flight;
}

Engine::State::~State() {
  committer.wait();
  drop_all();
  gate.run_out();
}

Engine::Engine(events::Log& log, const events::Clock& clock, EngineConfig config,
               std::function<void(const Notice&)> notice)
    : state_(std::make_unique<State>(log, clock, std::move(config), std::move(notice))) {}
Engine::~Engine() = default;

RunResult Engine::run(const std::stop_token& stop) { return state_->run(stop, false); }
RunResult Engine::run_until_caught_up() { return state_->run({}, true); }

}  // namespace mayfly::actors
