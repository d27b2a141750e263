// Metrics in Prometheus's text format. Names end in their unit; labels take few values, never an id of a cart.
#include "tools/console/prometheus_text.h"
#include "tools/console/text.h"
#include "tools/console/version.h"
#include "tools/serve/named_figures.h"
#include "tools/serve/observed.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace mayfly::tools {

namespace {

class Text : public PrometheusText {
 public:
  void histogram(std::string_view name, std::string_view help, const actors::Durations& durations) {
    family(name, "histogram", help);
    std::int64_t below = 0;
    const std::string bucket = std::string(name) + "_bucket";
    for (std::size_t i = 0; i < durations.counts.size(); ++i) {
      below += durations.counts[i];
      const bool last = i == durations.bounds_s.size();
      sample(bucket, last ? "le=\"+Inf\"" : fmt::format("le=\"{}\"", durations.bounds_s[i]), below);
    }
    sample(std::string(name) + "_sum", {}, durations.sum_s);
    sample(std::string(name) + "_count", {}, below);
  }
  /// One sample per value of an enumeration of the domain, by its frozen name.
  template <class Enum, class Counts>
  void by_name(std::string_view family_name, std::string_view label, const Counts& counts, std::string_view help) {
    family(family_name, "counter", help);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sample(family_name, fmt::format("{}=\"{}\"", label, events::name(static_cast<Enum>(i))), counts[i]);
    }
  }
};

void partitions_text(Text& text, const Observed& seen) {
  using actors::PartitionPhase;
  text.family("mayfly_partitions", "gauge", "Partitions of this engine by phase.");
  for (const auto phase : {PartitionPhase::restoring, PartitionPhase::serving, PartitionPhase::stopped}) {
    std::int64_t count = 0;
    for (const auto& p : seen.partitions) count += p.phase == phase ? 1 : 0;
    text.sample("mayfly_partitions", fmt::format("phase=\"{}\"", tools::name(phase)), count);
  }
  const auto each = [&](std::string_view metric, std::string_view type, std::string_view help, auto value) {
    text.family(metric, type, help);
    for (const auto& p : seen.partitions) text.sample(metric, fmt::format("partition=\"{}\"", p.partition), value(p));
  };
  each("mayfly_partition_next_offset", "gauge", "Committed position: the next command offset to decide.",
       [](const auto& p) { return p.next; });
  each("mayfly_partition_carts_open", "gauge", "Open carts of the partition.",
       [](const auto& p) { return p.carts_open; });
  each("mayfly_partition_restarts_total", "counter", "Restarts of the partition's carts since it was first taken.",
       [](const auto& p) { return p.restarts; });
  each("mayfly_partition_taken_total", "counter", "Times the partition was restored, the first included.",
       [](const auto& p) { return p.times_taken; });
  each("mayfly_partition_renewals_total", "counter", "Times the partition was renewed while it was served.",
       [](const auto& p) { return p.renewals.count; });
  each("mayfly_partition_renewal_carts_total", "counter", "Carts compared with what is committed by renewals.",
       [](const auto& p) { return p.renewals.carts; });
  each("mayfly_partition_renewal_differences_total", "counter", "Differences that renewals found.",
       [](const auto& p) { return p.renewals.differences; });
  each("mayfly_partition_renewal_seconds", "gauge", "How long the newest renewal took.",
       [](const auto& p) { return static_cast<double>(p.renewals.newest_ms) / 1000.0; });
}

/// What the log says of itself: one family per figure's name, in the order they come.
void figures_text(Text& text, const std::vector<NamedFigure>& figures) {
  for (std::size_t i = 0; i < figures.size(); ++i) {
    bool known = false;
    for (std::size_t j = 0; j < i; ++j) known = known || figures[j].name == figures[i].name;
    if (known) continue;
    const bool counts = figures[i].counts;
    const auto metric = fmt::format("mayfly_log_{}{}", figures[i].name, counts ? "_total" : "");
    text.family(metric, counts ? "counter" : "gauge", "A figure of the log; see docs/metrics.md.");
    for (const auto& figure : figures) {
      if (figure.name != figures[i].name) continue;
      text.sample(metric, figure.partition ? fmt::format("partition=\"{}\"", *figure.partition) : "", figure.value);
    }
  }
}

