#include "adapters/kafka/kafka_log.h"

#include "adapters/kafka/kafka_hanging.h"
#include "adapters/kafka/kafka_limits.h"
#include "adapters/kafka/kafka_rights.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace mayfly::adapters {

using events::CommitOutcome;
using events::LogError;
using events::LogStatus;
using events::Partition;
using events::Stream;
using SteadyClock = std::chrono::steady_clock;

namespace {

std::chrono::milliseconds span(events::Millis m) { return std::chrono::milliseconds(m.count); }

}  // namespace

std::unique_ptr<KafkaLog> KafkaLog::open(const KafkaOptions& options, std::int32_t partitions_if_new,
                                         std::string_view engine, LogStatus& status) {
  std::unique_ptr<KafkaLog> log(new KafkaLog(options, kafka::identity_of(engine, options)));
  status = kafka::topics_of(options, partitions_if_new, log->topics_);
  if (!status.ok()) return nullptr;
  status = kafka::check_rights(options);
  if (!status.ok()) return nullptr;
  log->reader_ = kafka::Reader::make(options, log->topics_.partitions, status);
  if (!log->reader_) return nullptr;
  const auto batch_bytes = log->topics_.least_limit_bytes();
  log->transactions_.bound_batches(batch_bytes);
  log->ticks_.bound_batches(batch_bytes);
  log->alerts_.bound_batches(batch_bytes);
  auto error = log->transactions_.begin_anew_if_needed();
  // Fenced before it has done anything: its beginning crossed the end of a predecessor's transaction, or another start.
  if (error.fenced()) error = log->transactions_.begin_anew_if_needed();
  if (error.denied()) {
    const auto& id = log->identity_.transactional_id;
    status = {LogError::invalid, kafka::missing_right(options, "Write", "transactional-id", id)};
    return nullptr;
  }
  if (!error.ok()) {
    status = error.status("beginning transactions as '" + log->identity_.transactional_id + "' at " + options.brokers);
    return nullptr;
  }
  if (!log->join(status)) return nullptr;
  status.message = log->topics_.warning;
  return log;
}

KafkaLog::KafkaLog(const KafkaOptions& options, const kafka::Identity& identity)
    : options_(options),
      identity_(identity),
      transactions_(options, identity),
      lowered_(options_),
      ticks_(options),
      alerts_(options, kafka::Appender::Keeps::for_ever),
      presence_(options_) {}

KafkaLog::~KafkaLog() = default;

// --- membership ----------------------------------------------------------------------------------------------------

bool KafkaLog::join(LogStatus& status) {
  kafka::Member::Hooks hooks;
  hooks.given = [this](auto partitions, auto group) { given(std::move(partitions), std::move(group)); };
  hooks.leaving = [this] { wait_for_commit(); };
  auto member = kafka::Member::join(options_, identity_, std::move(hooks), reader_->waker(), status);
  if (!member) return false;
  member_ = std::move(member);
  ++joins_;
  return true;
}

/// Fenced while the group has given it nothing: an earlier request of its own to join, whose answer was lost, may have
/// taken its place. Another engine of that name that serves by now ends with that; of two that start at once one does.
bool KafkaLog::joined_again(const kafka::Error& error, events::Polled& polled) {
  constexpr int most_joins = 4;
  {
    std::scoped_lock lock(mutex_);
    if (!error.fenced() || settled_ || joins_ >= most_joins) return false;
  }
  return join(polled.status);
}

/// From the member's poll: what the group has given us, or that it takes all back (none given).
void KafkaLog::given(std::vector<Partition> partitions, std::shared_ptr<rd_kafka_consumer_group_metadata_t> group) {
  figures_.rebalanced();
  lanes_.clear();
  std::scoped_lock lock(mutex_);
  for (const auto p : assigned_) {
    lost_.push_back(p);
    figures_.not_ours(p);
  }
  std::erase_if(partitions, [this](Partition p) {
    if (p < topics_.partitions) return false;
    over_ = {LogError::invalid,
             "Topic " + options_.topic(Stream::commands) + " has more than the " + std::to_string(topics_.partitions) +
                 " partitions it had: carts would be looked for in the wrong place. Partition counts cannot be "
                 "changed; begin with new topics."};
    return true;
  });
  taken_ = partitions;
  assigned_ = std::move(partitions);
  started_.clear();
  settled_ = group != nullptr;
  if (settled_) joins_ = 0;
  if (settled_ && assigned_.empty()) presence_.doubt();  // others have them all, or the topic is gone
  group_ = std::move(group);
}

