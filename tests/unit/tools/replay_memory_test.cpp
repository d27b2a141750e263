// Two programs' memory on the same commands: what is more than they may differ by is told, and nothing else.
#include "tools/replay/replay_memory.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mayfly::tools;

namespace {

constexpr std::int64_t mib = 1024 * 1024;

MemoryCourse course(std::int64_t actor_bytes, std::int64_t unaccounted_bytes) {
  MemoryCourse made;
  for (const int percent : {10, 50, 100}) {
    MemoryMark mark;
    mark.percent = percent;
    mark.commands = percent * 10;
    mark.carts_open = 100;
    mark.sessions_open = 20;
    mark.actors_awake = 30;
    mark.actor_bytes = actor_bytes;
    mark.unaccounted_bytes = unaccounted_bytes;
    mark.resident_bytes = 90 * mib;
    made.marks.push_back(mark);
  }
  return made;
}

}  // namespace

TEST_CASE(
    "more memory than another program's is told beyond a tenth and a mebibyte, unaccounted beyond a quarter and "
    "eight") {
  struct Row {
    std::int64_t own, other;
    bool told;
  };
  const auto other = course(20 * mib, 40 * mib);
  for (const auto& row : std::vector<Row>{{20 * mib, 20 * mib, false},
                                          {22 * mib, 20 * mib, false},
                                          {22 * mib + 1, 20 * mib, true},
                                          {10 * mib, 20 * mib, false},
                                          {2 * mib, mib, false},
                                          {2 * mib + 1, mib, true},
                                          {mib, 0, false},
                                          {mib + 1, 0, true}}) {
    CAPTURE(row.own);
    CAPTURE(row.other);
    const auto others = course(row.other, 0);
    CHECK(judge_memory(course(row.own, 0), &others).size() == (row.told ? 3 : 0));
  }
  CHECK(judge_memory(course(20 * mib, 50 * mib), &other).empty());
  CHECK(judge_memory(course(20 * mib, 50 * mib + 1), &other).size() == 3);
  const auto small = course(0, mib);
  CHECK(judge_memory(course(0, 9 * mib), &small).empty());
  CHECK(judge_memory(course(0, 9 * mib + 1), &small).size() == 3);
}

TEST_CASE("a leak that the ledger names is told without another program, with its bytes") {
  auto own = course(20 * mib, 0);
  CHECK(judge_memory(own, nullptr).empty());
  own.leaked["cart.lines"] = 12'345;
  CHECK(judge_memory(own, nullptr) ==
        std::vector<std::string>{"leaks: cart.lines has 12,345 bytes that no actor holds"});
}

TEST_CASE("what a program prints of its memory is read as it was") {
  auto own = course(20 * mib, 3);
  own.leaked["cart.id"] = 7;
  MemoryCourse read;
  for (const auto& mark : own.marks) CHECK(read_memory_line(memory_line(own, mark), read));
  CHECK(read.leaked == own.leaked);
  REQUIRE(read.marks.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(memory_line(read, read.marks[i]) == memory_line(own, own.marks[i]));
}

TEST_CASE("what is no line about memory, or out of order, is not read") {
  const auto own = course(1, 1);
  for (const std::string& line : {std::string("{}"), std::string("12 commands"), memory_line(own, own.marks[1]),
                                  std::string(R"({"percent":10,"commands":"many"})")}) {
    CAPTURE(line);
    MemoryCourse read;
    CHECK_FALSE(read_memory_line(line, read));
  }
}
