#include "tools/connect/delivery.h"

#include "tools/connect/parked_event.h"
#include "tools/connect/webhook.h"
#include "tools/console/printable.h"
#include "tools/console/text.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace mayfly::tools {

namespace {

using adapters::HttpCall;
using adapters::HttpCalled;
using events::LogError;
using events::LogStatus;
using events::Millis;

/// Of one partition at a time, so that none waits long for the others.
constexpr events::PollLimits read_some{200, 1'048'576, Millis{0}};
constexpr Millis idle_wait{50};        // between two looks at a log that has nothing new
constexpr Millis keep_interval{200};   // between two writes of the position, while events are on their way
constexpr Millis log_wait{1'000};      // before a log that did not answer is asked again
constexpr Millis lag_interval{5'000};  // between two looks at where the log ends
constexpr int failures_worth_saying = 5;
constexpr std::size_t shown_body_columns = 200;  // of an answer's, in messages

}  // namespace

struct Delivery::Mailbox {
  std::mutex mutex;
  std::condition_variable_any came;
  std::vector<Answer> answers;
};

Delivery::Delivery(DeliveryConfig config, events::LogClient& log, const events::Clock& clock, Post post, Say say,
                   std::uint64_t seed)
    : config_(std::move(config)),
      group_("connect." + config_.name),
      source_("/connect/" + config_.name),
      log_(log),
      clock_(clock),
      post_(std::move(post)),
      say_(std::move(say)),
      check_(log.partitions()),
      queue_([this] {
        DeliveryQueue::Limits limits;
        limits.in_flight = static_cast<std::size_t>(config_.in_flight);
        return limits;
      }()),
      backoff_(seed),
      kept_(log, group_, events::Stream::events),
      mailbox_(std::make_shared<Mailbox>()) {}

LogStatus Delivery::begin() {
  auto kept = log_.group_positions(group_, events::Stream::events);
  if (!kept.status.ok()) return std::move(kept.status);
  for (events::Partition p = 0; p < log_.partitions(); ++p) {
    auto ends = log_.ends(events::Stream::events, p);
    if (!ends.status.ok()) return std::move(ends.status);
    events::Position next{p, config_.from_end ? ends.end : ends.first};
    const auto known = std::find_if(kept.next.begin(), kept.next.end(), [p](auto& at) { return at.partition == p; });
    if (known != kept.next.end()) {
      if (known->offset > ends.end) {
        return {LogError::corrupt, "The group " + group_ + " is at " + position_text(*known) +
                                       ", beyond the end of the events at " + std::to_string(ends.end) +
                                       ": the log is older than the group's position, as after a restore. Give the "
                                       "table another name, with `from` for where to begin."};
      }
      if (known->offset < ends.first)
        say_("partition " + std::to_string(p) + ": the group was at offset " + std::to_string(known->offset) +
             ", the log begins at " + std::to_string(ends.first) + "; what lay between is gone");
      next.offset = std::max(known->offset, ends.first);
    }
    next_.push_back(next);
    queue_.read_to(next);
  }
  kept_.begin(kept.next);
  keep();
  return unusable_;
}

LogStatus Delivery::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool found = false;
    if (auto status = step(found); !status.ok()) return status;
    if (!found) wait(stop);
  }
  while (queue_.in_flight() > 0) {
    wait({});
    settle();
  }
  keep();
  return unusable_;
}

LogStatus Delivery::run_again(const std::vector<events::Position>& parked, const std::stop_token& stop) {
  const auto now = clock_.now();
  for (const auto at : parked) {
    const bool exists = at.partition >= 0 && at.partition < log_.partitions();
    auto fetched =
        exists ? log_.read(events::Stream::events, at.partition, at.offset, {1, 1, log_wait}) : events::Fetched{};
    if (!fetched.status.ok()) return std::move(fetched.status);
    const auto& records = fetched.batch.records;
    if (records.empty() || records.front().at != at || !wants(records.front()))
      return {LogError::invalid, "There is no event at " + position_text(at) + " that " + config_.name + " delivers."};
    auto event = webhook_of(records.front(), {}, now);
    event.until = now;
    queue_.add(std::move(event), now);
  }
  while (queue_.size() > 0 && !stop.stop_requested()) {
    bool found = false;
    if (auto status = step(found); !status.ok()) return status;
    if (!found) wait(stop);
  }
  return {};
}

