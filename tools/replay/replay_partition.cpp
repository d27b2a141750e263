#include "tools/replay/replay_partition.h"

#include "events/rules/identity.h"
#include "events/wire/event_json.h"

#include <algorithm>

namespace mayfly::tools {

using namespace events;

std::string snapshot_of(const ReplayedCart& of) {
  std::string cart;
  std::string session;
  std::string whole;
  append_cart(cart, of.cart);
  if (of.session) append_session(session, *of.session);
  append_snapshot(whole, of.wait, cart, session, of.trouble);
  return whole;
}

struct ReplayedPartition::Telling {
  Telling(const Record& r, const ReadCommand* c, Text id, Watcher* w) : record(r), read(c), cart_id(id), watcher(w) {
    if (watcher != nullptr && !watcher->watches(cart_id)) watcher = nullptr;
  }
  const Record& record;
  const ReadCommand* read;
  const Unreadable* unreadable = nullptr;
  Text cart_id;
  Watcher* watcher;  // null: nobody wants to know
  std::optional<ReplayedCart> before;
  const ReplayedCart* after = nullptr;
  std::optional<Ended> ended;
  std::optional<CartOutcome> over;
  bool repeated = false;
  bool asked_session = false;
  std::vector<ReplayedEvent> events;
  std::string offered_to;
  std::optional<DeadLetterReason> dead_letter;
  Concern concern = Concern::none;
};

ReplayedPartition::ReplayedPartition(std::string_view engine, Partition partition, std::int32_t partitions,
                                     TickSecrets secrets)
    : engine_(engine), partition_(partition), reader_(engine, partitions, std::move(secrets)) {
  position_.partitions = partitions;
  position_.engine = engine;
}

void ReplayedPartition::change_settings(std::function<void(Settings&)> change) {
  change_settings_ = std::move(change);
  change_settings_(position_.settings);
}

void ReplayedPartition::take(const Record& record, Watcher* watcher) {
  index_ = 0;
  arena_.release();
  const auto read = reader_.read(record, position_.settings, &arena_);
  if (const auto* unreadable = std::get_if<Unreadable>(&read)) {
    Telling telling(record, nullptr, record.key.value_or(Bytes{}), watcher);
    telling.unreadable = unreadable;
    dead_letter(telling, unreadable->reason, unreadable->id);
    finish(telling);
  } else {
    const auto& command = std::get<ReadCommand>(read);
    if (const auto* time = std::get_if<ClockTick>(&command.command.data)) {
      tick(record, *time, command, watcher);
    } else {
      Telling telling(record, &command, command.cart_id, watcher);
      this->command(telling);
      finish(telling);
    }
  }
  position_.next = record.at.offset + 1;
}

// --- time ----------------------------------------------------------------------------------------------------------

void ReplayedPartition::tick(const Record& record, const ClockTick& data, const ReadCommand& command,
                             Watcher* watcher) {
  const auto skew = data.at ? *data.at - record.append_time : Millis{};
  if (!data.at || skew > limits::tick_skew || skew < Millis{-limits::tick_skew.count}) return;
  auto& now = position_.ticked;
  now = std::max(now, record.append_time);
  if (data.settings) position_.settings = *data.settings;
  if (data.settings && change_settings_) change_settings_(position_.settings);
  if (!data.release.empty()) release(record, data.release);
  const auto through = std::min(data.through, record.at.offset - 1);
  while (!unstarted_.empty() && unstarted_.begin()->first <= through) {
    auto& cart = *unstarted_.begin()->second;
    unlist(cart);
    cart.wait.due = now + cart.wait.length;
    list(cart);
    if (watcher != nullptr && watcher->watches(cart.cart.id)) watcher->wait_started(record, cart);
  }
  fire(record, command, watcher);
  epitaphs_.forget(now);
  if (watcher != nullptr) watcher->ticked(record);
}

std::optional<Timestamp> ReplayedPartition::fire_next(Record tick, Timestamp until,
                                                      const std::function<bool(const ReplayedCart&)>& such,
                                                      Watcher* watcher) {
  for (const auto& [due_ms, cart] : started_) {
    if (due_ms > until.ms) return std::nullopt;
    if (!such(*cart)) continue;
    const Timestamp due{due_ms};
    const std::string id(cart->cart.id);
    started_.erase({due_ms, cart});
    index_ = 0;
    tick.append_time = due;
    fire_one(tick, {}, id, watcher);
    const auto after = carts_.find(id);
    if (after != carts_.end() && after->second.wait.kind != WaitKind::none && !after->second.wait.due) {
      unlist(after->second);
      after->second.wait.due = due + after->second.wait.length;
      list(after->second);
    }
    return due;
  }
  return std::nullopt;
}

/// What is due, all taken before the first is decided: a wait that one of them sets is not among them.
void ReplayedPartition::fire(const Record& record, const ReadCommand& tick, Watcher* watcher) {
  std::vector<ReplayedCart*> due;
  while (!started_.empty() && started_.begin()->first <= position_.ticked.ms &&
         std::ssize(due) < limits::deadlines_per_tick) {
    due.push_back(started_.begin()->second);
    started_.erase(started_.begin());
  }
  for (const auto* cart : due) fire_one(record, tick, std::string(cart->cart.id), watcher);
}

void ReplayedPartition::fire_one(const Record& record, const ReadCommand& tick, const std::string& cart_id,
                                 Watcher* watcher) {
  ReadCommand command = tick;
  command.cart_id = cart_id;
  command.command.type = CommandType::clock_tick;
  command.command.data = DeadlineReached{carts_.find(cart_id)->second.wait.kind};
  Telling telling(record, &command, cart_id, watcher);
  this->command(telling);
  finish(telling);
}

void ReplayedPartition::release(const Record& record, std::string_view cart_id) {
  const auto found = carts_.find(cart_id);
  if (found == carts_.end() || found->second.trouble.none()) return;
  auto& cart = found->second;
  const bool quarantined = cart.trouble.quarantined();
  cart.trouble = {};
  if (!quarantined || cart.wait.kind == WaitKind::none) return;
  cart.wait = {cart.wait.kind, cart.wait.length, record.at.offset, std::nullopt};
  list(cart);
}

void ReplayedPartition::list(ReplayedCart& cart) {
  if (cart.wait.kind == WaitKind::none || cart.trouble.quarantined()) return;
  if (cart.wait.due) {
    started_.emplace(cart.wait.due->ms, &cart);
  } else {
    unstarted_.emplace(cart.wait.set_at, &cart);
  }
}

void ReplayedPartition::unlist(ReplayedCart& cart) {
  if (cart.wait.kind == WaitKind::none) return;
  if (cart.wait.due) {
    started_.erase({cart.wait.due->ms, &cart});
  } else {
    unstarted_.erase({cart.wait.set_at, &cart});
  }
}

// --- a command and its cart ----------------------------------------------------------------------------------------

void ReplayedPartition::command(Telling& t) {
  const auto found = carts_.find(t.cart_id);
  auto* live = found == carts_.end() ? nullptr : &found->second;
  if (live != nullptr && t.watcher != nullptr && t.watcher->wants_before()) t.before = *live;
  auto reason = withheld_ ? withheld_(t.record.at, t.cart_id) : std::nullopt;
  if (!reason && live != nullptr && live->trouble.quarantined()) reason = DeadLetterReason::quarantined;
  if (reason) return withhold(t, live, *reason);
  live != nullptr ? decide_live(t, *live) : decide_without_cart(t);
}

void ReplayedPartition::decide_live(Telling& t, ReplayedCart& live) {
  const auto& command = t.read->command;
  const auto c = context(t.record);
  switch (recognise(live.cart, command)) {
    case Seen::same: t.repeated = true; return conclude(t, live, {}, false);
    case Seen::other_body: {
      Decision refusal;
      refusal.events.emplace_back(CommandRejected{Code::id_reused, {}, false, {}, {}});
      return conclude(t, live, refusal, false);
    }
    case Seen::no: break;
  }
  if (concerns_session(live.cart, command) && live.session) {
    t.asked_session = true;
    const auto decision = decide(*live.session, command, c);
    evolve(*live.session, decision);
    return conclude(t, live, decision, is_remembered(command, decision));
  }
  const auto decision = decide(live.cart, command, c);
  conclude(t, live, decision, is_remembered(command, decision));
}

void ReplayedPartition::decide_without_cart(Telling& t) {
  const auto& command = t.read->command;
  t.ended = epitaph(t.cart_id);
  const auto decision =
      events::decide_without_cart(t.ended ? &*t.ended : nullptr, t.cart_id, command, context(t.record), carts());
  if (creates_cart(decision.events)) {
    auto& live = carts_.try_emplace(std::string(t.cart_id), t.cart_id).first->second;
    return conclude(t, live, decision, is_remembered(command, decision));
  }
  t.concern = decision.concern;
  for (const auto& event : decision.events) say(t, nullptr, event);
}

void ReplayedPartition::conclude(Telling& t, ReplayedCart& live, const Decision& decision, bool remember_it) {
  const auto c = context(t.record);
  auto opened = opened_session(decision.events, c, std::pmr::get_default_resource());
  t.concern = decision.concern;
  for (const auto& event : decision.events) {
    say(t, &live, event);
    evolve(live.cart, event, c);
    if (!t.events.empty()) t.events.back().sequence = live.cart.sequence;
  }
  const bool fired = t.read != nullptr && std::holds_alternative<DeadlineReached>(t.read->command.data);
  if (fired || decision.wait.change != WaitChange::Kind::keep) {
    unlist(live);
    live.wait = {};
  }
  if (decision.wait.change == WaitChange::Kind::set) {
    auto length = decision.wait.length;
    if (decision.wait.kind == WaitKind::idle && length == Millis{}) length = idle_length(live.cart, c);
    live.wait = {decision.wait.kind, length, t.record.at.offset, std::nullopt};
    list(live);
  }
  if (remember_it) remember(live.cart, t.read->command.fingerprint);
  const bool had = live.session.has_value();
  if (live.session && live.session->ledger.ended) live.session.reset();
  if (opened) live.session = std::move(opened);
  sessions_ += (live.session ? 1 : 0) - (had ? 1 : 0);
  if (live.cart.end) return bury(t, live);
  t.after = &live;
}

void ReplayedPartition::bury(Telling& t, ReplayedCart& live) {
  const auto& end = *live.cart.end;
  t.over = end.outcome;
  epitaphs_.add(
      hash_of(live.cart.id),
      {live.cart.created.offset, end.outcome, end.session, live.cart.sessions, live.cart.reservations, end.further},
      t.record.append_time);
  if (live.session) --sessions_;
  unlist(live);
  carts_.erase(carts_.find(std::string_view(live.cart.id)));
}

/// What nobody watches is not written, only counted.
void ReplayedPartition::say(Telling& t, const ReplayedCart* live, const Event& event) {
  const auto index = index_++;
  if (const auto* started = std::get_if<CartMergeStarted>(&event); started != nullptr && t.watcher != nullptr) {
    t.offered_to = started->into;
  }
  if (t.watcher == nullptr) return;
  ReplayedEvent said;
  said.type = type_of(event);
  said.index = index;
  if (const auto* rejected = std::get_if<CommandRejected>(&event)) said.code = rejected->code;
  Position created{partition_, t.ended ? t.ended->created : no_offset};
  if (live != nullptr) created = std::holds_alternative<CartCreated>(event) ? t.record.at : live->cart.created;
  append_event_data(said.data, event,
                    {engine_, t.cart_id, live != nullptr ? &live->cart : nullptr, created, t.record.append_time,
                     position_.settings, &t.read->command});
  t.events.push_back(std::move(said));
}

// --- what is not decided -------------------------------------------------------------------------------------------

void ReplayedPartition::dead_letter(Telling& t, DeadLetterReason reason, std::string_view id) {
  t.dead_letter = reason;
  const auto index = index_++;
  if (t.watcher == nullptr) return;
  const auto type = t.read != nullptr ? std::optional(t.read->command.type) : t.unreadable->type;
  const bool deadline = t.read != nullptr && std::holds_alternative<DeadlineReached>(t.read->command.data);
  ReplayedEvent said;
  said.type = EventType::command_dead_lettered;
  said.index = index;
  append_dead_lettered_data(said.data, reason, t.record.at, type ? name(*type) : std::string_view{}, id,
                            deadline ? t.cart_id : std::string_view{});
  t.events.push_back(std::move(said));
}

void ReplayedPartition::withhold(Telling& t, ReplayedCart* live, DeadLetterReason reason) {
  dead_letter(t, reason, t.read->command.id);
  t.after = live;
  if (live == nullptr || reason == DeadLetterReason::state_unreadable) return;
  const bool deadline = std::holds_alternative<DeadlineReached>(t.read->command.data);
  if (!deadline) unlist(*live);  // a deadline was taken off before
  if (reason == DeadLetterReason::quarantined) {
    live->trouble.add_quarantined(t.record.at.offset);
  } else {
    live->trouble.add_failure(t.record.append_time);
  }
  if (deadline && live->wait.kind != WaitKind::none) {  // a wait never gets lost: it begins again
    live->wait = {live->wait.kind, live->wait.length, t.record.at.offset, std::nullopt};
  }
  list(*live);
}

void ReplayedPartition::finish(Telling& t) {
  if (t.watcher == nullptr) return;
  Replayed told{t.record, t.read,       t.unreadable,  t.cart_id,  t.before ? &*t.before : nullptr,
                t.after,  t.ended,      t.over,        t.repeated, t.asked_session,
                t.events, t.offered_to, t.dead_letter, t.concern,  position_.settings};
  t.watcher->decided(told);
}

}  // namespace mayfly::tools
