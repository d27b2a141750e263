#include "tools/front_door/keyed_exchange.h"

#include "events/rules/identity.h"
#include "events/rules/words.h"
#include "tools/console/parsed_json.h"
#include "tools/records/caused_events.h"
#include "tools/records/record_text.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace mayfly::tools {

namespace {

constexpr events::Millis record_wait{1'000};  // for a command that the log has given before

}  // namespace

KeyedExchange::KeyedExchange(CommandExchange::Clients clients, std::unique_ptr<events::LogClient> log,
                             std::unique_ptr<KeyBook> book, const events::Clock& clock)
    : log_(std::move(log)), book_(std::move(book)), clock_(clock), exchange_(std::move(clients)), thread_([this] {
        run();
      }) {
  book_->follow();
}

KeyedExchange::~KeyedExchange() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (auto& repeat : repeats_) repeat.done({});
}

void KeyedExchange::send(OutgoingCommand command, events::Millis wait, Done done) {
  const auto key = book_->hash(command.key, command.source, command.id);
  const auto partition = events::partition_of(command.key, exchange_.partitions());
  std::unique_lock lock(mutex_);
  if (!in_flight_.insert(key).second) {
    lock.unlock();
    return done({KeyedOutcome::Kind::in_flight, {}});
  }
  auto and_no_more = [this, key, done = std::move(done)](KeyedOutcome outcome) {
    {
      const std::scoped_lock ended(mutex_);
      in_flight_.erase(key);
    }
    done(std::move(outcome));
  };
  if (book_->places(partition, key).empty()) {
    lock.unlock();
    return append(std::move(command), wait, std::move(and_no_more));
  }
  if (repeats_.size() < most_repeats) {
    repeats_.push_back({std::move(command), wait, std::move(and_no_more)});
    changed_.notify_one();
    return;
  }
  lock.unlock();
  KeyedOutcome full;
  full.outcome.status = {events::LogError::unavailable, "Too many repeated commands wait: try again in a second."};
  and_no_more(std::move(full));
}

/// It is noted before its key may be used again.
void KeyedExchange::append(OutgoingCommand&& command, events::Millis wait, Done&& done) {
  const auto key = book_->hash(command.key, command.source, command.id);
  exchange_.send(std::move(command), wait, [this, key, done = std::move(done)](CommandOutcome outcome) {
    if (outcome.status.ok()) book_->note(outcome.at, key);
    done({KeyedOutcome::Kind::answered, std::move(outcome)});
  });
}

void KeyedExchange::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return over_ || !repeats_.empty(); });
    if (over_) return;
    auto repeat = std::move(repeats_.front());
    repeats_.pop_front();
    lock.unlock();
    answer(std::move(repeat));
    lock.lock();
  }
}

KeyedExchange::Same KeyedExchange::is_same(const OutgoingCommand& command, events::Position at,
                                           events::LogStatus& status) {
  const auto fetched = log_->read(events::Stream::commands, at.partition, at.offset, {1, 1, record_wait});
  status = fetched.status;
  if (fetched.batch.records.empty()) return Same::no;
  const auto& record = fetched.batch.records.front();
  if (record.at != at || record.key != command.key || header(record, "ce_id") != command.id ||
      header(record, "ce_source") != command.source || events::has_passed(kept_for, record.append_time, clock_.now()))
    return Same::no;
  const auto body = std::string(record.value.value_or(""));
  const bool same = header(record, "ce_type") == ce_type_of(command) &&
                    (body == command.data || parsed_json(body) == parsed_json(command.data));
  return same ? Same::yes : Same::other_body;
}

/// The oldest command of the key says what the key stands for. One that was refused for the moment stands for nothing;
/// of one that came to nothing, as what another front door took at the same time, the later ones are looked at too.
void KeyedExchange::answer(Repeat&& repeat) {
  ++answered_;
  const auto partition = events::partition_of(repeat.command.key, exchange_.partitions());
  const auto key = book_->hash(repeat.command.key, repeat.command.source, repeat.command.id);
  std::optional<CommandOutcome> nothing;
  for (const auto offset : book_->places(partition, key)) {
    CommandOutcome outcome;
    outcome.at = {partition, offset};
    const auto same = is_same(repeat.command, outcome.at, outcome.status);
    if (!outcome.status.ok()) return repeat.done({KeyedOutcome::Kind::answered, std::move(outcome)});
    if (same == Same::no) continue;
    if (same == Same::other_body && !nothing) return repeat.done({KeyedOutcome::Kind::other_body, {}});
    auto result = result_of_command(*log_, outcome.at);
    outcome.status = result.status;
    if (!result.status.ok()) return repeat.done({KeyedOutcome::Kind::answered, std::move(outcome)});
    if (!result.decided) {
      exchange_.await(repeat.command, outcome.at, result, repeat.wait,
                      [done = std::move(repeat.done)](CommandOutcome awaited) {
                        done({KeyedOutcome::Kind::answered, std::move(awaited)});
                      });
      return;
    }
    if (is_refused_with(result.events, events::name(events::Code::try_later))) continue;
    outcome.decided = true;
    outcome.repeated = true;
    outcome.events = std::move(result.events);
    if (!outcome.events.empty()) return repeat.done({KeyedOutcome::Kind::answered, std::move(outcome)});
    if (!nothing) nothing = std::move(outcome);
  }
  if (nothing) return repeat.done({KeyedOutcome::Kind::answered, std::move(*nothing)});
  append(std::move(repeat.command), repeat.wait, std::move(repeat.done));
}

}  // namespace mayfly::tools
