#include "actors/cart/cart_actor.h"

#include "actors/cart/findings.h"
#include "actors/cart/scratch.h"
#include "actors/cart/segment.h"
#include "actors/cart/session_actor.h"
#include "events/rules/session_life.h"
#include "events/state/footprint.h"
#include "events/state/snapshot.h"
#include "events/wire/event_json.h"

#include <caf/all.hpp>

#include <stdexcept>
#include <utility>

namespace mayfly::actors {

namespace {

events::Decision refusal(events::Code code) {
  events::Decision decision;
  decision.events.emplace_back(events::CommandRejected{code, {}, false, {}, {}});
  return decision;
}

/// What was decoded; its own snapshot unreadable is a reason to die of.
template <class T>
T readable(std::variant<T, events::Unsupported> decoded) {
  if (const auto* unsupported = std::get_if<events::Unsupported>(&decoded))
    throw std::runtime_error(unsupported->message);
  return std::get<T>(std::move(decoded));
}

}  // namespace

CartActor::CartActor(caf::actor_config& config, Environment& environment, const caf::actor& supervisor,
                     std::string_view id, std::string_view cart, std::string_view session)
    : caf::event_based_actor(config),
      environment_(environment),
      bytes_(environment.lives, sizeof(caf::actor_storage<CartActor>)),
      supervisor_(supervisor.address()),
      sleeping_id_(id),
      sleeping_cart_(cart),
      sleeping_session_(session),
      memory_(environment.ledger, Purpose::cart_id, environment.cart_budget_bytes),
      cart_(cart_memory()) {
  environment_.lives.carts_started.fetch_add(1, std::memory_order_relaxed);
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& e) { return to_exit_reason(e); });
  set_down_handler([this](caf::down_msg& down) {
    // A session that died while it decided: the cart fails with it, its supervisor restarts both. Not one that was
    // closed: the same chain may have opened another.
    const bool open = session_ && down.source == session_.address();
    if (open && (at_session_ != nullptr || comparing_)) quit(std::move(down.reason));
  });
}

std::int64_t CartActor::block_bytes() {
  return size_class(static_cast<std::int64_t>(sizeof(caf::actor_storage<CartActor>)));
}

CartActor::~CartActor() { environment_.lives.carts_stopped.fetch_add(1, std::memory_order_relaxed); }

caf::behavior CartActor::make_behavior() {
  constexpr std::int64_t handlers = 5;
  bytes_.add(ActorBytes::behavior_bytes(handlers));
  return {
      [this](const Decide& message) { decide_chain(message.task); },
      [this](const SessionDecided& message) { session_decided(message.task); },
      [this](End) { end(); },
      [this](const Retire& message) { retire(message); },
      [this](SessionCompared) { quit(); },
  };
}

void CartActor::on_exit() { close_session(); }

void CartActor::end() {
  ending_ = true;
  if (at_session_ == nullptr) quit();
}

/// One in which nothing was ever decided has nothing to compare.
void CartActor::retire(const Retire& with) {
  if (!awake_) return quit();
  const auto written = readable(events::decode_cart(with.id, with.cart, std::pmr::get_default_resource()));
  if (auto field = events::first_difference(cart_, written)) {
    with.findings->differs(with.id, std::move(*field));
  } else if (with.session.empty() == static_cast<bool>(session_)) {
    with.findings->differs(with.id, {"session", session_ ? "open" : "none", session_ ? "none" : "open"});
  }
  if (!session_ || with.session.empty()) return quit();
  comparing_ = true;
  send(session_, CompareSession{with});
}

void CartActor::session_decided(Task* task) {
  at_session_ = nullptr;
  if (ending_) return quit();
  decide_chain(conclude_by_session(task));
}

Task* CartActor::conclude_by_session(Task* task) {
  const Deciding deciding(*environment_.flight, task->record->at, task->read.cart_id);
  const auto decision = std::exchange(task->by_session, {});
  return conclude(task, decision, is_remembered(task->read.command, decision));
}

void CartActor::decide_chain(Task* task) {
  while (task != nullptr) task = decide(task);
}

Task* CartActor::decide(Task* task) {
  const Deciding deciding(*environment_.flight, task->record->at, task->read.cart_id);
  if (!awake_) wake();
  if (environment_.before_decide) environment_.before_decide(cart_.id, task->record->at);
  if (environment_.at_step) environment_.at_step(Step::cart_decides, task->record->at);
  task->outcome.clear();
  const auto& command = task->read.command;
  switch (events::recognise(cart_, command)) {
    case events::Seen::same: return conclude(task, {}, false);
    case events::Seen::other_body: return conclude(task, refusal(events::Code::id_reused), false);
    case events::Seen::no: break;
  }
  if (concerns_session(cart_, command)) {
    at_session_ = task;
    send(session_, DecideInSession{task, CountedMessage(environment_.ledger)});
    return nullptr;
  }
  const auto decision = task->decided ? *task->decided : events::decide(cart_, command, task->context());
  task->outcome.answer(cart_.id, command, decision);
  return conclude(task, decision, is_remembered(command, decision));
}

