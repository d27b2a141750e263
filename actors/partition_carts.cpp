// The supervisor's other half: how one command finds its cart, what becomes of it, and what happens when actors die.
#include "actors/cart_actor.h"
#include "actors/partition_actor.h"
#include "events/event_json.h"

#include <caf/all.hpp>

namespace mayfly::actors {

// --- a command and its cart ----------------------------------------------------------------------------------------

void PartitionActor::dead_letter(Task& task, const events::Unreadable& unreadable) {
  task.dead_letter = unreadable.reason;
  task.dead_letter_about = unreadable.about;
  task.dead_letter_type = unreadable.type;
  task.read.command.id = unreadable.id;
  task.done = true;
}

/// Decides a command whose cart has no state. cart.create may make one: in `vacant`, or in a new entry.
void PartitionActor::decide_without_cart(Task& task, const std::optional<events::Ended>& ended, CartEntry* vacant) {
  const auto& command = task.read.command;
  const auto live = state_->carts.size() - (vacant != nullptr ? 1 : 0);
  auto decision =
      events::decide_without_cart(ended ? &*ended : nullptr, task.read.cart_id, command, task.context(), live);
  if (creates_cart(decision.events)) {
    task.decided = std::move(decision);
    return join_chain(task, vacant != nullptr ? *vacant : state_->carts.add(task.read.cart_id));
  }
  auto& outcome = task.outcome;
  outcome.concern = decision.concern;
  const events::EventSurroundings surroundings{environment_.engine,
                                               task.read.cart_id,
                                               nullptr,
                                               {state_->partition, ended ? ended->created : events::no_offset},
                                               task.record->append_time,
                                               *task.settings,
                                               &command};
  for (const auto& event : decision.events) {
    SaidEvent said;
    said.type = events::type_of(event);
    if (const auto* rejected = std::get_if<events::CommandRejected>(&event)) said.code = rejected->code;
    said.begin = static_cast<std::uint32_t>(outcome.data.size());
    append_event_data(outcome.data, event, surroundings);
    said.end = static_cast<std::uint32_t>(outcome.data.size());
    outcome.events.push_back(said);
  }
  task.done = true;
}

void PartitionActor::join_chain(Task& task, CartEntry& entry) {
  task.cart = &entry;
  auto& awake = state_->carts.wake(entry);
  (awake.first == nullptr ? awake.first : awake.last->next) = &task;
  awake.last = &task;
}

void PartitionActor::send_to_cart(Task& task) {
  auto& entry = *task.cart;
  if (!entry.has_actor()) wake(entry);
  entry.awake->deciding = &task;
  send(entry.awake->actor, Decide{&task});
}

void PartitionActor::on_decided(Task* task) {
  Task* next = task->next;
  if (next == nullptr) return segment_decided();  // it was the last
  if (!task->outcome.end) return send_to_cart(*next);
  // The cart is over: what its chain still holds finds its epitaph.
  const events::Ended ended{task->outcome.created.offset, task->outcome.end->outcome, task->outcome.end->session,
                            task->outcome.newest_session, task->outcome.newest_reservation};
  task->next = nullptr;
  task->cart->awake->last = task;
  std::int64_t without_cart = 0;
  for (; next != nullptr; next = next->next, ++without_cart) {
    next->cart = nullptr;
    decide_without_cart(*next, ended, nullptr);
  }
  if (batch_->segment.close(without_cart)) segment_decided();
}

/// Takes over what a cart's tasks of the segment came to. Called in record order of their last ones.
void PartitionActor::settle(CartEntry& entry) {
  auto& awake = *entry.awake;
  const Task& last = *awake.last;
  const bool had_session = !entry.session().empty();
  std::string_view session = entry.session();
  auto wait = entry.wait();
  bool changed = false;
  state_->deadlines.remove(entry);
  for (const Task* task = awake.first; task != nullptr; task = task->next) {
    const auto& outcome = task->outcome;
    changed = changed || outcome.changed;
    if (outcome.session_part == Outcome::SessionPart::written) session = outcome.session;
    if (outcome.session_part == Outcome::SessionPart::closed) session = {};
    if (task->is_deadline() || outcome.wait.change == events::WaitChange::Kind::clear) wait = {};
    if (outcome.wait.change == events::WaitChange::Kind::set) {
      wait = {outcome.wait.kind, outcome.wait.length, task->record->at.offset, std::nullopt};
    }
  }
  awake.first = awake.last = nullptr;
  if (last.outcome.end) return bury(entry, last);
  state_->sessions_open += (session.empty() ? 0 : 1) - (had_session ? 1 : 0);
  auto& kept = state_->carts.keep(entry, wait, last.outcome.cart, session);
  if (kept.place_in_dirty != not_listed) dirty_[kept.place_in_dirty] = &kept;
  state_->deadlines.list(kept);
  if (changed) mark_dirty(kept);
  if (!awake.actor) return state_->carts.sleep(kept);  // it died when all was said
  state_->awake.use(awake, last.record->append_time);
}

/// The cart is over: what stays is its epitaph and a tombstone.
void PartitionActor::bury(CartEntry& entry, const Task& last) {
  const auto& outcome = last.outcome;
  state_->epitaphs.add(events::hash_of(entry.id()),
                       {outcome.created.offset, outcome.end->outcome, outcome.end->session, outcome.newest_session,
                        outcome.newest_reservation},
                       last.record->append_time);
  if (!entry.session().empty()) --state_->sessions_open;
  if (entry.place_in_dirty != not_listed) dirty_[entry.place_in_dirty] = nullptr;
  forget_actor(*entry.awake);
  writer_.write_tombstone(*batch_, entry.id());
  gone_.push_back(&entry);
}

void PartitionActor::mark_dirty(CartEntry& entry) {
  if (entry.place_in_dirty != not_listed) return;
  entry.place_in_dirty = static_cast<std::uint32_t>(dirty_.size());
  dirty_.push_back(&entry);
}

// --- supervision ---------------------------------------------------------------------------------------------------

void PartitionActor::wake(CartEntry& entry) {
  const std::string_view cart = entry.cart();
  auto actor = spawn<CartActor, caf::monitored + caf::lazy_init>(
      std::ref(environment_), caf::actor_cast<caf::actor>(this), entry.id(), cart, entry.session());
  auto& awake = state_->carts.wake(entry);
  by_actor_.emplace(actor.id(), &awake);
  awake.actor = std::move(actor);
}

/// Lets go of a cart's actor, which has ended or will. What is kept of it goes too, unless tasks wait for another.
void PartitionActor::forget_actor(Awake& awake) {
  if (awake.actor) by_actor_.erase(awake.actor.id());
  state_->awake.remove(awake);
  awake.actor = nullptr;
  awake.deciding = nullptr;
  if (awake.first == nullptr) state_->carts.sleep(*awake.entry);
}

void PartitionActor::sleep_idle() {
  if (batch_->records.empty()) return;
  const auto now = batch_->records.back().append_time;
  while (auto* awake = state_->awake.longest_idle()) {
    const bool idle = awake->last_used + sleep_limits_.idle <= now;
    if (!idle && state_->awake.size() <= sleep_limits_.awake_carts) break;
    send_exit(awake->actor, caf::exit_reason::user_shutdown);
    forget_actor(*awake);
  }
}

/// A cart's actor died. If it was deciding, it is started again from its snapshot and tried again, at most twice.
void PartitionActor::on_down(const caf::down_msg& down) {
  const auto found = by_actor_.find(down.source.id());
  if (found == by_actor_.end()) return;  // it was let go
  auto& awake = *found->second;
  auto& entry = *awake.entry;
  Task* deciding = awake.deciding;
  const bool busy = batch_ != nullptr && deciding != nullptr && awake.first != nullptr && !deciding->done;
  forget_actor(awake);
  if (!busy) return;
  batch_->failures.push_back("the actor of a cart died deciding offset " + std::to_string(deciding->record->at.offset) +
                             ": " + caf::to_string(down.reason));
  ++batch_->counts.restarts;
  // From its snapshot the cart decides its tasks of this segment once more: they come to the same.
  for (Task* task = awake.first; task != deciding; task = task->next) batch_->segment.reopen(*task);
  bool last = false;
  if (++deciding->attempts >= events::limits::attempts) last = batch_->segment.close(give_up(entry, *deciding));
  if (awake.first != nullptr) return send_to_cart(*awake.first);
  state_->carts.sleep(entry);
  if (last) segment_decided();
}

/// Takes a task that keeps failing out of its cart's chain: it becomes a dead letter, the cart lives on. Returns how
/// many tasks are done by that.
std::int64_t PartitionActor::give_up(CartEntry& entry, Task& failed) {
  auto& awake = *entry.awake;
  Task* before = nullptr;
  for (Task* task = awake.first; task != &failed; task = task->next) before = task;
  (before != nullptr ? before->next : awake.first) = failed.next;
  if (awake.last == &failed) awake.last = before;
  Task* rest = std::exchange(failed.next, nullptr);
  failed.outcome.clear();
  failed.cart = nullptr;
  failed.done = true;
  failed.dead_letter = events::DeadLetterReason::keeps_failing;
  failed.dead_letter_type = failed.read.command.type;
  if (failed.is_deadline()) {  // a wait never gets lost: it begins again
    const auto wait = entry.wait();
    entry.set_wait({wait.kind, wait.length, failed.record->at.offset, std::nullopt});
    state_->deadlines.list(entry);
    mark_dirty(entry);
  }
  if (!failed.decided) return 1;
  // It was to create the cart: what follows finds none, unless it creates it itself.
  std::int64_t concluded = 1;
  awake.first = awake.last = nullptr;
  while (rest != nullptr) {
    Task& task = *rest;
    rest = std::exchange(task.next, nullptr);
    if (awake.first != nullptr) {
      join_chain(task, entry);
      continue;
    }
    task.cart = nullptr;
    decide_without_cart(task, std::nullopt, &entry);
    if (task.cart == nullptr) ++concluded;
  }
  if (awake.first == nullptr) gone_.push_back(&entry);
  return concluded;
}

}  // namespace mayfly::actors
