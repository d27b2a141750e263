#include "actors/cart/session_actor.h"

#include "actors/cart/scratch.h"

#include "actors/cart/findings.h"
#include "events/rules/decide.h"
#include "events/rules/session_life.h"
#include "events/state/footprint.h"
#include "events/state/snapshot.h"

#include <caf/all.hpp>

namespace mayfly::actors {

SessionActor::SessionActor(caf::actor_config& config, Environment& environment, const caf::actor& cart,
                           const events::Session& session)
    : caf::event_based_actor(config),
      environment_(environment),
      bytes_(environment.lives, sizeof(caf::actor_storage<SessionActor>)),
      cart_(cart.address()),
      memory_(environment.ledger, Purpose::session_texts, environment.session_budget_bytes),
      session_(memory_.of(0)) {
  session_ = session;  // into its own memory
  if (session.tenders) session_.tenders.keep(*session.tenders, memory_.of(0));
  memory_.post({events::footprint(session_)}, [] { return Holder{}; });
  environment_.lives.sessions_started.fetch_add(1, std::memory_order_relaxed);
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& e) { return to_exit_reason(e); });
}

std::int64_t SessionActor::block_bytes() {
  return size_class(static_cast<std::int64_t>(sizeof(caf::actor_storage<SessionActor>)));
}

SessionActor::~SessionActor() { environment_.lives.sessions_stopped.fetch_add(1, std::memory_order_relaxed); }

caf::behavior SessionActor::make_behavior() {
  constexpr std::int64_t handlers = 2;
  bytes_.add(ActorBytes::behavior_bytes(handlers));
  return {[this](const DecideInSession& message) { decide(message.task); },
          [this](const CompareSession& message) { compare(message.with); }};
}

void SessionActor::decide(Task* task) {
  if (environment_.at_step) environment_.at_step(Step::session_decides, task->record->at);
  const Deciding deciding(*environment_.flight, task->record->at, task->read.cart_id);
  task->by_session = events::decide(session_, task->read.command, task->context());
  const auto before = session_.ledger;
  evolve(session_, task->by_session);
  const bool texts = task->by_session.action_url || !task->by_session.reference.empty();
  if (!(before == session_.ledger) || texts || task->by_session.tenders) {
    task->outcome.changed = true;
  }
  if (session_.ledger.ended) {
    task->outcome.session_part = Outcome::SessionPart::closed;
  } else {
    task->outcome.session_part = Outcome::SessionPart::written;
    auto& written = scratch();
    append_session(written, session_);
    task->outcome.session.assign(written);
    task->outcome.session_opened_at = session_.opened_at;
    task->outcome.session_longest_life = events::longest_life(*task->settings, session_);
  }
  memory_.post({events::footprint(session_)}, [&] { return environment_.holder(*task); });
  if (environment_.at_step) environment_.at_step(Step::session_decided, task->record->at);
  if (auto cart = caf::actor_cast<caf::actor>(cart_)) {
    send(cart, SessionDecided{task, CountedMessage(environment_.ledger)});
  }
}

void SessionActor::compare(const Retire& with) {
  const auto written = events::decode_session(with.session, std::pmr::get_default_resource());
  const auto* session = std::get_if<events::Session>(&written);
  if (session == nullptr) {
    with.findings->differs(with.id, {"session", "open", "unreadable"});
  } else if (auto field = events::first_difference(session_, *session)) {
    field->field.insert(0, "session.");
    with.findings->differs(with.id, std::move(*field));
  }
  if (auto cart = caf::actor_cast<caf::actor>(cart_)) send(cart, SessionCompared{});
}

caf::error to_exit_reason(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    return caf::make_error(caf::sec::runtime_error, x.what());
  } catch (...) {
    return caf::make_error(caf::sec::runtime_error, "an exception that is not a std::exception");
  }
}

}  // namespace mayfly::actors