/// For an answer, or until there may be something to do.
void Delivery::wait(const std::stop_token& stop) {
  auto longest = reads_fail_ || writes_fail_ ? log_wait : idle_wait;
  if (const auto due = queue_.next_due()) longest = std::clamp(*due - clock_.now(), Millis{1}, longest);
  std::unique_lock lock(mailbox_->mutex);
  mailbox_->came.wait_for(lock, stop, std::chrono::milliseconds(longest.count),
                          [this] { return !mailbox_->answers.empty(); });
}

LogStatus Delivery::step(bool& found) {
  found = settle();
  read_on(found);
  const auto now = clock_.now();
  while (auto* event = queue_.take(now)) {
    send(*event);
    found = true;
  }
  if (queue_.size() == 0 || events::has_passed(keep_interval, looked_at_, now)) keep();
  return unusable_;
}

bool Delivery::settle() {
  std::vector<Answer> answers;
  {
    const std::scoped_lock lock(mailbox_->mutex);
    answers.swap(mailbox_->answers);
  }
  std::vector<OutgoingCommand> replies;
  std::vector<events::Position> delivered;
  for (const auto& [at, called] : answers) {
    auto& event = queue_.in_flight_at(at);
    const auto fault = fault_of(event, called, replies);
    if (fault.empty())
      delivered.push_back(at);
    else
      try_again(event, called, fault);
  }
  if (!delivered.empty()) deliver(delivered, std::move(replies));
  return !answers.empty();
}

void Delivery::deliver(const std::vector<events::Position>& delivered, std::vector<OutgoingCommand>&& replies) {
  CommandWriter writer(log_);
  LogStatus status;
  for (auto& reply : replies) {
    if (status.ok()) status = writer.write(std::move(reply));
  }
  if (status.ok()) status = writer.flush();
  const bool written = is_written(std::move(status));
  const auto now = clock_.now();
  for (const auto at : delivered) {
    if (written)
      queue_.done(at, now);
    else
      queue_.again(at, now + log_wait);
  }
  if (!written) return;
  counts_.delivered += static_cast<std::int64_t>(delivered.size());
  if (failures_in_a_row_ >= failures_worth_saying) say_(config_.url_text + " takes events again");
  failures_in_a_row_ = 0;
}

std::string Delivery::fault_of(const QueuedEvent& event, const HttpCalled& called,
                               std::vector<OutgoingCommand>& replies) {
  if (!called.wrong.empty()) return called.wrong;
  if (answered(called.status) != Answered::delivered) {
    const auto said = shortened(printable(called.body), shown_body_columns);
    return "answered " + std::to_string(called.status) + (said.empty() ? "" : ": " + said);
  }
  const bool blank = called.body.find_first_not_of(" \t\r\n") == std::string::npos;
  if (config_.replies.empty() || blank) return {};
  std::string wrong;
  auto reply = reply_of(event, called.body, config_.replies, source_, check_, wrong);
  if (!reply) return "answered " + std::to_string(called.status) + " with " + wrong;
  replies.push_back(std::move(*reply));
  return {};
}

void Delivery::try_again(QueuedEvent& event, const HttpCalled& called, const std::string& fault) {
  ++counts_.failed;
  if (++failures_in_a_row_ == failures_worth_saying)
    say_(config_.url_text + " does not take events: " + fault + ". They are tried again (docs/connect.md)");
  const auto now = clock_.now();
  const bool refused = called.wrong.empty() && answered(called.status) == Answered::refused;
  if (refused || now >= event.until) return park(event, fault);
  auto when = std::min(now + backoff_.after(event.attempts), event.until);
  if (const auto asked = retry_after(called.header("retry-after"), now)) when = std::max(when, *asked);
  if (when > event.until) return park(event, fault + ", with a Retry-After beyond its deadline");
  queue_.again(event.at, when);
}

