#include "tools/records/command_exchange.h"

#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "events/state/snapshot.h"
#include "events/text/event_id.h"
#include "tools/console/numbers.h"
#include "tools/console/parsed_json.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace mayfly::tools {

namespace {

constexpr events::Millis read_wait{20};          // for new records, of all partitions that are waited in
constexpr events::Millis pause_wait{100};        // where the log does not answer
constexpr std::int64_t read_on_records = 5'000;  // that are read on over rather than to begin anew behind them

bool lies_shortly_before(events::Offset one, events::Offset other) {
  return one <= other && other - one <= read_on_records;
}

/// Of a cart that is over the engine remembers no commands: it refuses every one, repeated or not.
bool says_that_the_cart_is_over(const std::vector<CausedEvent>& events) {
  return is_refused_with(events, events::name(events::Code::cart_ended)) ||
         is_refused_with(events, events::name(events::Code::already_converted));
}

}  // namespace

CommandExchange::CommandExchange(Clients clients)
    : partitions_(clients.writer->partitions()),
      clients_(std::move(clients)),
      looking_back_([this] { look_back(); }),
      reading_([this] { read(); }),
      writing_([this] { write(); }) {}

CommandExchange::~CommandExchange() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  to_write_.notify_all();
  to_read_.notify_all();
  to_look_back_.notify_all();
  writing_.join();
  reading_.join();
  looking_back_.join();
  for (auto& [partition, place] : arriving_) {
    for (auto& w : place.waiting) w.done(std::move(w.outcome));
  }
}

void CommandExchange::send(OutgoingCommand command, events::Millis wait, Done done) {
  const auto until = Steady::now() + std::chrono::milliseconds(wait.count);
  {
    const std::scoped_lock lock(mutex_);
    if (!over_ && queued_.size() < most_queued) {
      queued_.push_back({std::move(command), until, wait.count > 0, std::move(done)});
      to_write_.notify_one();
      return;
    }
  }
  CommandOutcome refused;
  refused.status = {events::LogError::unavailable, "Too many commands wait to be appended: try again in a second."};
  done(std::move(refused));
}

void CommandExchange::await(const OutgoingCommand& command, events::Position at, const CommandResult& by_then,
                            events::Millis wait, Done done) {
  CommandOutcome outcome;
  outcome.at = at;
  if (wait.count == 0) return done(std::move(outcome));
  Place place{by_then.next_event, by_then.next_state, 0, {}};
  const auto until = Steady::now() + std::chrono::milliseconds(wait.count);
  place.waiting.push_back({command.key, command.id, until, std::move(done), std::move(outcome)});
  const std::scoped_lock lock(mutex_);
  arriving_.emplace_back(at.partition, std::move(place));
  to_read_.notify_one();
}

void CommandExchange::write() {
  std::unique_lock lock(mutex_);
  for (;;) {
    to_write_.wait(lock, [this] { return over_ || !queued_.empty(); });
    if (queued_.empty()) return;
    std::deque<Queued> now;
    const auto count = std::min(queued_.size(), most_at_once);
    std::move(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(now));
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<std::ptrdiff_t>(count));
    lock.unlock();
    append(std::move(now));
    lock.lock();
  }
}

/// Where events and state end is noted before: what a command comes to lies behind.
void CommandExchange::append(std::deque<Queued>&& now) {
  std::map<events::Partition, Place> places;
  events::LogStatus status;
  for (const auto& q : now) {
    const auto partition = events::partition_of(q.command.key, partitions_);
    if (!q.waits || places.contains(partition) || !status.ok()) continue;
    const auto events_end = clients_.writer->ends(events::Stream::events, partition);
    const auto state_end = clients_.writer->ends(events::Stream::state, partition);
    status = events_end.status.ok() ? state_end.status : events_end.status;
    places[partition] = {events_end.end, state_end.end, 0, {}};
  }
  CommandWriter commands(*clients_.writer);
  for (auto& q : now) {
    if (status.ok()) status = commands.write(q.command);
  }
  if (status.ok()) status = commands.flush();
  for (std::size_t i = 0; i < now.size(); ++i) {
    auto& q = now[i];
    CommandOutcome outcome;
    outcome.status = status;
    if (status.ok()) outcome.at = commands.last()[i];
    if (status.ok() && q.waits) {
      auto& waiting = places[outcome.at.partition].waiting;
      waiting.push_back(
          {std::move(q.command.key), std::move(q.command.id), q.until, std::move(q.done), std::move(outcome)});
    } else {
      q.done(std::move(outcome));
    }
  }
  if (places.empty() || !status.ok()) return;
  const std::scoped_lock lock(mutex_);
  for (auto& [partition, place] : places) arriving_.emplace_back(partition, std::move(place));
  to_read_.notify_one();
}

