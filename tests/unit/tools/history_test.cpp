// The bounded history behind the page: how many looks at an engine it keeps as samples, and what two samples become.
#include "tools/serve/history.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

using mayfly::tools::History;
using mayfly::tools::HistorySample;

namespace {

constexpr std::int64_t begun = 1'000'000;

/// A look each half second, as the front takes them; its commands are its number.
History looked(std::int64_t looks) {
  History history;
  for (std::int64_t i = 0; i < looks; ++i) {
    HistorySample look;
    look.at = {begun + 500 * i};
    look.commands = i + 1;
    history.add(look);
  }
  return history;
}

HistorySample of(std::int64_t ms, std::int64_t used, std::int64_t lag, std::int64_t slowest, std::int64_t commands) {
  HistorySample look;
  look.at = {begun + ms};
  look.used_bytes = used;
  look.memory_bytes[0] = used / 2;
  look.lag_records = lag;
  look.slowest_us = slowest;
  look.commands = commands;
  return look;
}

}  // namespace

TEST_CASE("a history of any length fits, at a step that doubles, and ends with the newest look") {
  struct Row {
    std::int64_t looks, step_ms;
    std::size_t samples;
  };
  constexpr std::int64_t night = 2 * 3'600 * 12;  // half seconds
  const std::vector<Row> rows = {{0, 1'000, 0},     {1, 1'000, 1},     {2, 1'000, 1},
                                 {3, 1'000, 2},     {480, 1'000, 240}, {481, 1'000, 241},
                                 {483, 2'000, 122}, {960, 2'000, 241}, {night, 256'000, 170}};
  for (const auto& row : rows) {
    CAPTURE(row.looks);
    const auto history = looked(row.looks);
    const auto samples = history.samples();
    CHECK(history.step().count == row.step_ms);
    CHECK(samples.size() == row.samples);
    CHECK(samples.size() <= History::capacity + 1);
    if (!samples.empty()) CHECK(samples.back().commands == row.looks);
    for (std::size_t i = 1; i < samples.size(); ++i) {
      CHECK(samples[i - 1].at < samples[i].at);
      CHECK(samples[i - 1].commands < samples[i].commands);
    }
  }
}

TEST_CASE("of two looks the higher level is kept, and the later counter") {
  History history;
  history.add(of(0, 700, 5, -1, 10));
  history.add(of(500, 300, -1, 2'500, 25));
  REQUIRE(history.samples().size() == 1);
  const auto one = history.samples().front();
  CHECK(one.at.ms == begun + 500);
  CHECK(one.used_bytes == 700);
  CHECK(one.memory_bytes[0] == 350);  // of the moment of the highest use: parts and whole agree
  CHECK(one.lag_records == 5);
  CHECK(one.slowest_us == 2'500);
  CHECK(one.commands == 25);
}

TEST_CASE("a peak of one second is still there after a night") {
  History history;
  for (std::int64_t s = 0; s < 12 * 3'600; ++s) history.add(of(s * 1'000, s == 100 ? 900 : 30, 0, -1, s));
  std::int64_t highest = 0;
  for (const auto& sample : history.samples()) highest = std::max(highest, sample.used_bytes);
  CHECK(highest == 900);
}

TEST_CASE("a clock that is set back does not stop the history") {
  History history;
  history.add(of(5'000'000, 1, 0, -1, 1));
  for (std::int64_t s = 0; s < 10; ++s) history.add(of(s * 1'000, 1, 0, -1, 2 + s));
  CHECK(history.samples().size() == 10);
}

TEST_CASE("a history as JSON has a list per figure, all of one length, and says what it takes") {
  const auto json = nlohmann::json::parse(to_json(looked(1'000)));
  const auto length = json["at_ms"].size();
  CHECK(length == looked(1'000).samples().size());
  for (const auto* name : {"used_bytes", "carts_open", "carts_awake", "sessions_open", "sessions_awake", "lag_records",
                           "slowest_us", "commands", "restarts"}) {
    CAPTURE(name);
    CHECK(json[name].size() == length);
  }
  CHECK(json["memory_bytes"].size() == mayfly::tools::memory_group_count);
  CHECK(json["memory_bytes"]["carts"].size() == length);
  CHECK(json["step_ms"] == 4'000);
  CHECK(json["bytes"] == sizeof(History));
  CHECK(sizeof(History) <= 40'000);
}
