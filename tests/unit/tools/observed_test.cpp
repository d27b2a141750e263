#include "tools/serve/observed.h"
#include "tools/serve/named_figures.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <set>
#include <string>

using namespace mayfly;

namespace {

tools::Observed seen() {
  tools::Observed o;
  o.running = {"sh\"op", "sqlite:shop.db", {1'000}};
  o.now = {61'000};
  o.census.carts_open = 5;
  o.census.carts_awake = 2;
  o.census.epitaphs_evicted = 7;
  o.census.alerts_open[static_cast<std::size_t>(actors::LastingAlert::clocks_apart)] = 1;
  o.log_silent = true;
  o.census.commit.add(0.002);
  o.census.commit.add(0.02);
  o.census.commit.add(60);
  o.census.events_by_type[static_cast<std::size_t>(events::EventType::order_placed)] = 3;
  actors::PartitionView p;
  p.partition = 1;
  p.phase = actors::PartitionPhase::serving;
  p.since = {31'000};
  p.newest.push_back({"the actor of a cart died", {50'000}});
  p.renewals.newest_fields = {"lines"};
  o.partitions.push_back(p);
  o.figures.partitions = {{.partition = 0, .lag_records = 4}, {.partition = 1, .lag_records = 9}};
  o.figures.others = {{.name = "aborts", .value = 2, .counts = true}};
  return o;
}

bool has(const std::string& text, const std::string& line) { return text.find(line + "\n") != std::string::npos; }

}  // namespace

TEST_CASE("metrics say each family once, with labels escaped and buckets that add up") {
  const auto text = tools::metrics_text(seen());
  for (const auto* line :
       {R"(mayfly_build_info{version="0.1.0",engine="sh\"op",log="sqlite"} 1)", R"(mayfly_carts_open{state="awake"} 2)",
        R"(mayfly_carts_open{state="sleeping"} 3)", R"(mayfly_events_total{type="order.placed"} 3)",
        R"(mayfly_commit_seconds_bucket{le="0.0025"} 1)", R"(mayfly_commit_seconds_bucket{le="0.025"} 2)",
        R"(mayfly_commit_seconds_bucket{le="10"} 2)", R"(mayfly_commit_seconds_bucket{le="+Inf"} 3)",
        R"(mayfly_alerts_open{name="clocks_apart"} 1)", R"(mayfly_alerts_open{name="leak"} 0)",
        R"(mayfly_alerts_open{name="log_silent"} 1)", R"(mayfly_alerts_open{name="record_too_large"} 0)",
        "mayfly_epitaphs_evicted_total 7", "mayfly_commit_seconds_count 3", R"(mayfly_partitions{phase="serving"} 1)",
        R"(mayfly_log_lag_records{partition="1"} 9)", "mayfly_log_aborts_total 2"}) {
    CHECK_MESSAGE(has(text, line), line);
  }
  const std::string family = "# TYPE mayfly_log_lag_records gauge\n";
  CHECK(text.find(family) != std::string::npos);
  CHECK(text.find(family, text.find(family) + 1) == std::string::npos);
}

TEST_CASE(
    "a log's figures have their names, in the order of the pages: the broker's, the partitions', then the others") {
  events::LogFigures figures;
  figures.broker = {.committed = 5, .failed = 1, .times = {{1, 2, 3, 4, 5, 6, 7}, 90, 8}, .rebalances = 9};
  figures.partitions = {{.partition = 0, .lag_records = 3, .pending_records = 2, .stable_offset = 77},
                        {.partition = 4, .lag_records = 1, .first_offset = 6}};
  figures.others = {{.name = "wal_bytes", .value = 11, .limit = 10},
                    {.name = "removed_records", .value = 12, .counts = true}};
  std::string all;
  for (const auto& f : tools::named(figures)) {
    all += f.name + (f.partition ? "{" + std::to_string(*f.partition) + "}" : "") + (f.counts ? "+" : "") + " " +
           std::to_string(static_cast<std::int64_t>(f.value)) + "\n";
  }
  CHECK(all ==
        "transactions_committed+ 5\ntransactions_aborted+ 0\ntransactions_indefinite+ 0\ntransactions_fenced+ 0\n"
        "transactions_failed+ 1\ntransactions_within_10_ms+ 1\ntransactions_within_25_ms+ 2\n"
        "transactions_within_50_ms+ 3\ntransactions_within_100_ms+ 4\ntransactions_within_250_ms+ 5\n"
        "transactions_within_1000_ms+ 6\ntransactions_within_5000_ms+ 7\ntransactions_time_us+ 90\nrebalances+ 9\n"
        "ticks_failed+ 0\ntransactions_longest_us 8\nlag_records{0} 3\npending_records{0} 2\nstable_offset{0} 77\n"
        "lag_records{4} 1\nfirst_offset{4} 6\nwal_bytes 11\nremoved_records+ 12\n");
}

TEST_CASE("the tree is JSON: process, engine, partitions with phase, age and newest restarts") {
  const auto tree = nlohmann::json::parse(tools::tree_json(seen()));
  CHECK(tree["process"]["age_s"] == 60);
  CHECK(tree["engine"]["carts_open"] == 5);
  CHECK(tree["engine"]["epitaphs_evicted"] == 7);
  CHECK(tree["engine"]["events_by_type"] == nlohmann::json{{"order.placed", 3}});
  REQUIRE(tree["partitions"].size() == 1);
  CHECK(tree["partitions"][0]["phase"] == "serving");
  CHECK(tree["partitions"][0]["age_s"] == 30);
  CHECK(tree["partitions"][0]["newest_restarts"][0]["reason"] == "the actor of a cart died");
}

TEST_CASE("the members of the tree are what others read it by") {
  std::set<std::string> members;
  const std::function<void(const nlohmann::json&, const std::string&)> walk = [&](const auto& value, const auto& path) {
    if (value.is_array()) {
      REQUIRE(!value.empty());
      for (const auto& one : value) walk(one, path + "[]");
    } else if (value.is_object() && !path.ends_with("_by_type") && !path.ends_with("_by_code") &&
               !path.ends_with("_by_reason")) {
      for (const auto& [name, member] : value.items()) walk(member, path.empty() ? name : path + "." + name);
    } else {
      members.insert(path);
    }
  };
  walk(nlohmann::json::parse(tools::tree_json(seen())), "");
  CHECK(members == std::set<std::string>{"engine.actors_running",
                                         "engine.alive",
                                         "engine.cart_actors",
                                         "engine.carts_awake",
                                         "engine.carts_open",
                                         "engine.carts_quarantined",
                                         "engine.commands",
                                         "engine.commit_failures",
                                         "engine.commit_s",
                                         "engine.commits",
                                         "engine.dead_letters_by_reason",
                                         "engine.epitaphs",
                                         "engine.epitaphs_evicted",
                                         "engine.events",
                                         "engine.events_by_type",
                                         "engine.log",
                                         "engine.name",
                                         "engine.ready",
                                         "engine.rebuilds",
                                         "engine.rejections_by_code",
                                         "engine.restarts",
                                         "engine.session_actors",
                                         "engine.sessions_open",
                                         "engine.ticks",
                                         "log_figures[].name",
                                         "log_figures[].partition",
                                         "log_figures[].value",
                                         "partitions[].age_s",
                                         "partitions[].carts_awake",
                                         "partitions[].carts_open",
                                         "partitions[].commands",
                                         "partitions[].epitaphs",
                                         "partitions[].epitaphs_evicted",
                                         "partitions[].newest_restarts[].at",
                                         "partitions[].newest_restarts[].reason",
                                         "partitions[].next_offset",
                                         "partitions[].partition",
                                         "partitions[].phase",
                                         "partitions[].renewals.carts",
                                         "partitions[].renewals.count",
                                         "partitions[].renewals.differences",
                                         "partitions[].renewals.newest",
                                         "partitions[].renewals.newest_carts",
                                         "partitions[].renewals.newest_differences",
                                         "partitions[].renewals.newest_fields[]",
                                         "partitions[].renewals.newest_ms",
                                         "partitions[].restarts",
                                         "partitions[].sessions_open",
                                         "partitions[].ticked",
                                         "partitions[].times_taken",
                                         "process.age_s",
                                         "process.begun",
                                         "process.cpu_s",
                                         "process.now",
                                         "process.pid",
                                         "process.resident_bytes",
                                         "process.version"});
}