void CommandExchange::read() {
  std::map<events::Partition, Place> places;
  std::ptrdiff_t waited_in = 0;  // of them
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto called = [this] { return over_ || !arriving_.empty(); };
      if (waited_in == 0 && !to_read_.wait_for(lock, std::chrono::milliseconds(rest_after.count), called)) {
        lock.unlock();
        if (clients_.reader) clients_.reader->rest();
        places.clear();
        lock.lock();
        to_read_.wait(lock, called);
      }
      if (over_) break;
      take_arriving(places);
    }
    waited_in = std::count_if(places.begin(), places.end(), [](const auto& at) { return !at.second.waiting.empty(); });
    for (auto& [partition, place] : places) {
      if (!place.waiting.empty()) look_at(partition, place, {std::max<std::int64_t>(read_wait.count / waited_in, 1)});
    }
    waited_in = std::count_if(places.begin(), places.end(), [](const auto& at) { return !at.second.waiting.empty(); });
  }
  for (auto& [partition, place] : places) {
    for (auto& w : place.waiting) w.done(std::move(w.outcome));
  }
}

/// Where nobody waits any longer it is read on from where it was read last, so that nothing is opened anew.
void CommandExchange::take_arriving(std::map<events::Partition, Place>& places) {
  for (auto& [partition, place] : arriving_) {
    const auto [at, is_new] = places.try_emplace(partition);
    auto& known = at->second;
    const bool goes_on =
        !is_new && (!known.waiting.empty() || (lies_shortly_before(known.next_event, place.next_event) &&
                                               lies_shortly_before(known.next_state, place.next_state)));
    if (goes_on) {
      known.waiting.splice(known.waiting.end(), place.waiting);
    } else {
      known = std::move(place);
    }
  }
  arriving_.clear();
}

/// State first: the events of what it says to be decided are then there to be read.
void CommandExchange::look_at(events::Partition partition, Place& place, events::Millis wait) {
  const auto state = clients_.reader->read(events::Stream::state, partition, place.next_state, read_at_once);
  for (const auto& record : state.batch.records) {
    if (record.key != events::position_key || !record.value) continue;
    const auto position = events::decode_position(*record.value);
    if (const auto* at = std::get_if<events::PositionRecord>(&position)) place.decided = at->next;
  }
  if (state.status.ok()) place.next_state = state.next;
  events::PollLimits limits = read_at_once;
  limits.wait = state.status.ok() ? wait : pause_wait;
  const auto fetched = clients_.reader->read(events::Stream::events, partition, place.next_event, limits);
  for (const auto& record : fetched.batch.records) {
    // By the command's place too: two that wait may have one id.
    const auto cause = header(record, "ce_causationid");
    const auto offset = events::cause_offset(header(record, "ce_id"));
    const auto found = std::find_if(place.waiting.begin(), place.waiting.end(), [&](const Waiting& w) {
      return w.outcome.at.offset == offset && w.id == cause && w.cart == record.key;
    });
    if (found != place.waiting.end()) found->outcome.events.push_back(caused_event(record));
  }
  if (fetched.status.ok()) place.next_event = fetched.next;
  const bool at_end = fetched.status.ok() && fetched.batch.records.empty();
  const auto last_cause = at_end || fetched.batch.records.empty()
                              ? std::string()
                              : std::string(header(fetched.batch.records.back(), "ce_causationid"));
  const auto now = Steady::now();
  for (auto at = place.waiting.begin(); at != place.waiting.end();) {
    auto& w = *at;
    if (w.outcome.events.empty() && w.outcome.at.offset < place.decided && w.events_by_then < 0) {
      const auto ends = clients_.reader->ends(events::Stream::events, partition);
      if (ends.status.ok()) w.events_by_then = ends.end;
    }
    // What one command comes to is committed at once and lies together.
    const bool whole = !w.outcome.events.empty() && (at_end || last_cause != w.id);
    const bool nothing_new = w.outcome.events.empty() && w.events_by_then >= 0 && place.next_event >= w.events_by_then;
    if (nothing_new || (whole && says_that_the_cart_is_over(w.outcome.events))) {
      const std::scoped_lock lock(mutex_);
      looked_back_for_.splice(looked_back_for_.end(), place.waiting, at++);
      to_look_back_.notify_one();
      continue;
    }
    w.outcome.decided = whole;
    if (whole || now >= w.until) {
      w.done(std::move(w.outcome));
      at = place.waiting.erase(at);
    } else {
      ++at;
    }
  }
}

