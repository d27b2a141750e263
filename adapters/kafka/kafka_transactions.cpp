#include "adapters/kafka/kafka_transactions.h"

#include "adapters/kafka/kafka_produce.h"

#include <algorithm>
#include <thread>

namespace mayfly::adapters::kafka {

using events::CommitOutcome;
using events::CommitResult;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr int queue_full_wait_ms = 10;
constexpr int flush_step_ms = 50;
constexpr auto resend_pause = std::chrono::milliseconds(20);

std::chrono::milliseconds span(events::Millis m) { return std::chrono::milliseconds(m.count); }

int left_ms(SteadyClock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 1, 3'600'000));
}

/// Makes a call again while its error says that this is safe and there is time.
template <class Call>
Error insist(SteadyClock::time_point until, Call call) {
  for (;;) {
    Error error(call(left_ms(until)));
    if (error.ok() || !error.retriable || error.aborts || error.fatal || SteadyClock::now() >= until) return error;
    std::this_thread::sleep_for(resend_pause);
  }
}

}  // namespace

Error Transactions::begin_anew_if_needed() {
  if (client_) return {};
  events::LogStatus status;
  auto client = make_client(Role::transactional, options_, identity_, listener_, status);
  if (!client) return {RD_KAFKA_RESP_ERR__INVALID_ARG, status.message};
  auto error = insist(SteadyClock::now() + span(options_.request_limit),
                      [&](int limit_ms) { return rd_kafka_init_transactions(client.get(), limit_ms); });
  if (!error.ok()) return error;
  client_ = std::move(client);
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    topics_[i].reset(rd_kafka_topic_new(client_.get(), options_.topics[i].c_str(), nullptr));
  }
  return {};
}

void Transactions::throw_away() {
  for (auto& topic : topics_) topic.reset();
  client_.reset();
}

void Transactions::bound_batches(std::size_t most_bytes) {
  auto bounded = given_;
  kafka::bound_batches(bounded, most_bytes);
  if (bounded.properties == options_.properties) return;
  throw_away();
  options_ = std::move(bounded);
}

CommitResult Transactions::result(CommitOutcome outcome, const Error& error) const {
  std::string message = "The transaction '" + identity_.transactional_id + "' " +
                        (outcome == CommitOutcome::indefinite ? "has an unknown end" : "was not committed") + ": " +
                        error.message + " (" + rd_kafka_err2name(error.code) + ").";
  if (error.unavailable()) {
    const auto heard = listener_.last_heard();
    if (!heard.empty()) message += " Last heard: " + heard + ".";
  }
  return {outcome, std::move(message), error.status({}).error};
}

CommitResult Transactions::run(const events::Commit& commit, const rd_kafka_consumer_group_metadata_t& group) {
  if (const auto error = begin_anew_if_needed(); !error.ok()) {
    return result(error.fenced() ? CommitOutcome::fenced : CommitOutcome::aborted, error);
  }
  // No longer than the brokers keep the transaction open: then they abort it.
  const auto until = SteadyClock::now() + span(options_.transaction_timeout);
  if (const auto error = write(commit, group, until); !error.ok()) return give_up(error);
  return finish(until);
}

Error Transactions::write(const events::Commit& commit, const rd_kafka_consumer_group_metadata_t& group, Until until) {
  listener_.take_too_large();
  listener_.take_unproven();  // of a transaction that is over
  listener_.forget_transaction();
  if (Error error(rd_kafka_begin_transaction(client_.get())); !error.ok()) return error;
  for (const auto& record : commit.records) {
    if (auto error = produce(record, until); !error.ok()) return error;
  }
  return commit.next.empty() ? Error() : send_positions(commit, group, until);
}

Error Transactions::produce(const events::NewRecord& record, Until until) {
  auto* topic = topics_[static_cast<std::size_t>(record.stream)].get();
  for (;;) {
    auto error = kafka::produce(client_.get(), topic, record, nullptr);
    if (error.code != RD_KAFKA_RESP_ERR__QUEUE_FULL || SteadyClock::now() >= until) return error;
    rd_kafka_poll(client_.get(), queue_full_wait_ms);
  }
}

Error Transactions::send_positions(const events::Commit& commit, const rd_kafka_consumer_group_metadata_t& group,
                                   Until until) {
  const Places places(rd_kafka_topic_partition_list_new(static_cast<int>(commit.next.size())));
  for (const auto& next : commit.next) {
    rd_kafka_topic_partition_list_add(places.get(), options_.topic(events::Stream::commands).c_str(), next.partition)
        ->offset = next.offset;
  }
  return insist(until, [&](int limit_ms) {
    return rd_kafka_send_offsets_to_transaction(client_.get(), places.get(), &group, limit_ms);
  });
}

/// Until all records are delivered or refused, or the transaction has failed: then some may wait until it is over.
Error Transactions::flush(Until until) {
  for (;;) {
    Error error(rd_kafka_flush(client_.get(), std::min(left_ms(until), flush_step_ms)));
    if (error.ok() || listener_.transaction_failed() || SteadyClock::now() >= until) return error;
  }
}

CommitResult Transactions::finish(Until until) {
  // A commit would wait for them too, but then nobody could look at what became of them before it is asked for.
  auto written = flush(until);
  if (listener_.transaction_failed()) written = {};  // the commit is refused, at once, and says why
  if (listener_.take_unproven()) written = Error::unproven_delivery();
  if (!written.ok()) {
    written.fatal = true;  // what it sends late, or its count of what it sent, is of no more use
    return give_up(written);
  }
  const auto error = insist(until, [&](int limit_ms) { return rd_kafka_commit_transaction(client_.get(), limit_ms); });
  rd_kafka_poll(client_.get(), 0);
  if (error.ok()) return {};
  if (error.aborts) return give_up(error);
  // The request to commit may have arrived. The successor's beginning ends the transaction one way or the other.
  throw_away();
  return result(CommitOutcome::indefinite, error);
}

/// Before the request to commit was made nothing of it can come true: if it is not aborted here, the successor's
/// beginning or the brokers' timeout does it. Where a broker refused a producer's count, librdkafka aborts with a new
/// epoch, and was seen to wait for that as long as it may; the successor gets it at once.
CommitResult Transactions::give_up(const Error& why) {
  bool clean = false;
  const bool lost_count = why.code == RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
  if (!why.fatal && !why.fenced() && !lost_count) {
    const auto aborted = insist(SteadyClock::now() + span(options_.request_limit),
                                [&](int limit_ms) { return rd_kafka_abort_transaction(client_.get(), limit_ms); });
    clean = aborted.ok();
  }
  if (!clean) throw_away();
  return result(why.fenced() ? CommitOutcome::fenced : CommitOutcome::aborted, why);
}

}  // namespace mayfly::adapters::kafka
