// The supervisor's third part: carts wake and sleep; what happens when their actors die; quarantine (docs/actors.md).
#include "actors/cart/cart_actor.h"
#include "actors/partition/partition_actor.h"
#include "actors/partition/state_comparison.h"
#include "events/text/precondition.h"

#include <caf/all.hpp>

namespace mayfly::actors {

namespace {

constexpr std::size_t failures_told = 8;  // of a batch, each in full
constexpr std::size_t cause_bytes = 200;

/// Of a cart's chain the task that its actor is at; null if it has decided all that it will.
Task* under_decision(const Awake& awake) {
  Task* task = awake.first;
  for (; task != nullptr && task->done; task = task->next) {
    if (task->outcome.end) return nullptr;
  }
  return task;
}

}  // namespace

void PartitionActor::wake(CartEntry& entry) {
  const std::string_view cart = entry.cart();
  auto actor = cart_maker_
                   ? cart_maker_->make(*this, environment_, entry.id(), cart, entry.session())
                   : spawn<CartActor, caf::monitored + caf::lazy_init>(
                         std::ref(environment_), caf::actor_cast<caf::actor>(this), entry.id(), cart, entry.session());
  auto& awake = state_->carts.wake(entry);
  state_->by_actor.emplace(actor.id(), &awake);
  if (!entry.session().empty()) ++state_->sessions_awake;
  awake.actor = std::move(actor);
}

/// Lets go of a cart's actor, which has ended or will. What is kept of it goes too, unless tasks wait for another.
void PartitionActor::forget_actor(Awake& awake) {
  if (awake.actor) {
    state_->by_actor.erase(awake.actor.id());
    if (!awake.entry->session().empty()) --state_->sessions_awake;
  }
  state_->awake.remove(awake);
  awake.actor = nullptr;
  if (awake.first == nullptr) state_->carts.sleep(*awake.entry);
}

void PartitionActor::sleep_idle() {
  if (batch_->records.empty()) return;
  const auto now = batch_->records.back().append_time;
  while (auto* awake = state_->awake.longest_idle()) {
    const bool idle = awake->last_used + batch_->sleep.idle <= now;
    if (!idle && state_->awake.size() <= batch_->sleep.awake_carts) break;
    send_exit(awake->actor, caf::exit_reason::user_shutdown);
    forget_actor(*awake);
  }
}

/// A cart's actor died. If it was deciding, it is started again from its snapshot and tried again, at most twice.
void PartitionActor::on_down(const caf::down_msg& down) {
  if (!state_) return;  // handed over
  const auto found = state_->by_actor.find(down.source.id());
  if (found == state_->by_actor.end()) return;  // it was let go
  auto& awake = *found->second;
  auto& entry = *awake.entry;
  Task* deciding = batch_ != nullptr ? under_decision(awake) : nullptr;
  forget_actor(awake);
  if (handover_ != nullptr && broken_.empty()) {
    if (state_->by_actor.empty()) complete_handover();
    return;
  }
  if (!broken_.empty()) {
    if (state_->by_actor.empty()) report_broken();
    return;
  }
  if (deciding == nullptr) return;
  note_death(*deciding, caf::to_string(down.reason));
  const auto& borne = environment_.supervision.cart_restarts;
  const bool too_often = state_->troubles.died(entry, borne, deciding->record->append_time);
  // From its snapshot the cart decides its tasks of this segment once more: they come to the same.
  for (Task* task = awake.first; task != deciding; task = task->next) batch_->segment.reopen(*task);
  bool last = false;
  if (++deciding->attempts >= events::limits::attempts || too_often) {
    last = batch_->segment.close(give_up(entry, *deciding, too_often));
  }
  if (awake.first != nullptr) return send_to_cart(*awake.first);
  state_->carts.sleep(entry);
  if (last) segment_decided();
}

// --- renewal -------------------------------------------------------------------------------------------------------

/// Each cart that is awake compares itself with its bytes and ends; whatever it dies of, its end is noticed.
void PartitionActor::hand_over() {
  if (!broken_.empty()) return report_broken();
  for (const auto& [id, awake] : state_->by_actor) {
    const auto& entry = *awake->entry;
    send(awake->actor, Retire{entry.id(), entry.cart(), entry.session(), &handover_->findings});
  }
  if (state_->by_actor.empty()) complete_handover();
}

void PartitionActor::complete_handover() {
  state_->post_memory();
  handover_->state = std::move(state_);
  std::exchange(handover_, nullptr)->finish();
  quit();
}

/// Counts it, says so where it was not just said, and sees whether the partition bears it.
void PartitionActor::note_death(const Task& deciding, const std::string& reason) {
  const auto& record = *deciding.record;
  ++batch_->counts.restarts;
  if (batch_->failures.size() < failures_told) {
    batch_->failures.push_back("the actor of a cart died deciding offset " + std::to_string(record.at.offset) + ": " +
                               reason);
  }
  std::string cause = reason.substr(0, cause_bytes);
  if (const auto deaths = alerts_.died(cause, record.append_time)) {
    const auto& said = batch_->restart_alerts.emplace_back(
        PendingAlert{"cart_restarted", std::string(deciding.read.cart_id),
                     "Actors of carts died and were restarted, by this cause since it was last said " +
                         std::to_string(*deaths) + " times: " + cause});
    // Those that waited for this batch have the first indexes.
    const auto index = static_cast<std::int64_t>(batch_->alerts.size()) + batch_->counts.restarts;
    writer_.write_alert(*batch_, record, said.alert, said.cart_id, said.message, static_cast<int>(index));
  }
  if (restarts_.count(environment_.supervision.partition_restarts, record.append_time) && batch_->rebuild.empty()) {
    batch_->rebuild =
        "More of its carts' actors died than supervision.partition_restarts allows, the last one by: " + cause;
  }
}

/// Takes a task that keeps failing out of its cart's chain: it becomes a dead letter, the cart lives on, or is
/// quarantined with all that its chain still holds. Returns how many tasks are done by that.
std::int64_t PartitionActor::give_up(CartEntry& entry, Task& failed, bool dies_too_often) {
  auto& awake = *entry.awake;
  Task* before = nullptr;
  for (Task* task = awake.first; task != &failed; task = task->next) before = task;
  (before != nullptr ? before->next : awake.first) = failed.next;
  if (awake.last == &failed) awake.last = before;
  Task* rest = std::exchange(failed.next, nullptr);
  if (failed.decided) {
    // It was to create the cart: what follows finds none, unless it creates it itself.
    withhold(failed, nullptr, events::DeadLetterReason::keeps_failing);
    state_->troubles.forget(entry);
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
    if (awake.first != nullptr) {
      count_withheld_behind(*awake.first, entry);
    } else {
      unmark(entry);
      gone_.push_back(&entry);
    }
    return concluded;
  }
  if (!dies_too_often && !fails_too_often(entry, *failed.record)) {
    withhold(failed, &entry, events::DeadLetterReason::keeps_failing);
    return 1;
  }
  withhold(failed, &entry, events::DeadLetterReason::quarantined);
  std::int64_t concluded = 1;
  if (before != nullptr) before->next = nullptr;
  awake.last = before;
  if (before == nullptr) awake.first = nullptr;
  for (; rest != nullptr; ++concluded) {
    Task& task = *rest;
    rest = std::exchange(task.next, nullptr);
    withhold(task, &entry, events::DeadLetterReason::quarantined);
  }
  return concluded;
}

/// One dead letter more is more than is borne of the cart, or it is quarantined already.
bool PartitionActor::fails_too_often(const CartEntry& entry, const events::Record& record) const {
  const auto& borne = environment_.supervision.cart_dead_letters;
  const auto kept = state_->troubles.kept(entry);
  return kept.quarantined() || kept.failures_since(record.append_time - borne.within) >= borne.most;
}

/// Why a record is not decided: a replay knows that it was not, the process dies of it, or its cart is quarantined.
std::optional<events::DeadLetterReason> PartitionActor::withheld(const events::Record& record, events::Text cart_id,
                                                                 const CartEntry* entry) const {
  if (environment_.withheld) {
    if (const auto reason = environment_.withheld(record.at, cart_id)) return reason;
  }
  using Reason = events::DeadLetterReason;
  if (environment_.flight->condemned(record.at, cart_id)) {
    return entry != nullptr && fails_too_often(*entry, record) ? Reason::quarantined : Reason::keeps_failing;
  }
  if (entry != nullptr && state_->troubles.quarantined(*entry)) return Reason::quarantined;
  if (entry == nullptr && state_->unreadable.contains(cart_id)) return Reason::state_unreadable;
  return std::nullopt;
}

/// Makes a dead letter of a task instead of having it decided, and lets the cart's record remember it. The same
/// whether the actor died of it just now or a replay reads that it did. `entry` null: the cart has no state.
void PartitionActor::withhold(Task& task, CartEntry* entry, events::DeadLetterReason reason) {
  const auto& record = *task.record;
  task.outcome.clear();
  task.cart = nullptr;
  task.done = true;
  task.dead_letter = reason;
  task.dead_letter_type = task.read.command.type;
  const bool condemned = environment_.flight->condemned(record.at, task.read.cart_id);
  if (condemned || reason == events::DeadLetterReason::keeps_failing) task.attempts = events::limits::attempts;
  if (entry == nullptr || reason == events::DeadLetterReason::state_unreadable) return;  // known to a replay alone
  count_withheld(*entry, record, reason);
  if (task.is_deadline()) {  // a wait never gets lost: it begins again
    begin_wait_again(*entry, record.at.offset);
    mark_dirty(*entry);
  }
}

/// What the cart's record remembers of a record that it did not decide.
void PartitionActor::count_withheld(CartEntry& entry, const events::Record& record, events::DeadLetterReason reason) {
  if (reason == events::DeadLetterReason::state_unreadable) return;  // it is not the cart that failed
  if (reason != events::DeadLetterReason::quarantined) {
    state_->troubles.failed(entry, record.append_time);
    mark_dirty(entry);
  } else if (state_->troubles.quarantine(entry, record.at.offset)) {
    state_->deadlines.remove(entry);  // its wait rests until it is released
    writer_.raise_alert(*batch_, record, "cart_quarantined", entry.id(),
                        "The cart's actor keeps dying. Its commands become dead letters and its wait rests until "
                        "it is released.",
                        static_cast<int>(state_->troubles.quarantined_carts()));
    mark_dirty(entry);
  }
}

/// `creation` made the cart after an earlier cart.create failed. What was withheld behind it counts for the cart, and
/// nothing before it: a replay finds no cart until there.
void PartitionActor::count_withheld_behind(const Task& creation, CartEntry& entry) {
  bool behind = false;
  for (const Task* task : batch_->segment.tasks) {
    if (task == &creation) {
      behind = true;
    } else if (behind && task->withheld() && task->read.cart_id == entry.id()) {
      count_withheld(entry, *task->record, *task->dead_letter);
    }
  }
}

/// Precondition: its wait is not listed.
void PartitionActor::begin_wait_again(CartEntry& entry, events::Offset set_at) {
  events::precondition(entry.place_in_waits == not_listed, "begin_wait_again: the wait is not listed");
  const auto wait = entry.wait();
  if (wait.kind == events::WaitKind::none) return;
  entry.set_wait({wait.kind, wait.length, set_at, std::nullopt});
  state_->list_wait(entry);
}

/// An operator lets a cart out of quarantine, by a tick: what supervision knew of it is forgotten, its wait begins
/// again.
void PartitionActor::release(const events::Record& record, events::Text cart_id) {
  auto* entry = state_->carts.find(cart_id);
  if (entry == nullptr || state_->troubles.kept(*entry).none()) return;
  const bool quarantined = state_->troubles.quarantined(*entry);
  state_->troubles.forget(*entry);
  mark_dirty(*entry);
  if (!quarantined) return;
  begin_wait_again(*entry, record.at.offset);
  writer_.raise_alert(*batch_, record, "cart_released", cart_id,
                      "The cart is out of quarantine; its wait begins again.");
}

}  // namespace mayfly::actors