/// One after the other; those for whom the log does not answer in turn.
void CommandExchange::look_back() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (looked_back_for_.empty()) {
      lock.unlock();
      if (clients_.history) clients_.history->rest();
      lock.lock();
    }
    to_look_back_.wait(lock, [this] { return over_ || !looked_back_for_.empty(); });
    if (over_) break;
    std::list<Waiting> one;
    one.splice(one.end(), looked_back_for_, looked_back_for_.begin());
    lock.unlock();
    auto& w = one.front();
    ++look_backs_;
    w.outcome.decided = find_earlier(w);
    const bool done = w.outcome.decided || Steady::now() >= w.until;
    if (done) w.done(std::move(w.outcome));
    lock.lock();
    if (done) continue;
    looked_back_for_.splice(looked_back_for_.end(), one);
    to_look_back_.wait_for(lock, std::chrono::milliseconds(pause_wait.count), [this] { return over_; });
  }
  while (!looked_back_for_.empty()) {
    std::list<Waiting> one;
    one.splice(one.end(), looked_back_for_, looked_back_for_.begin());
    lock.unlock();
    one.front().done(std::move(one.front().outcome));
    lock.lock();
  }
}

/// Perhaps its own events were read before it was known that somebody waits for them. Or the engine had decided a
/// command of that id before: then its events are those of the first one. False where the log does not answer: what
/// came of the command is then not known yet.
bool CommandExchange::find_earlier(Waiting& w) {
  const auto partition = w.outcome.at.partition;
  const auto ends = clients_.history->ends(events::Stream::events, partition);
  if (!ends.status.ok()) return false;
  const auto own_place = std::to_string(w.outcome.at.partition) + "-" + std::to_string(w.outcome.at.offset);
  std::vector<CausedEvent> own;
  std::vector<CausedEvent> earlier;
  auto next = std::max(ends.first, ends.end - look_back_records);
  while (next < ends.end) {
    const auto fetched = clients_.history->read(events::Stream::events, partition, next, read_at_once);
    if (!fetched.status.ok()) return false;
    if (fetched.next <= next) break;
    for (const auto& record : fetched.batch.records) {
      const auto place = events::cause_place(header(record, "ce_id"));
      if (record.key != w.cart || header(record, "ce_causationid") != w.id) continue;
      auto& into = place == own_place ? own : earlier;
      if (into.empty() || events::cause_place(into.front().id) == place) into.push_back(caused_event(record));
    }
    next = fetched.next;
  }
  if (!own.empty()) w.outcome.events = std::move(own);
  const bool refused = says_that_the_cart_is_over(w.outcome.events);
  if (earlier.empty() || (!w.outcome.events.empty() && !refused)) return true;
  const auto offset = events::cause_offset(earlier.front().id);
  const auto same = offset ? is_the_same_command({partition, *offset}, w.outcome.at, refused) : false;
  if (!same || !*same) return same.has_value();
  w.outcome.events = std::move(earlier);
  w.outcome.repeated = true;
  return true;
}

std::optional<bool> CommandExchange::is_the_same_command(events::Position one, events::Position other,
                                                         bool to_the_letter) {
  bool answers = true;
  const auto of = [&](events::Position at) {
    auto fetched = clients_.history->read(events::Stream::commands, at.partition, at.offset, {1, 1, pause_wait});
    answers = answers && fetched.status.ok();
    const auto& records = fetched.batch.records;
    const bool there = fetched.status.ok() && !records.empty() && records.front().at == at;
    if (!there) return std::string();
    auto said = std::string(header(records.front(), "ce_source")) + " ";
    if (!to_the_letter) return said;
    said += std::string(header(records.front(), "ce_type")) + " ";
    return said + std::string(records.front().value.value_or(""));
  };
  const auto text = of(one);
  const bool same = !text.empty() && text == of(other);
  return answers ? std::optional(same) : std::nullopt;
}

}  // namespace mayfly::tools
