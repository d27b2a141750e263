#include "rules/model/engine_side.h"

#include "events/rules/identity.h"

#include <algorithm>
#include <memory_resource>
#include <stdexcept>
#include <vector>

namespace mayfly::model {

using namespace events;

namespace {

void change(Settings& settings, const std::string& name, std::int64_t value) {
  const std::map<std::string, Millis*> lengths = {{"cart_idle", &settings.cart_idle},
                                                  {"cart_life", &settings.cart_life},
                                                  {"reservation_wait", &settings.reservation_wait},
                                                  {"authorization_wait", &settings.authorization_wait},
                                                  {"pending_wait", &settings.pending_wait},
                                                  {"refund_wait", &settings.refund_wait},
                                                  {"action_wait", &settings.action_wait},
                                                  {"action_total", &settings.action_total},
                                                  {"capture_wait", &settings.capture_wait},
                                                  {"cancel_wait", &settings.cancel_wait},
                                                  {"capture_retry_1", &settings.capture_retry[0]},
                                                  {"capture_retry_2", &settings.capture_retry[1]},
                                                  {"request_answer", &settings.request_answer},
                                                  {"status_try_1", &settings.status_try[0]},
                                                  {"status_try_2", &settings.status_try[1]},
                                                  {"status_try_3", &settings.status_try[2]},
                                                  {"status_try_4", &settings.status_try[3]},
                                                  {"retry_after", &settings.retry_after}};
  const auto length = lengths.find(name);
  if (length != lengths.end()) {
    length->second->count = value;
  } else if (name == "status_tries") {
    settings.status_tries = static_cast<std::int32_t>(value);
  } else if (name == "status_tries_order_placed") {
    settings.status_tries_order_placed = static_cast<std::int32_t>(value);
  } else if (name == "admission_closed") {
    settings.admission_closed = value != 0;
  } else if (name == "live_carts") {
    settings.live_carts = value;
  } else {
    throw std::logic_error("no setting of that name: " + name);
  }
}

template <class T>
T readable(std::variant<T, Unsupported> decoded) {
  if (const auto* unsupported = std::get_if<Unsupported>(&decoded)) throw std::runtime_error(unsupported->message);
  return std::get<T>(std::move(decoded));
}

}  // namespace

EngineSide::Live::Live(const std::string& id) : cart(std::pmr::get_default_resource()) { cart.id = id; }

EngineSide::EngineSide(std::size_t epitaphs, bool sleeps)
    : sleeps_(sleeps), epitaphs_(static_cast<std::int64_t>(epitaphs), static_cast<std::int64_t>(epitaphs)) {}

std::vector<std::string> EngineSide::take(const Step& step) {
  out_.clear();
  writes_.clear();
  if (step.type == "clock.tick") {
    tick(step);
    for (auto& [id, live] : live_) tell_wait(id, live);
  } else {
    if (const auto reason = dead_letter(step)) {
      out_.push_back(*reason);
    } else {
      invariants_.heard(step);
      command(step);
    }
    if (const auto live = live_.find(step.cart); live != live_.end()) tell_wait(step.cart, live->second);
  }
  for (auto& [id, live] : live_) {
    if (step.type == "clock.tick" || id == step.cart) invariants_.look(live.cart, live.session, live.wait);
    if (sleeps_ && id == step.cart) sleep_and_wake(live);
  }
  out_.insert(out_.end(), writes_.begin(), writes_.end());
  return out_;
}

std::optional<std::string> EngineSide::dead_letter(const Step& step) {
  if (!step.record) return std::nullopt;
  constexpr std::int32_t partitions = 2;
  const auto& r = *step.record;
  std::string value = r.data_is_object ? "{}" : "[]";
  if (r.of_64_kib || r.over_64_kib)
    value.resize(static_cast<std::size_t>(limits::data_bytes) + (r.over_64_kib ? 1 : 0), ' ');
  const std::string key = r.key_is_cart_id ? step.cart : step.cart + "\x01";
  const std::string type = "dev.mayfly." + (r.type_known ? r.type : "cart.fly") + ".v1";
  std::vector<Header> headers = {
      {"ce_specversion", r.specversion}, {"ce_id", step.id}, {"ce_source", r.source}, {"ce_type", type}};
  if (!r.subject.empty()) headers.push_back({"ce_subject", r.subject});
  events::Record record;
  const auto home = partition_of(key, partitions);
  record.at = {r.right_partition ? home : 1 - home, step.offset};
  record.key = key;
  record.value = value;
  record.headers = headers;
  if (!reader_) reader_.emplace("shop", partitions);
  std::pmr::monotonic_buffer_resource arena;
  auto settings = settings_;
  settings.reply_sources = SourcePatterns::from(r.reply_sources).value();
  const auto read = reader_->read(record, settings, &arena);
  if (const auto* unreadable = std::get_if<Unreadable>(&read)) {
    return "dead letter " + std::string(name(unreadable->reason));
  }
  return r.type == "cart.cancel" ? std::nullopt : std::optional<std::string>("read");
}

// decisions.md 3, as the partition's supervisor does it.
void EngineSide::tick(const Step& step) {
  const auto ignored = [&] { out_.emplace_back("alert tick ignored"); };
  if (!step.at || std::abs(*step.at - step.time) > limits::tick_skew.count) return ignored();
  ticked_ = std::max(ticked_, Timestamp{step.time});
  for (const auto& [name, value] : step.settings) change(settings_, name, value);
  const auto through = std::min(step.through, step.offset - 1);
  std::vector<std::pair<Timestamp, std::string>> due;
  for (auto& [id, live] : live_) {
    if (!live.wait.due && live.wait.set_at <= through) live.wait.due = ticked_ + live.wait.length;
    if (live.wait.due && *live.wait.due <= ticked_) due.emplace_back(*live.wait.due, id);
  }
  std::sort(due.begin(), due.end());
  if (std::ssize(due) > limits::deadlines_per_tick) due.resize(static_cast<std::size_t>(limits::deadlines_per_tick));
  for (const auto& [time, id] : due) deadline(id, step);
  epitaphs_.forget(ticked_);
}

void EngineSide::deadline(const std::string& id, const Step& step) {
  Command command{CommandType::clock_tick, DeadlineReached{live_.at(id).wait.kind}, "tick", {}};
  live_.at(id).wait = {};
  by_cart(id, command, step);
}

void EngineSide::command(const Step& step) {
  KeptViews kept;
  auto command = command_of(step, kept);
  if (is_shop_command(command.type)) {
    command.fingerprint = fingerprinter_.of("shop", step.id, command.type, command.data);
  }
  if (live_.count(step.cart) != 0) return by_cart(step.cart, command, step);
  const auto ended = epitaphs_.find(hash_of(step.cart));
  const auto c = context(step);
  const auto decision = decide_without_cart(ended ? &*ended : nullptr, step.cart, command, c, std::ssize(live_));
  if (creates_cart(decision.events)) {
    live_.try_emplace(step.cart, step.cart);
    invariants_.created(step.cart);
    return conclude(step.cart, command, decision, c, is_remembered(command, decision));
  }
  for (const auto& event : decision.events) {
    out_.push_back(line_of(step.cart, nullptr, event));
    invariants_.said_without_state(step.cart, event);
  }
  tell_answer(step.cart, command, decision);
  tell_concern(decision.concern);
}

void EngineSide::by_cart(const std::string& id, const Command& command, const Step& step) {
  auto& live = live_.at(id);
  const auto c = context(step);
  switch (recognise(live.cart, command)) {
    case Seen::same: return;
    case Seen::other_body: {
      Decision refusal;
      refusal.events.emplace_back(CommandRejected{Code::id_reused, {}, false, {}, {}});
      return conclude(id, command, refusal, c, false);
    }
    case Seen::no: break;
  }
  if (concerns_session(live.cart, command)) {
    const auto decision = decide(*live.session, command, c);
    evolve(*live.session, decision);
    return conclude(id, command, decision, c, is_remembered(command, decision));
  }
  const auto decision = decide(live.cart, command, c);
  tell_answer(id, command, decision);
  conclude(id, command, decision, c, is_remembered(command, decision));
}

// As CartActor concludes a task, and the supervisor settles it.
void EngineSide::conclude(const std::string& id, const Command& command, const Decision& decision, const Context& c,
                          bool remember_it) {
  auto& live = live_.at(id);
  auto opened = opened_session(decision.events, c, std::pmr::get_default_resource());
  for (const auto& event : decision.events) {
    out_.push_back(line_of(id, &live.cart, event));
    if (const auto* started = std::get_if<CartMergeStarted>(&event)) {
      writes_.push_back(offer_text(live.cart, started->into, c.at.offset));
    }
    evolve(live.cart, event, c);
    invariants_.said(live.cart, event);
  }
  tell_concern(decision.concern);
  if (decision.wait.change == WaitChange::Kind::set) {
    auto length = decision.wait.length;
    if (decision.wait.kind == WaitKind::idle && length == Millis{}) length = idle_length(live.cart, c);
    live.wait = {decision.wait.kind, length, c.at.offset, std::nullopt};
  }
  if (decision.wait.change == WaitChange::Kind::clear) live.wait = {};
  if (remember_it) remember(live.cart, command.fingerprint);
  if (live.session && live.session->ledger.ended) live.session.reset();
  if (opened) live.session = std::move(opened);
  if (live.cart.end) {
    const auto& end = *live.cart.end;
    epitaphs_.add(
        hash_of(id),
        {live.cart.created.offset, end.outcome, end.session, live.cart.sessions, live.cart.reservations, end.further},
        c.time);
    invariants_.ended(id, live.session.has_value());
    live_.erase(id);
  }
}

void EngineSide::tell_concern(Concern concern) {
  switch (concern) {
    case Concern::none: return;
    case Concern::payment_unresolved: return void(out_.emplace_back("alert unresolved"));
    case Concern::rejected_after_order: return void(out_.emplace_back("alert rejected after the order"));
    case Concern::payment_unmatched: return void(out_.emplace_back("alert unmatched"));
    case Concern::merge_over: return void(out_.emplace_back("alert merge over"));
  }
}

void EngineSide::tell_answer(const std::string& id, const Command& command, const Decision& decision) {
  if (const auto answer = answer_to_offer(command, decision.events)) writes_.push_back(answer_text(id, *answer));
}

void EngineSide::sleep_and_wake(Live& live) {
  std::string cart;
  std::string session;
  std::string whole;
  append_cart(cart, live.cart);
  if (live.session) append_session(session, *live.session);
  append_snapshot(whole, live.wait, cart, session);
  const auto parts = readable(split_snapshot(whole));
  live.cart = readable(decode_cart(std::string(live.cart.id), parts.cart, std::pmr::get_default_resource()));
  live.session.reset();
  if (!parts.session.empty()) live.session = readable(decode_session(parts.session, std::pmr::get_default_resource()));
  const auto set_at = live.wait.set_at;
  live.wait = parts.wait;
  live.wait.set_at = set_at;  // of no use once the wait has started, and not kept then
}

void EngineSide::tell_wait(const std::string& id, const Live& live) {
  const auto& w = live.wait;
  out_.push_back(id + " waits " + std::string(name(w.kind)) + " " + std::to_string(w.length.count) +
                 (w.due ? " until " + std::to_string(w.due->ms) : " since @" + std::to_string(w.set_at)));
}

}  // namespace mayfly::model
