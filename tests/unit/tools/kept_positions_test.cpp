#include "tools/records/kept_positions.h"
#include "logs/memory_log.h"

#include <doctest/doctest.h>

#include <vector>

using namespace mayfly;
using events::Position;
using events::Stream;

namespace {

class SetClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {1'790'000'000'000}; }
};

}  // namespace

TEST_CASE("a group's position is written when it moves, when nobody knows how old it is, and once an hour") {
  constexpr std::int64_t hour_ms = 3'600'000;
  struct Row {
    const char* when;
    std::int64_t ms;
    std::vector<Position> at;
    bool written;
  };
  const Row rows[] = {
      {"the first time, though the log has it", 0, {{0, 5}}, true},
      {"again", 1, {{0, 5}}, false},
      {"moved", 2, {{0, 6}}, true},
      {"just before the hour is over", hour_ms + 1, {{0, 6}}, false},
      {"as the hour is over", hour_ms + 2, {{0, 6}}, true},
      {"another partition", hour_ms + 3, {{1, 0}}, true},
      {"both, as they were", hour_ms + 4, {{0, 6}, {1, 0}}, false},
      {"both, as one has moved", hour_ms + 5, {{0, 6}, {1, 1}}, true},
  };
  const SetClock clock;
  adapters::MemoryStore store{2, clock};
  adapters::MemoryClient log(store);
  tools::KeptPositions kept(log, "books", Stream::events);
  kept.begin({{0, 5}});
  for (const auto& row : rows) {
    CAPTURE(row.when);
    const Position forgotten[] = {{0, -7}, {1, -7}};
    REQUIRE(log.keep_group_positions("books", Stream::events, forgotten).ok());
    CHECK(kept.keep(row.at, {1'790'000'000'000 + row.ms}).ok());
    for (const auto& at : log.group_positions("books", Stream::events).next) {
      if (at.partition == row.at.back().partition) CHECK((at.offset != -7) == row.written);
    }
  }
}