/// The transaction under way still counts if it ends before the partitions go to another.
void KafkaLog::wait_for_commit() { const std::unique_lock turn(commit_turn_, span(options_.transaction_timeout)); }

void KafkaLog::end_of_membership(const kafka::Error& error, events::Polled& polled) {
  lanes_.clear();
  std::scoped_lock lock(mutex_);
  if (error.fenced()) {
    over_ = {LogError::owned, "Another engine has joined the group '" + identity_.group + "' as instance '" +
                                  identity_.instance +
                                  "'. Give each engine an instance name of its own (kafka.instance)."};
  } else if (error.code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
    over_ = {LogError::invalid, kafka::missing_right(options_, "Read", "group", identity_.group)};
  } else {
    over_ = error.status("taking part in the group '" + identity_.group + "'");
  }
  polled.lost.insert(polled.lost.end(), assigned_.begin(), assigned_.end());
  assigned_.clear();
  taken_.clear();
  started_.clear();
}

/// What became of ownership since the last poll. True if there is anything to tell.
bool KafkaLog::take_changes(events::Polled& polled) {
  const auto error = member_->poll();
  if (!error.ok() && !joined_again(error, polled)) end_of_membership(error, polled);
  bool fenced = false;
  {
    std::scoped_lock lock(mutex_);
    fenced = std::exchange(fenced_, false);
  }
  // A transaction may be fenced by a successor, or by brokers that timed it out: then we are still who we were.
  if (fenced && member_->replaced()) end_of_membership(kafka::Error(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID), polled);
  std::scoped_lock lock(mutex_);
  if (std::exchange(gave_up_, false)) {
    lanes_.clear();
    started_.clear();
    taken_ = assigned_;
  }
  polled.lost.insert(polled.lost.end(), lost_.begin(), lost_.end());
  lost_.clear();
  if (!gone_) polled.taken = std::exchange(taken_, {});
  polled.settled = settled_;
  if (!over_.ok()) polled.status = over_;
  return !polled.lost.empty() || !polled.taken.empty() || !polled.status.ok();
}

// --- reading -------------------------------------------------------------------------------------------------------

events::Polled KafkaLog::poll(const events::PollLimits& limits) {
  events::Polled polled;
  const auto until = SteadyClock::now() + span(limits.wait);
  restorer_.reset();
  hear_clients();
  while (!take_changes(polled) && !gather(limits, polled)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (left <= 0) break;
    if (!reader_->waker().wait({left})) nudge_reader();
  }
  if (!polled.batch.records.empty()) {
    nudged_ = false;
    presence_.answered();
    reader_->waker().found();
  }
  if (polled.status.ok() && polled.batch.records.empty()) watch_presence(polled);
  return polled;
}

