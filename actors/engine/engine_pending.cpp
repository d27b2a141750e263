// Alerts that no command raises: they are written outside transactions, because a partition that is held up has no
// batch to carry them.
#include "actors/engine/engine_state.h"
#include "actors/partition/partition_state.h"
#include "actors/partition/record_writer.h"
#include "events/text/time_text.h"
#include "events/wire/cloudevent_headers.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

namespace {

constexpr std::size_t most_refused_alerts = 64;

std::string message_of(const PendingWatch::Finding& finding, const events::Log& log) {
  const auto place = "offset " + std::to_string(finding.at.offset);
  const auto lasted = std::to_string(finding.lasted.count / 1000) + " s";
  if (!finding.hanging) {
    return "The transaction that held up this partition's commands at " + place + " for " + lasted + " is over.";
  }
  return "A transaction that does not end holds up this partition's commands: for " + lasted +
         " nothing can be read from " + place + " on, where " + std::to_string(finding.records) + " records wait. " +
         log.pending_advice(finding.at);
}

}  // namespace

/// Of the log as a whole: the alert goes to the first partition that is served here.
void Engine::State::watch_limits() {
  if (served.empty()) return;
  const auto& [partition, one] = *served.begin();
  for (const auto& finding : limits.look(figures.others)) {
    const auto& figure = finding.figure;
    const auto is = "The log's " + std::string(figure.name) + " is " + std::to_string(figure.value) +
                    (finding.over ? ", over its limit of " : ", within its limit of ") + std::to_string(figure.limit) +
                    ".";
    const auto message = finding.over ? is + " " + std::string(figure.advice) : is;
    const auto* name = finding.over ? "log_over_limit" : "log_within_limit";
    if (const auto status = write_alert(name, {partition, one.committed}, message, clock.now().ms, clock.now());
        !status.ok()) {
      say(Notice::Level::warning, "alert_not_written", status.message, partition);
      continue;
    }
    say(finding.over ? Notice::Level::error : Notice::Level::info, name, message, -1,
        {{figure.name, figure.value}, {"limit", figure.limit}});
    limits.said(finding);
  }
}

void Engine::State::watch_pending() {
  for (const auto& finding : pending.look(figures.partitions, clock.now())) {
    const auto message = message_of(finding, log);
    const auto* name = finding.hanging ? "transaction_hanging" : "transaction_ended";
    if (const auto status = write_alert(name, finding.at, message, 0, clock.now()); !status.ok()) {
      say(Notice::Level::warning, "alert_not_written", status.message, finding.at.partition);
      continue;
    }
    say(finding.hanging ? Notice::Level::error : Notice::Level::info, name, message, finding.at.partition,
        {{"offset", finding.at.offset}, {"records", finding.records}, {"lasted_ms", finding.lasted.count}});
    pending.said(finding);
  }
}

/// By the newest tick of each partition: its time is by our clock, its append time by the log's.
void Engine::State::watch_clocks() {
  constexpr auto most = events::limits::tick_skew.count;
  const auto apart = std::find_if(served.begin(), served.end(), [](const auto& of) {
    return of.second.status.clock_skew.count > most || of.second.status.clock_skew.count < -most;
  });
  const bool now_apart = apart != served.end();
  if (std::exchange(clocks_apart, now_apart) == now_apart || served.empty()) return;
  const auto& [partition, one] = now_apart ? *apart : *served.begin();
  const std::string message =
      now_apart
          ? "This machine's clock less the log's is " + std::to_string(one.status.clock_skew.count / 1000) +
                " s. Beyond 60 s ticks are ignored and no deadline fires. Set both clocks (NTP); this is not ready "
                "until then."
          : std::string("This machine's clock and the log's are within 60 s of each other again.");
  const auto* name = now_apart ? "clocks_apart" : "clocks_agree";
  say(now_apart ? Notice::Level::error : Notice::Level::info, name, message, partition,
      {{"clock_skew_ms", one.status.clock_skew.count}});
  raise_alert(name, {partition, one.committed}, message, clock.now().ms);
}

void Engine::State::tell_skipped(const events::Skipped& skipped) {
  const auto& from = skipped.from;
  const auto message = "The commands at " + std::to_string(from.partition) + ":" + std::to_string(from.offset) +
                       " up to before offset " + std::to_string(skipped.to) +
                       " cannot be read and were skipped: nobody is answered. " + skipped.why +
                       " Find their producer; docs/kafka.md, What a batch unpacks to.";
  say(Notice::Level::error, "commands_skipped", message, from.partition,
      {{"offset", from.offset}, {"to_offset", skipped.to}});
  raise_alert("commands_skipped", from, message, from.offset);
}

/// Said and alerted once for each reason, however often the log gives the partition anew.
void Engine::State::leave_alone(events::Partition partition, const CannotServe& cannot) {
  phase(partition, PartitionPhase::stopped);
  auto& why = left_alone[partition];
  if (why == cannot.message) return;
  why = cannot.message;
  say(Notice::Level::error, cannot.name, why, partition);
  raise_alert(cannot.name, {partition, 0}, why, clock.now().ms);
}

void Engine::State::raise_alert(std::string_view alert, events::Position at, std::string message,
                                std::int64_t occasion) {
  write_refused_alerts();
  if (refused_alerts.size() == most_refused_alerts) {
    const auto& lost = refused_alerts.front();
    say(Notice::Level::error, "alert_lost",
        "The log refuses alerts for long; dropped: " + lost.name + ", " + lost.message, lost.at.partition);
    refused_alerts.pop_front();
  }
  refused_alerts.push_back({std::string(alert), at, std::move(message), occasion, clock.now()});
  if (refused_alerts.size() > 1) return;  // the one before it is still refused
  write_refused_alerts();
}

void Engine::State::write_refused_alerts() {
  for (; !refused_alerts.empty(); refused_alerts.pop_front()) {
    const auto& alert = refused_alerts.front();
    const auto status = write_alert(alert.name, alert.at, alert.message, alert.occasion, alert.raised);
    if (status.ok()) continue;
    return say(Notice::Level::warning, "alert_not_written", status.message + " This is tried again.",
               alert.at.partition);
  }
}

events::LogStatus Engine::State::write_alert(std::string_view alert, events::Position at, std::string_view message,
                                             std::int64_t occasion, events::Timestamp raised) {
  std::string data;
  append_alert_data(data, alert, at, message);
  const auto id = alert_id(at, alert, occasion);
  const auto source = "/mayfly/" + config.name;
  const auto time = events::to_text(raised);
  const auto key = std::to_string(at.partition);
  const events::CloudEventHeaders event{
      .id = id, .source = source, .type = events::alert_type, .time = {time.data(), time.size()}};
  const auto headers = event.list();
  return append({events::Stream::alerts, at.partition, key, data, headers});
}

}  // namespace mayfly::actors