void actors_text(Text& text, const actors::Census& c) {
  text.family("mayfly_actors_started_total", "counter", "Actors made: created or woken.");
  text.sample("mayfly_actors_started_total", "kind=\"cart\"", c.carts_started);
  text.sample("mayfly_actors_started_total", "kind=\"session\"", c.sessions_started);
  text.family("mayfly_actors_stopped_total", "counter", "Actors destroyed: ended, asleep or restarted.");
  text.sample("mayfly_actors_stopped_total", "kind=\"cart\"", c.carts_stopped);
  text.sample("mayfly_actors_stopped_total", "kind=\"session\"", c.sessions_stopped);
  text.one("mayfly_actors_running", "gauge", "Actors by the actor system's own count, supervisors included.",
           c.actors_running);
  text.one("mayfly_actor_restarts_total", "counter", "Actors that died and were started again from their snapshot.",
           c.restarts);
  text.one("mayfly_partition_rebuilds_total", "counter", "Partitions rebuilt from the log after too many restarts.",
           c.rebuilds);
  text.one("mayfly_carts_quarantined", "gauge", "Open carts whose commands become dead letters until released.",
           c.carts_quarantined);
  text.family("mayfly_carts_open", "gauge", "Carts with state, by whether an actor holds it now.");
  text.sample("mayfly_carts_open", "state=\"awake\"", c.carts_awake);
  text.sample("mayfly_carts_open", "state=\"sleeping\"", c.carts_open - c.carts_awake);
  text.one("mayfly_sessions_open", "gauge", "Open payment sessions, awake or sleeping.", c.sessions_open);
  text.one("mayfly_epitaphs", "gauge", "Ended carts that are remembered.", c.epitaphs);
  text.one("mayfly_payments_unresolved_total", "counter", "Payments that a person must look at.",
           c.payments_unresolved);
  text.one("mayfly_epitaphs_evicted_total", "counter", "Ended carts forgotten before their 72 hours, to make room.",
           c.epitaphs_evicted);
}

void memory_text(Text& text, const actors::MemoryReport& r) {
  const auto by_purpose = [&](std::string_view metric, std::string_view help, auto value) {
    text.family(metric, "gauge", help);
    for (std::size_t i = 0; i < actors::purpose_count; ++i) {
      const auto purpose = static_cast<actors::Purpose>(i);
      text.sample(metric, fmt::format("kind=\"{}\",purpose=\"{}\"", name(kind_of(purpose)), name(purpose)),
                  value(r.purposes[i]));
    }
  };
  by_purpose("mayfly_memory_bytes", "Taken of memory, by what it is for.", [](const auto& a) { return a.taken_bytes; });
  by_purpose("mayfly_memory_blocks", "Blocks of memory, by what they are for.",
             [](const auto& a) { return a.taken_blocks; });
  text.one("mayfly_memory_actors_bytes", "gauge", "What the actor system takes for actors of carts and sessions.",
           r.actor_bytes);
  text.one("mayfly_memory_messages_bytes", "gauge", "Messages that were made and not yet destroyed.", r.message_bytes);
  text.one("mayfly_memory_pressure_level", "gauge", "0 normal, 1 sleep_more, 2 admission_closed, 3 reading_stopped.",
           static_cast<int>(r.pressure));
  const auto known = [&](std::string_view metric, std::string_view help, std::int64_t bytes) {
    if (bytes >= 0) text.one(metric, "gauge", help, bytes);
  };
  known("mayfly_memory_budget_bytes", "What the process may take.", r.budget_bytes);
  known("mayfly_memory_used_bytes", "What of it is used, page cache not among it.", r.used_bytes);
  known("mayfly_memory_limit_bytes", "Of the cgroup, else of the machine.", r.process.limit);
  if (r.process.allocated < 0) return;
  text.one("mayfly_memory_allocated_bytes", "gauge", "Given out by the allocator.", r.process.allocated);
  text.one("mayfly_memory_unaccounted_bytes", "gauge", "Allocated, and nobody claims it.", r.unaccounted_bytes());
  text.one("mayfly_memory_fragmentation_bytes", "gauge", "Anonymous memory that is not allocated.",
           r.fragmentation_bytes());
}