/// Once where nothing comes although a partition is known to have more: then as much was read ahead as may be.
void KafkaLog::nudge_reader() {
  constexpr events::Millis by_itself_after{1'000};
  const auto waits = std::find_if(lanes_.begin(), lanes_.end(), [](const auto& one) {
    const auto& lane = *one.second;
    return lane.has_given() && !lane.at_end() && lane.next() < lane.high_watermark();
  });
  if (nudged_ || waits == lanes_.end()) return;
  nudged_ = true;
  reader_->nudge(Stream::commands, waits->first, by_itself_after);
}

/// What a client has to say it keeps until it is asked. A producer that is at work is asked the next time.
void KafkaLog::hear_clients() {
  reader_->serve();
  if (const std::unique_lock turn(commit_turn_, std::try_to_lock); turn) transactions_.serve();
  if (const std::unique_lock turn(append_mutex_, std::try_to_lock); turn) {
    ticks_.serve();
    alerts_.serve();
  }
}

/// Whether brokers answer and the topics are there. While topics are gone no partition is ours; those that are back are
/// read anew, from what is committed then.
void KafkaLog::watch_presence(events::Polled& polled) {
  const bool reader_doubts = reader_->listener().take_doubt();
  if (member_->take_doubt() || reader_doubts) presence_.doubt();
  const auto& answer = presence_.look(member_->client(), member_->topics(), *member_);
  polled.status = answer.status;
  if (!answer.gone) {
    gone_ = gone_ && !answer.status.ok();
    return;
  }
  if (std::exchange(gone_, true)) return;
  lanes_.clear();
  std::scoped_lock lock(mutex_);
  polled.lost.insert(polled.lost.end(), assigned_.begin(), assigned_.end());
  for (const auto p : assigned_) figures_.not_ours(p);
  taken_ = assigned_;
  started_.clear();
}

/// Each started partition its share of the limits, so that none waits for another's backlog.
bool KafkaLog::gather(const events::PollLimits& limits, events::Polled& polled) {
  const std::size_t count = std::max<std::size_t>(lanes_.size(), 1);
  for (auto& [p, lane] : lanes_) {
    std::size_t records = std::max<std::size_t>(limits.records / count, 1);
    std::size_t bytes = std::max<std::size_t>(limits.bytes / count, 1);
    lane->take(records, bytes, polled.batch);
    if (auto skipped = lane->take_skipped()) polled.skipped.push_back(std::move(*skipped));
    if (const auto error = lane->take_error(); !error.ok()) {
      polled.status =
          error.status("reading partition " + std::to_string(p) + " of " + options_.topic(Stream::commands));
    }
    const auto unread = std::max<std::int64_t>(lane->high_watermark() - lane->next(), 0);
    events::PartitionFigures of_it{.partition = p, .lag_records = unread, .pending_records = 0};
    if (lane->at_end()) {
      of_it.pending_records = unread;
      of_it.stable_offset = lane->next();
    }
    figures_.ours(of_it);
  }
  return !polled.batch.records.empty() || !polled.skipped.empty() || !polled.status.ok();
}

events::Restored KafkaLog::restore(Partition partition,
                                   const std::function<void(events::Bytes, events::Bytes)>& state) {
  events::Restored restored;
  lanes_.erase(partition);
  {
    std::scoped_lock lock(mutex_);
    started_.erase(partition);
  }
  kafka::Error error;
  {
    // Ends a transaction that a thrown away producer of ours left open: its positions would be waited for.
    const std::scoped_lock turn(commit_turn_);
    error = transactions_.begin_anew_if_needed();
  }
  if (error.fenced()) {  // by whom is found out by the next poll
    std::scoped_lock lock(mutex_);
    fenced_ = true;
    restored.status = {LogError::unavailable, error.status("restoring partition " + std::to_string(partition)).message};
    return restored;
  }
  events::Offset committed = -1;
  const auto patience = patience_with(partition);
  const auto until = SteadyClock::now() + span(patience);
  if (error.ok()) {
    do {
      error = member_->committed(partition, std::min(patience, options_.request_limit), committed);
    } while (!error.ok() && error.unavailable() && SteadyClock::now() < until);
    if (error.code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
      error.message += ". " + kafka::how_to_find_among_positions(options_.brokers);
    }
  }
  if (error.ok()) error = read_state(partition, state);
  events::StreamEnds commands;  // as of after the state, which tells of none that come later
  if (error.ok()) error = reader_->ends(Stream::commands, partition, commands);
  if (error.code == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    held_up_.insert(partition);
  } else {
    held_up_.erase(partition);
  }
  if (!error.ok()) {
    if (error.unknown_topic()) presence_.doubt();
    restored.status = error.status("restoring partition " + std::to_string(partition));
    return restored;
  }
  restored.next = std::max<events::Offset>(committed, 0);
  restored.has_committed = committed >= 0;
  restored.first = commands.first;
  restored.end = commands.end;
  return restored;
}

/// All of the state's partition up to where it now ends, pending transactions waited for, the newest record per key.
kafka::Error KafkaLog::read_state(Partition partition, const std::function<void(events::Bytes, events::Bytes)>& state) {
  if (!restorer_) {
    LogStatus status;
    auto options = options_;
    options.properties["fetch.wait.max.ms"] = "5";                         // the end is to be seen soon
    restorer_ = kafka::Reader::make(options, topics_.partitions, status);  // it has the share of the lane that is away
    if (!restorer_) return {RD_KAFKA_RESP_ERR__INVALID_ARG, status.message};
  }
  kafka::NewestByKey newest;
  const auto lane = restorer_->read(Stream::state, partition, kafka::from_the_beginning);
  // A broker that is slow has all the time, a transaction that was waited for in vain before has little.
  const auto patience = full_patience();
  auto until = SteadyClock::now() + span(patience);
  auto until_stable = SteadyClock::now() + span(patience_with(partition));
  while (!lane->at_end() || lane->next() < lane->high_watermark()) {
    events::RecordBatch batch;
    std::size_t records = kafka::restored_at_once.records;
    std::size_t bytes = kafka::restored_at_once.bytes;
    lane->take(records, bytes, batch);
    for (const auto& record : batch.records) newest.take(record);
    if (auto error = lane->take_error(); !error.ok()) return error;
    if (!batch.records.empty()) {
      restorer_->waker().found();
      until = SteadyClock::now() + span(patience);
      until_stable = SteadyClock::now() + span(patience_with(partition));
    } else if (const auto now = SteadyClock::now(); now >= until || (lane->at_end() && now >= until_stable)) {
      auto& listener = restorer_->listener();
      if (listener.take_doubt()) return {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, listener.last_heard()};
      std::string why = "the state's end is not reached";
      if (lane->at_end()) {
        why += ", a transaction holds it up. " +
               kafka::how_to_end(options_.brokers, options_.topic(Stream::state), partition, lane->next());
      }
      return {RD_KAFKA_RESP_ERR__TIMED_OUT, why};
    } else if (!restorer_->waker().wait(events::Millis{100}) && lane->has_given() && !lane->at_end()) {
      restorer_->nudge(Stream::state, partition, options_.request_limit);
    }
  }
  newest.give(state);
  return {};
}

std::string KafkaLog::pending_advice(events::Position at) const {
  return kafka::how_to_end(options_.brokers, options_.topic(Stream::commands), at.partition, at.offset) + ".";
}

void KafkaLog::start(Partition partition, events::Offset from) {
  {
    std::scoped_lock lock(mutex_);
    if (std::find(assigned_.begin(), assigned_.end(), partition) == assigned_.end()) return;
    started_.insert(partition);
  }
  lanes_[partition] = reader_->read(Stream::commands, partition, from);
}

// --- writing -------------------------------------------------------------------------------------------------------

events::CommitResult KafkaLog::commit(const events::Commit& commit) {
  for (const auto& record : commit.records) {
    if (auto why = kafka::refusal(record, topics_); !why.empty()) return {CommitOutcome::failed, why};
  }
  const std::scoped_lock turn(commit_turn_);
  std::shared_ptr<rd_kafka_consumer_group_metadata_t> group;
  {
    std::scoped_lock lock(mutex_);
    group = group_;
    const bool ours =
        group && std::all_of(commit.next.begin(), commit.next.end(),
                             [this](const events::Position& next) { return started_.contains(next.partition); });
    if (!ours) {
      gave_up_ = true;
      return {CommitOutcome::aborted, "Its partitions were taken away before it began."};
    }
  }
  const auto begun = SteadyClock::now();
  auto result = transactions_.run(commit, *group);
  figures_.committed(result.outcome, std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - begun));
  lowered_.heed(reader_->client(), topics_, transactions_, commit, result);
  if (!result.ok()) {
    std::scoped_lock lock(mutex_);
    gave_up_ = true;
    fenced_ = fenced_ || result.outcome == CommitOutcome::fenced || result.error == LogError::fenced;
  }
  return result;
}

/// Of one that a topic takes no more it says `unavailable`, for the topic may take it again.
LogStatus KafkaLog::append(const events::NewRecord& record) {
  if (auto why = kafka::refusal(record, topics_); !why.empty()) return {LogError::invalid, why};
  const std::scoped_lock lock(append_mutex_);
  const auto error = (record.stream == Stream::alerts ? alerts_ : ticks_).send(record);
  if (!error.ok()) figures_.tick_failed();
  auto status = error.status("appending to " + options_.topic(record.stream));
  if (error.too_large()) status.error = LogError::unavailable;
  return status;
}

}  // namespace mayfly::adapters
