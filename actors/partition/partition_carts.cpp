// The supervisor's second part: how one command finds its cart, and what becomes of it.
#include "actors/partition/partition_actor.h"
#include "events/wire/event_json.h"

#include <caf/all.hpp>

#include <algorithm>

namespace mayfly::actors {

// --- a command and its cart ----------------------------------------------------------------------------------------

void PartitionActor::dead_letter(Task& task, const events::Unreadable& unreadable) {
  task.dead_letter = unreadable.reason;
  task.dead_letter_about = unreadable.about;
  task.dead_letter_type = unreadable.type;
  task.read.command.id = unreadable.id;
  task.read.correlation_id = unreadable.correlation_id;
  task.read.traceparent = unreadable.traceparent;
  task.done = true;
}

/// Decides a command whose cart has no state. cart.create may make one: in `vacant`, or in a new entry.
void PartitionActor::decide_without_cart(Task& task, const std::optional<events::Ended>& ended, CartEntry* vacant) {
  task.outcome.clear();  // of a cart that was to be and had decided it, before its creation failed
  const auto& command = task.read.command;
  const auto live = state_->live_carts() - (vacant != nullptr ? 1 : 0);
  auto decision =
      events::decide_without_cart(ended ? &*ended : nullptr, task.read.cart_id, command, task.context(), live);
  if (creates_cart(decision.events)) {
    task.decided = std::move(decision);
    return join_chain(task, vacant != nullptr ? *vacant : state_->carts.add(task.read.cart_id));
  }
  auto& outcome = task.outcome;
  outcome.concern = decision.concern;
  outcome.answer(task.read.cart_id, command, decision);
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
  send(entry.awake->actor, Decide{&task, CountedMessage(environment_.ledger)});
}

void PartitionActor::on_decided(Task* task) {
  Task* next = task->next;
  if (next == nullptr) return segment_decided();
  // The cart is over: what its chain still holds finds its epitaph.
  const events::Ended ended{task->outcome.created.offset, task->outcome.end->outcome,       task->outcome.end->session,
                            task->outcome.newest_session, task->outcome.newest_reservation, task->outcome.end->further};
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
    if (outcome.session_part == Outcome::SessionPart::written) {
      session = outcome.session;
      const auto from = std::max(outcome.session_opened_at, state_->attended_since);
      state_->note_session_age(entry, from + outcome.session_longest_life < task->record->append_time);
    }
    if (outcome.session_part == Outcome::SessionPart::closed) {
      session = {};
      state_->note_session_age(entry, false);
    }
    if (task->is_deadline() || outcome.wait.change == events::WaitChange::Kind::clear) wait = {};
    if (outcome.wait.change == events::WaitChange::Kind::set) {
      wait = {outcome.wait.kind, outcome.wait.length, task->record->at.offset, std::nullopt};
    }
  }
  awake.first = awake.last = nullptr;
  if (last.outcome.end) return bury(entry, last);
  const int opened = (session.empty() ? 0 : 1) - (had_session ? 1 : 0);
  state_->sessions_open += opened;
  if (awake.actor) state_->sessions_awake += opened;
  auto& kept = state_->carts.keep(entry, wait, last.outcome.cart, session);
  if (kept.place_in_dirty != not_listed) dirty_[kept.place_in_dirty] = &kept;
  state_->list_wait(kept);
  if (changed) {
    mark_dirty(kept);
    batch_->state_bytes += kept.snapshot().size();
  }
  if (!awake.actor) return state_->carts.sleep(kept);  // it died when all was said
  state_->awake.use(awake, last.record->append_time);
}

/// After a segment. True: the batch has no more to decide, or has come to all that it may; then the rest is for the
/// next.
bool PartitionActor::ends_here() {
  if (all_read()) return true;
  if (!batch_->is_full(dirty_.size())) return false;
  batch_->next = batch_->records[cursor_].at.offset;
  batch_->records = batch_->records.first(cursor_);
  return true;
}

/// An offer of lines leads to an event with headers of its own for each, and a merge offers its cart's lines as JSON;
/// any other says about its cart once.
void PartitionActor::expect(const Task& task, const CartEntry* entry) {
  constexpr std::size_t least_bytes = 512;
  constexpr std::size_t offer_bytes_per_byte = 4;
  constexpr std::size_t bytes_per_line = 45;  // of an offer, at least
  const auto type = task.read.command.type;
  const auto of_cart = entry == nullptr ? 0 : entry->snapshot().size();
  const auto of_record = task.record->value.value_or("").size();
  const auto lines = type == events::CommandType::cart_merge_offered ? of_record / bytes_per_line : 0;
  const bool merges = type == events::CommandType::cart_merge;
  batch_->expected_records += 1 + lines;
  batch_->expected_bytes += least_bytes * (1 + lines) + of_record + of_cart * (merges ? 1 + offer_bytes_per_byte : 1);
}

/// The cart is over: what stays is its epitaph and a tombstone.
void PartitionActor::bury(CartEntry& entry, const Task& last) {
  const auto& outcome = last.outcome;
  batch_->counts.epitaphs_evicted -= state_->epitaphs.evicted();
  const auto& hash = entry.awake->hash;
  state_->epitaphs.add(hash ? *hash : events::hash_of(entry.id()),
                       {outcome.created.offset, outcome.end->outcome, outcome.end->session, outcome.newest_session,
                        outcome.newest_reservation, outcome.end->further},
                       last.record->append_time);
  batch_->counts.epitaphs_evicted += state_->epitaphs.evicted();
  if (!entry.session().empty()) --state_->sessions_open;
  state_->note_session_age(entry, false);
  unmark(entry);
  state_->troubles.forget(entry);
  forget_actor(*entry.awake);
  writer_.write_tombstone(*batch_, entry.id());
  gone_.push_back(&entry);
  ++batch_->counts.carts_ended;
}

void PartitionActor::mark_dirty(CartEntry& entry) {
  if (entry.place_in_dirty != not_listed) return;
  entry.place_in_dirty = static_cast<std::uint32_t>(dirty_.size());
  dirty_.push_back(&entry);
}

void PartitionActor::unmark(CartEntry& entry) {
  if (entry.place_in_dirty != not_listed) dirty_[entry.place_in_dirty] = nullptr;
  entry.place_in_dirty = not_listed;
}

}  // namespace mayfly::actors