void CartActor::wake() {
  awake_ = true;
  if (sleeping_cart_.empty()) {
    cart_.id = sleeping_id_;
    return;
  }
  cart_ = readable(events::decode_cart(sleeping_id_, sleeping_cart_, cart_memory()));
  if ((cart_.phase == events::Phase::paying) == sleeping_session_.empty()) {
    throw std::runtime_error("the cart's state contradicts itself: it is paying and has no session, or the reverse");
  }
  if (sleeping_session_.empty()) return;
  open_session(readable(events::decode_session(sleeping_session_, std::pmr::get_default_resource())));
}

void CartActor::open_session(const events::Session& session) { session_ = make_session(session); }

caf::actor CartActor::make_session(const events::Session& session) {
  return spawn<SessionActor, caf::monitored + caf::lazy_init>(std::ref(environment_), caf::actor_cast<caf::actor>(this),
                                                              session);
}

void CartActor::close_session() {
  if (!session_) return;
  end_session(session_);
  session_ = nullptr;
}

void CartActor::end_session(const caf::actor& session) { send_exit(session, caf::exit_reason::user_shutdown); }

Task* CartActor::conclude(Task* task, const events::Decision& decision, bool remember_it) {
  auto& outcome = task->outcome;
  outcome.wait = decision.wait;
  outcome.concern = decision.concern;
  if (!decision.events.empty() || decision.wait.change != events::WaitChange::Kind::keep) outcome.changed = true;
  auto opened = events::opened_session(decision.events, task->context(), std::pmr::get_default_resource());
  say(task, decision.events);
  const bool reopened = outcome.wait.kind == events::WaitKind::idle && outcome.wait.length == events::Millis{};
  if (reopened) outcome.wait.length = idle_length(cart_, task->context());
  if (remember_it) {
    remember(cart_, task->read.command.fingerprint);
    outcome.changed = true;
  }
  if (outcome.session_part == Outcome::SessionPart::closed) close_session();
  if (opened) {
    outcome.session_part = Outcome::SessionPart::written;
    auto& written = scratch();
    append_session(written, *opened);
    outcome.session.assign(written);
    outcome.session_opened_at = opened->opened_at;
    outcome.session_longest_life = events::longest_life(*task->settings, *opened);
    open_session(*opened);
  }
  if (cart_.end) {
    outcome.end = cart_.end;
    outcome.newest_session = cart_.sessions;
    outcome.newest_reservation = cart_.reservations;
    outcome.created = cart_.created;
  } else if (task->next == nullptr) {
    auto& written = scratch();
    append_cart(written, cart_);
    outcome.cart.assign(written);
  }
  if (environment_.at_step) environment_.at_step(Step::cart_concludes, task->record->at);
  return hand_back(task);
}

Task* CartActor::hand_back(Task* task) {
  const bool over = cart_.end.has_value();
  Task* next = task->next;
  if (environment_.after_decide) environment_.after_decide(cart_);
  decided();
  if (next == nullptr) post_memory(*task);
  const bool was_last = task->segment->conclude(*task);
  if (was_last || (over && next != nullptr)) reply(*task);
  if (!over) return next;
  quit();
  return nullptr;
}

/// The segment has not ended, and does not before this message. A message that cannot be made leaves the
/// task to be decided again, like any death: else nobody would ever end the segment.
void CartActor::reply(Task& task) {
  try {
    if (environment_.at_step) environment_.at_step(Step::cart_replies, task.record->at);
    send(caf::actor_cast<caf::actor>(supervisor_), Decided{&task, CountedMessage(environment_.ledger)});
  } catch (...) {
    task.segment->reopen(task);
    throw;
  }
}

events::CartMemory CartActor::cart_memory() {
  events::CartMemory memory(memory_.of(0));
  memory.lines = memory_.of(1);
  memory.adjustments = memory_.of(2);
  memory.payment = memory_.of(3);
  memory.dedupe = memory_.of(4);
  return memory;
}

void CartActor::post_memory(const Task& task) {
  const auto f = events::footprint(cart_);
  memory_.post({f.id, f.lines, f.adjustments, f.payment, f.dedupe}, [&] { return environment_.holder(task); });
}

void CartActor::say(Task* task, const std::vector<events::Event>& said) {
  auto& outcome = task->outcome;
  auto& written = scratch();
  const auto context = task->context();
  const events::EventSurroundings surroundings{
      environment_.engine, cart_.id, &cart_, cart_.created, context.time, context.settings, &task->read.command};
  for (const auto& event : said) {
    SaidEvent s;
    s.type = events::type_of(event);
    s.begin = static_cast<std::uint32_t>(written.size());
    if (const auto* started = std::get_if<events::CartMergeStarted>(&event)) {
      outcome.sent_type = events::CommandType::cart_merge_offered;
      outcome.sent_to = started->into;
      append_merge_offer_data(outcome.sent, cart_, context.at.offset);
    }
    if (const auto* rejected = std::get_if<events::CommandRejected>(&event)) s.code = rejected->code;
    if (std::holds_alternative<events::CartCreated>(event)) {
      auto of_creation = surroundings;
      of_creation.created = context.at;
      append_event_data(written, event, of_creation);
    } else {
      append_event_data(written, event, surroundings);
    }
    evolve(cart_, event, context);
    s.end = static_cast<std::uint32_t>(written.size());
    s.sequence = cart_.sequence;
    outcome.events.push_back(s);
  }
  outcome.data.assign(written);
}

}  // namespace mayfly::actors
