#include "tools/serve/observed.h"

#include "tools/console/text.h"
#include "tools/console/version.h"
#include "tools/serve/named_figures.h"

#include <unistd.h>
#include <nlohmann/json.hpp>

#include <ctime>

namespace mayfly::tools {

namespace {

nlohmann::json renewals_json(const actors::Renewals& r) {
  return {{"count", r.count},
          {"carts", r.carts},
          {"differences", r.differences},
          {"newest", r.count == 0 ? nlohmann::json() : nlohmann::json(time_text(r.newest))},
          {"newest_ms", r.newest_ms},
          {"newest_carts", r.newest_carts},
          {"newest_differences", r.newest_differences},
          {"newest_fields", r.newest_fields}};
}

nlohmann::json partition_json(const actors::PartitionView& p, events::Timestamp now) {
  nlohmann::json newest = nlohmann::json::array();
  for (const auto& restart : p.newest) newest.push_back({{"reason", restart.reason}, {"at", time_text(restart.at)}});
  return {{"partition", p.partition},
          {"phase", name(p.phase)},
          {"age_s", (now - p.since).count / 1000},
          {"next_offset", p.next},
          {"ticked", p.ticked.ms == 0 ? nlohmann::json() : nlohmann::json(time_text(p.ticked))},
          {"carts_open", p.carts_open},
          {"carts_awake", p.carts_awake},
          {"sessions_open", p.sessions_open},
          {"epitaphs", p.epitaphs},
          {"epitaphs_evicted", p.epitaphs_evicted},
          {"commands", p.commands},
          {"restarts", p.restarts},
          {"times_taken", p.times_taken},
          {"newest_restarts", newest},
          {"renewals", renewals_json(p.renewals)}};
}

/// Counters by name, those that are zero left out.
template <class Enum, class Counts>
nlohmann::json counts_json(const Counts& counts) {
  nlohmann::json out = nlohmann::json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) out[std::string(events::name(static_cast<Enum>(i)))] = counts[i];
  }
  return out;
}

}  // namespace

const char* name(actors::PartitionPhase phase) {
  switch (phase) {
    case actors::PartitionPhase::restoring: return "restoring";
    case actors::PartitionPhase::serving: return "serving";
    case actors::PartitionPhase::stopped: return "stopped";
  }
  return "";
}

Observed observe(const actors::Engine& engine, const Running& running, const events::Clock& clock, bool alive) {
  return {running,         engine.ready(),      alive,
          clock.now(),     resident_bytes(),    static_cast<double>(std::clock()) / CLOCKS_PER_SEC,
          engine.census(), engine.partitions(), engine.log_figures(),
          engine.memory()};
}

std::string tree_json(const Observed& seen) {
  const auto& c = seen.census;
  nlohmann::json partitions = nlohmann::json::array();
  for (const auto& p : seen.partitions) partitions.push_back(partition_json(p, seen.now));
  nlohmann::json figures = nlohmann::json::array();
  for (const auto& f : named(seen.figures)) {
    nlohmann::json figure{{"name", f.name}, {"value", f.value}};
    if (f.partition) figure["partition"] = *f.partition;
    figures.push_back(std::move(figure));
  }
  const nlohmann::json tree{
      {"process",
       {{"version", version},
        {"pid", ::getpid()},
        {"begun", time_text(seen.running.begun)},
        {"now", time_text(seen.now)},
        {"age_s", (seen.now - seen.running.begun).count / 1000},
        {"resident_bytes", seen.resident_bytes},
        {"cpu_s", seen.cpu_s}}},
      {"engine",
       {{"name", seen.running.engine},
        {"log", seen.running.log},
        {"ready", seen.ready},
        {"alive", seen.alive},
        {"actors_running", c.actors_running},
        {"cart_actors", c.carts_started - c.carts_stopped},
        {"session_actors", c.sessions_started - c.sessions_stopped},
        {"carts_open", c.carts_open},
        {"carts_awake", c.carts_awake},
        {"sessions_open", c.sessions_open},
        {"epitaphs", c.epitaphs},
        {"epitaphs_evicted", c.epitaphs_evicted},
        {"restarts", c.restarts},
        {"rebuilds", c.rebuilds},
        {"carts_quarantined", c.carts_quarantined},
        {"commands", c.commands},
        {"events", c.events},
        {"ticks", c.ticks},
        {"commits", c.commits},
        {"commit_failures", c.commit_failures},
        {"commit_s", c.commit.sum_s},
        {"events_by_type", counts_json<events::EventType>(c.events_by_type)},
        {"rejections_by_code", counts_json<events::Code>(c.rejections_by_code)},
        {"dead_letters_by_reason", counts_json<events::DeadLetterReason>(c.dead_letters_by_reason)}}},
      {"partitions", partitions},
      {"log_figures", figures}};
  return tree.dump();
}

}  // namespace mayfly::tools