void Delivery::park(const QueuedEvent& event, const std::string& fault) {
  const auto now = clock_.now();
  const auto message = parked_message(config_.name, event, fault);
  if (!is_written(write_parked(log_, config_.name, source_, event, message, now)))
    return queue_.again(event.at, now + log_wait);
  ++counts_.parked;
  say_("parked: " + message);
  queue_.done(event.at, now);
}

bool Delivery::wants(const events::Record& record) const {
  return std::find(config_.types.begin(), config_.types.end(), short_type(record)) != config_.types.end();
}

/// The partition that was read goes behind the others, so that none that is always full keeps them from the room.
void Delivery::read_on(bool& found) {
  for (std::size_t i = 0; i < next_.size() && queue_.has_room(); ++i) {
    auto& next = next_.front();
    const auto fetched = log_.read(events::Stream::events, next.partition, next.offset, read_some);
    if (!is_read(fetched.status)) return;
    const auto now = clock_.now();
    for (const auto& record : fetched.batch.records) {
      if (wants(record)) queue_.add(webhook_of(record, config_.retry_for, now), now);
    }
    found = found || !fetched.batch.records.empty();
    next.offset = fetched.next;
    queue_.read_to(next);
    std::rotate(next_.begin(), next_.begin() + 1, next_.end());
  }
}

void Delivery::send(QueuedEvent& event) {
  ++event.attempts;
  constexpr std::int64_t second_ms = 1'000;
  const auto time_s = clock_.now().ms / second_ms;
  HttpCall call{config_.url,
                {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                 {"webhook-id", event.id},
                 {"webhook-timestamp", std::to_string(time_s)},
                 {"webhook-signature", webhook_signature(config_.keys, event.id, time_s, event.body)}},
                event.body,
                config_.timeout,
                most_answer_bytes};
  post_(std::move(call), [mailbox = mailbox_, at = event.at](HttpCalled called) {
    {
      const std::scoped_lock lock(mailbox->mutex);
      mailbox->answers.emplace_back(at, std::move(called));
    }
    mailbox->came.notify_all();
  });
}

void Delivery::keep() {
  looked_at_ = clock_.now();
  const auto positions = queue_.positions();
  note_figures(positions);
  if (!kept_.are_due(positions, looked_at_)) return;  // nothing is written, so nothing is known of the log
  static_cast<void>(is_written(kept_.keep(positions, looked_at_)));
}

void Delivery::note_figures(const std::vector<events::Position>& positions) {
  std::optional<std::int64_t> lag;
  if (events::has_passed(lag_interval, lag_looked_at_, looked_at_)) {
    lag_looked_at_ = looked_at_;
    lag = 0;
    for (const auto& at : positions) {
      const auto ends = log_.ends(events::Stream::events, at.partition);
      if (!ends.status.ok()) {  // nor would it answer for the others: the figure before stays
        lag.reset();
        break;
      }
      *lag += std::max<std::int64_t>(ends.end - at.offset, 0);
    }
  }
  const std::scoped_lock lock(figures_mutex_);
  figures_.counts = counts_;
  figures_.waiting = static_cast<std::int64_t>(queue_.size());
  figures_.oldest = queue_.oldest();
  if (lag) figures_.lag_records = *lag;
}

Delivery::Figures Delivery::figures() const {
  const std::scoped_lock lock(figures_mutex_);
  return figures_;
}

bool Delivery::is_well(LogStatus status, bool& away) {
  if (status.ok()) {
    if (std::exchange(away, false)) say_("the log answers again");
    return true;
  }
  if (status.error != LogError::unavailable)
    unusable_ = std::move(status);
  else if (!std::exchange(away, true))
    say_(status.message + " This is tried again.");
  return false;
}

}  // namespace mayfly::tools