void leaks_text(Text& text, const actors::MemoryReport& memory) {
  const auto each = [&](std::string_view metric, std::string_view help, std::int64_t actors::Leak::*value) {
    text.family(metric, "gauge", help);
    for (const auto& leak : memory.leaks) {
      text.sample(metric, fmt::format("kind=\"{}\",purpose=\"{}\"", name(leak.kind), leak.purpose), leak.*value);
    }
  };
  each("mayfly_leak_bytes", "Leaks that have begun and not ended: bytes lost.", &actors::Leak::bytes);
  each("mayfly_leak_bytes_per_second", "The same: how fast, on the mean since it began.", &actors::Leak::bytes_per_s);
  text.one("mayfly_leaks_total", "counter", "Leaks found since the engine began.", memory.leaks_begun);
}

/// A sample for each name at any time, so that an alert on it ends when it is over and not when it is forgotten.
void alerts_text(Text& text, const Observed& seen) {
  text.family("mayfly_alerts_open", "gauge", "What lasts of what the engine has alerted, by the alert's name.");
  for (std::size_t i = 0; i < actors::lasting_alert_count; ++i) {
    const auto alert = static_cast<actors::LastingAlert>(i);
    text.sample("mayfly_alerts_open", fmt::format("name=\"{}\"", name(alert)), seen.census.alerts_open[i]);
  }
  text.sample("mayfly_alerts_open", "name=\"log_silent\"", seen.log_silent ? 1 : 0);
  text.one("mayfly_alerts_held_back_total", "counter", "Alerts beyond 20 of one name, partition and minute.",
           seen.census.alerts_held_back);
}

void traces_text(Text& text, const TraceCounts& traces) {
  text.family("mayfly_trace_spans_total", "counter", "Spans by what became of them.");
  text.sample("mayfly_trace_spans_total", "outcome=\"sent\"", traces.sent);
  text.sample("mayfly_trace_spans_total", "outcome=\"no_room\"", traces.no_room);
  text.sample("mayfly_trace_spans_total", "outcome=\"refused\"", traces.refused);
  text.sample("mayfly_trace_spans_total", "outcome=\"not_taken\"", traces.not_taken);
  text.one("mayfly_trace_spans_waiting", "gauge", "Spans that wait to be sent, or are on their way.", traces.waiting);
}

}  // namespace

std::string metrics_text(const Observed& seen) {
  Text text;
  const auto& c = seen.census;
  const auto& log = seen.running.log;
  text.family("mayfly_build_info", "gauge", "Always 1; what runs is in the labels.");
  text.sample("mayfly_build_info",
              fmt::format("version=\"{}\",engine=\"{}\",log=\"{}\"", version, label_value(seen.running.engine),
                          label_value(log.substr(0, log.find(':')))),
              1);
  text.one("mayfly_ready", "gauge", "1 while all assigned partitions are restored and the log answers.",
           seen.ready ? 1 : 0);
  text.one("mayfly_alive", "gauge", "0 when the loop is stuck.", seen.alive ? 1 : 0);
  text.one("mayfly_commands_total", "counter", "Commands decided and committed.", c.commands);
  text.by_name<events::EventType>("mayfly_events_total", "type", c.events_by_type, "Events committed.");
  text.by_name<events::Code>("mayfly_rejections_total", "code", c.rejections_by_code, "Commands refused by the rules.");
  text.by_name<events::DeadLetterReason>("mayfly_dead_letters_total", "reason", c.dead_letters_by_reason,
                                         "Records that became dead letters.");
  text.one("mayfly_ticks_total", "counter", "Clock ticks taken.", c.ticks);
  text.family("mayfly_commits_total", "counter", "Transactions by what they came to.");
  text.sample("mayfly_commits_total", "outcome=\"committed\"", c.commits);
  text.sample("mayfly_commits_total", "outcome=\"failed\"", c.commit_failures);
  text.histogram("mayfly_commit_seconds", "One transaction, from its begin to its outcome.", c.commit);
  text.histogram("mayfly_command_age_seconds",
                 "From the append of the first command of a partition's share of a batch to its commit.", c.committed);
  actors_text(text, c);
  memory_text(text, seen.memory);
  leaks_text(text, seen.memory);
  alerts_text(text, seen);
  partitions_text(text, seen);
  figures_text(text, named(seen.figures));
  if (seen.traces) traces_text(text, *seen.traces);
  text.one("process_resident_memory_bytes", "gauge", "Resident memory.", seen.resident_bytes);
  text.one("process_cpu_seconds_total", "counter", "User and system CPU time.", seen.cpu_s);
  text.process_start(seen.running.begun);
  return std::move(text.out);
}

}  // namespace mayfly::tools
