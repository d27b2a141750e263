// What the page is drawn from: one JSON object of now, one sample for the history, quantiles of a histogram.
#include "tools/serve/now.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <numeric>
#include <string>
#include <vector>

using namespace mayfly;

namespace {

actors::Durations durations(const std::vector<double>& seconds) {
  actors::Durations all;
  for (const double s : seconds) all.add(s);
  return all;
}

tools::Observed busy() {
  tools::Observed o;
  o.running = {"shop", "sqlite:shop.db", {1'000}};
  o.now = {61'000};
  o.census.carts_open = 5;
  o.census.carts_awake = 2;
  o.census.sessions_open = 3;
  o.census.sessions_awake = 1;
  o.census.commands = 90;
  o.figures.partitions = {{.partition = 0, .lag_records = 4}, {.partition = 1, .lag_records = 9}};
  o.figures.others = {{.name = "wal_bytes", .value = 77}};
  o.memory.purposes[static_cast<std::size_t>(actors::Purpose::cart_lines)].taken_bytes = 100;
  o.memory.purposes[static_cast<std::size_t>(actors::Purpose::cart_id)].rounding_bytes = 10;
  o.memory.purposes[static_cast<std::size_t>(actors::Purpose::log_records)].taken_bytes = 7;
  o.memory.log_bytes = 20;
  o.memory.actor_bytes = 40;
  o.memory.message_bytes = 2;
  o.memory.used_bytes = 1'000;
  return o;
}

}  // namespace

TEST_CASE("a quantile lies where Prometheus puts it, of what was counted since") {
  struct Row {
    std::vector<double> before, now;
    double share, at_s;
  };
  const std::vector<Row> rows = {
      {{}, {}, 0.99, -1},
      {{0.2}, {0.2}, 0.99, -1},
      {{}, {0.0005, 0.0005}, 0.5, 0.0005},  // half of the first bucket
      {{}, {0.003, 0.003, 0.003, 0.07}, 0.5, 0.0025 + 0.0025 * 2 / 3},
      {{}, {0.003, 0.003, 0.003, 0.07}, 1, 0.1},
      {{9}, {9, 0.003}, 0.99, 0.0025 + 0.0025 * 0.99},  // what was before does not count
      {{}, {60}, 0.99, 10},                             // beyond the last bound
  };
  for (const auto& row : rows) {
    CAPTURE(row.share);
    CHECK(tools::quantile_s(durations(row.now), durations(row.before), row.share) == doctest::Approx(row.at_s));
  }
}

TEST_CASE("a sample's memory is all that is used of the budget, by group") {
  const auto sample = tools::sample_of(busy(), {});
  const auto bytes = [&](tools::MemoryGroup g) { return sample.memory_bytes[static_cast<std::size_t>(g)]; };
  CHECK(bytes(tools::MemoryGroup::carts) == 110);
  CHECK(bytes(tools::MemoryGroup::log) == 27);
  CHECK(bytes(tools::MemoryGroup::actors) == 42);
  CHECK(bytes(tools::MemoryGroup::other) == 1'000 - 110 - 27 - 42);
  CHECK(std::accumulate(sample.memory_bytes.begin(), sample.memory_bytes.end(), std::int64_t{0}) == sample.used_bytes);
}

TEST_CASE("a sample's lag is that of all partitions, and what is not known is -1") {
  auto seen = busy();
  seen.census.committed.add(0.0005);
  const auto sample = tools::sample_of(seen, {});
  CHECK(sample.lag_records == 13);
  CHECK(sample.slowest_us == 990);
  CHECK(sample.sessions_awake == 1);
  seen.figures = {};
  const auto nothing = tools::sample_of(seen, seen.census.committed);
  CHECK(nothing.lag_records == -1);
  CHECK(nothing.slowest_us == -1);
}

TEST_CASE("now has the tree as /tree has it, memory as /memory has it, and what the log says") {
  const auto seen = busy();
  const auto json = nlohmann::json::parse(tools::now_json(seen, R"({"alerts":[]})"));
  CHECK(json["tree"] == nlohmann::json::parse(tools::tree_json(seen)));
  CHECK(json["memory"] == nlohmann::json::parse(to_json(seen.memory)));
  CHECK(json["log"]["alerts"].empty());
  CHECK(json["command_age"]["bounds_s"].size() + 1 == json["command_age"]["counts"].size());
}
