#include "actors/partition/partition_actor.h"

#include "actors/cart/session_actor.h"
#include "actors/partition/state_comparison.h"
#include "events/rules/replies.h"

#include <caf/all.hpp>

#include <algorithm>

namespace mayfly::actors {

PartitionActor::PartitionActor(caf::actor_config& config, Environment& environment,
                               std::unique_ptr<PartitionState> state)
    : caf::event_based_actor(config),
      environment_(environment),
      cart_maker_(environment.cart_maker ? environment.cart_maker() : nullptr),
      state_(std::move(state)),
      writer_(environment.engine),
      reader_(environment.engine, state_->position.partitions, environment.tick_secrets) {
  set_exception_handler([this](caf::scheduled_actor*, std::exception_ptr& e) {
    auto reason = to_exit_reason(e);
    if (auto* batch = std::exchange(batch_, nullptr)) {  // the engine waits for it
      batch->broken =
          "the supervisor of partition " + std::to_string(state_->partition) + " died: " + caf::to_string(reason);
      batch->finish();
    }
    if (auto* handover = std::exchange(handover_, nullptr)) handover->finish();
    return reason;
  });
  set_down_handler([this](const caf::down_msg& down) { guarded([&] { on_down(down); }); });
}

PartitionActor::~PartitionActor() = default;

caf::behavior PartitionActor::make_behavior() {
  return {
      [this](const DecideBatch& message) {
        batch_ = message.batch;
        if (!broken_.empty()) return report_broken();
        guarded([this] { begin(); });
      },
      [this](const Decided& message) {
        if (broken_.empty()) guarded([&] { on_decided(message.task); });
      },
      [this](const HandOver& message) {
        handover_ = message.handover;
        guarded([this] { hand_over(); });
      },
  };
}

template <class F>
void PartitionActor::guarded(F f) {
  try {
    f();
  } catch (...) {
    break_down(caf::to_string(to_exit_reason(std::current_exception())));
  }
}

/// No cart may touch a task of the batch once the engine has it back: carts end first, each after what it decides.
void PartitionActor::break_down(const std::string& why) {
  broken_ = "the supervisor of partition " + std::to_string(state_->partition) + " died: " + why;
  for (const auto& [id, awake] : state_->by_actor) send(awake->actor, End{});
  if (state_->by_actor.empty()) report_broken();
}

void PartitionActor::report_broken() {
  if (auto* handover = std::exchange(handover_, nullptr)) {  // without its state
    handover->finish();
    return quit(caf::make_error(caf::sec::runtime_error, broken_));
  }
  auto* batch = std::exchange(batch_, nullptr);
  if (batch == nullptr) return;  // it tells the engine at the next one
  batch->broken = broken_;
  batch->finish();
  quit(caf::make_error(caf::sec::runtime_error, broken_));
}

void PartitionActor::at(Step step, const events::Record& record) const {
  if (environment_.at_step) environment_.at_step(step, record.at);
}

void PartitionActor::on_exit() {
  if (!state_) return;  // handed over, its carts have ended
  state_->carts.for_each([this](CartEntry& entry) {
    if (!entry.has_actor()) return;
    send_exit(entry.awake->actor, caf::exit_reason::user_shutdown);
    entry.awake->actor = nullptr;
  });
}

// --- a batch -------------------------------------------------------------------------------------------------------

void PartitionActor::begin() {
  cursor_ = 0;
  if (!batch_->records.empty()) {
    if (state_->attended_since == events::Timestamp{}) {
      state_->attended_since = batch_->records.front().append_time;
    }
    for (const auto* alerts : {&state_->alerts, &batch_->alerts}) {
      int index = 0;
      for (const auto& [alert, cart_id, message] : *alerts) {
        writer_.write_alert(*batch_, batch_->records.front(), alert, cart_id, message, index++);
      }
    }
    state_->alerts.clear();
    writer_.write_held_back(*batch_, batch_->records.front());
  }
  int index = 0;
  for (const auto& leak : batch_->leaks) writer_.write_leak(*batch_, batch_->records.front(), leak, index++);
  advance();
}

void PartitionActor::advance() {
  for (;;) {
    read_segment();
    if (dispatch_segment()) return;  // whoever decides the last task goes on: on_decided
    gather_segment();
    if (ends_here()) return finish_batch();
  }
}

/// The last open task is decided.
void PartitionActor::segment_decided() {
  gather_segment();
  ends_here() ? finish_batch() : advance();
}

/// Takes records until a tick has been taken, all are read, the segment is full, or the next one must see what the
/// segment comes to.
void PartitionActor::read_segment() {
  auto& segment = batch_->segment;
  segment.tasks.clear();
  batch_->expected_records = batch_->expected_bytes = 0;
  tick_segment_ = false;
  while (cursor_ < batch_->records.size() && !tick_segment_ && !batch_->segment_is_full()) {
    const auto& record = batch_->records[cursor_];
    if (record.timestamp_type != events::TimestampType::log_append_time) {
      batch_->stopped = "the record at offset " + std::to_string(record.at.offset) +
                        " has no log-append time: set message.timestamp.type=LogAppendTime on the commands topic, "
                        "produce to a new topic and start again there.";
      batch_->next = record.at.offset;
      writer_.raise_alert(*batch_, record, "timestamp_type", {}, "The commands topic does not have LogAppendTime.");
      return;
    }
    if (!read_one(record)) return;
    ++cursor_;
  }
}

/// False: the segment must end before this record.
bool PartitionActor::read_one(const events::Record& record) {
  at(Step::supervisor_reads, record);
  auto& segment = batch_->segment;
  auto read = reader_.read(record, state_->position.settings, &batch_->arena);
  auto* command = std::get_if<events::ReadCommand>(&read);
  const auto* time = command != nullptr ? std::get_if<events::ClockTick>(&command->command.data) : nullptr;
  if (time != nullptr) {
    if (!segment.tasks.empty()) return false;
    ++batch_->counts.ticks;
    tick(record, *time, command->command.id);
    return true;
  }
  auto* entry = command != nullptr ? state_->carts.find(command->cart_id) : nullptr;
  const auto reason = command != nullptr ? withheld(record, command->cart_id, entry) : std::nullopt;
  std::optional<events::Ended> ended;
  std::optional<events::CartHash> hash;
  if (command != nullptr && entry == nullptr && !reason) {
    // What an earlier record of this segment may still change is waited for: the count of carts, the oldest epitaphs.
    hash = events::hash_of(command->cart_id);
    const auto unsettled = static_cast<std::int64_t>(segment.tasks.size());
    if (unsettled > 0 && (state_->live_carts() >= state_->position.settings.live_carts ||
                          state_->epitaphs.may_go_out(*hash, unsettled))) {
      return false;
    }
    ended = state_->epitaphs.find(*hash);
  }
  ++batch_->counts.commands;
  Task& task = batch_->new_task();
  task.record = &record;
  task.settings = &state_->position.settings;
  segment.tasks.push_back(&task);
  if (command == nullptr) {
    dead_letter(task, std::get<events::Unreadable>(read));
    return true;
  }
  task.read = *command;
  expect(task, entry);
  if (reason) {
    withhold(task, entry, *reason);
  } else if (entry != nullptr) {
    join_chain(task, *entry);
  } else {
    decide_without_cart(task, ended, nullptr);
    if (task.cart != nullptr) task.cart->awake->hash = hash;
  }
  return true;
}

/// False: the segment has nothing for carts to decide.
bool PartitionActor::dispatch_segment() {
  auto& segment = batch_->segment;
  std::int64_t open = 0;
  for (const auto* task : segment.tasks) open += task->cart != nullptr ? 1 : 0;
  segment.open(open);
  if (open == 0) return false;
  for (auto* task : segment.tasks) {
    if (task->cart != nullptr && task->cart->awake->first == task) send_to_cart(*task);
  }
  return true;
}

void PartitionActor::gather_segment() {
  auto& segment = batch_->segment;
  int index = 0;
  const events::Record* record = nullptr;
  for (auto* task : segment.tasks) {
    if (task->record != record) index = 0;  // a tick's deadlines share one record and one row of indices
    record = task->record;
    at(Step::supervisor_gathers, *record);
    if (task->dead_letter) {
      writer_.write_dead_letter(*batch_, *task, index);
    } else {
      writer_.write_outcome(*batch_, *task, index, state_->position.partitions);
      if (task->outcome.concern == events::Concern::payment_unmatched) note_unmatched(*task, index);
    }
    if (task->cart != nullptr && task->cart->awake->last == task) settle(*task->cart);
  }
  for (auto* entry : gone_) state_->carts.remove(*entry);
  gone_.clear();
  batch_->end_segment();
}

void PartitionActor::note_unmatched(const Task& task, int index) {
  const auto says = events::reported(task.read.command);
  const auto currency = events::currency_of(says.currency, {});
  const auto message = unmatched_.note(currency.view(), says.money(), task.record->append_time);
  if (message) writer_.write_alert(*batch_, *task.record, "payment_unmatched", task.read.cart_id, *message, index);
}

void PartitionActor::finish_batch() {
  if (!batch_->records.empty()) at(Step::supervisor_writes, batch_->records.back());
  sleep_idle();
  for (auto* entry : dirty_) {
    if (entry == nullptr) continue;
    entry->place_in_dirty = not_listed;
    const auto trouble = state_->troubles.kept(*entry);
    if (trouble.none()) {
      writer_.write_state(*batch_, entry->id(), entry->snapshot());
    } else {
      std::string value;
      append_snapshot(value, entry->wait(), entry->cart(), entry->session(), trouble);
      writer_.write_state(*batch_, entry->id(), value);
    }
  }
  dirty_.clear();
  state_->epitaphs.take_dirty_pages(
      [this](std::string_view key, std::string_view bytes) { writer_.write_state(*batch_, key, bytes); });
  state_->position.next = batch_->next;
  std::string position;
  append_position(position, state_->position);
  writer_.write_state(*batch_, events::position_key, position);
  batch_->status = state_->status();
  batch_->take_stock();
  state_->post_memory();
  auto* batch = batch_;
  batch_ = nullptr;
  batch->finish();
}

// --- time ----------------------------------------------------------------------------------------------------------

/// decisions.md 3. Deadlines become the tasks of a segment of their own.
void PartitionActor::tick(const events::Record& record, const events::ClockTick& data, events::Text id) {
  const auto skew = data.at ? *data.at - record.append_time : events::Millis{};
  if (data.at && data.own) state_->clock_skew = skew;
  if (!data.at || skew > events::limits::tick_skew || skew < events::Millis{-events::limits::tick_skew.count}) {
    constexpr events::Text bad_time =
        "A clock.tick without a readable `at` within 60 s of its append time was ignored.";
    writer_.raise_alert(*batch_, record, "tick_ignored", {}, data.refused.empty() ? bad_time : data.refused);
    return;
  }
  auto& now = state_->position.ticked;
  now = std::max(now, record.append_time);
  if (data.settings) state_->position.settings = *data.settings;
  if (!data.release.empty()) release(record, data.release);
  const auto through = std::min(data.through, record.at.offset - 1);
  while (auto* entry = state_->deadlines.take_unstarted(through)) {
    auto wait = entry->wait();
    wait.due = now + wait.length;
    entry->set_wait(wait);
    state_->list_wait(*entry);
    mark_dirty(*entry);
  }
  for (std::int64_t fired = 0; fired < events::limits::deadlines_per_tick; ++fired) {
    auto* entry = state_->deadlines.take_due(now);
    if (entry == nullptr) break;
    fire(record, *entry, id);
  }
  const auto next = state_->deadlines.next_due();
  state_->due_now = next && *next <= now;
  state_->epitaphs.forget(now);
  tick_segment_ = !batch_->segment.tasks.empty();
}

void PartitionActor::fire(const events::Record& record, CartEntry& entry, events::Text tick_id) {
  Task& task = batch_->new_task();
  task.record = &record;
  task.settings = &state_->position.settings;
  task.read.cart_id = entry.id();
  task.read.command.id = tick_id;
  task.read.command.type = events::CommandType::clock_tick;
  task.read.command.data = events::DeadlineReached{entry.wait().kind};
  batch_->segment.tasks.push_back(&task);
  if (const auto reason = withheld(record, entry.id(), &entry)) return withhold(task, &entry, *reason);
  join_chain(task, entry);
}

}  // namespace mayfly::actors
