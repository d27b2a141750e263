#include "actors/memory/arena.h"

#include "actors/memory/actor_memory.h"
#include "actors/memory/ledger.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory_resource>

using namespace mayfly;

namespace {

struct Counted {
  actors::Ledger ledger;
  actors::ActorMemory<1> memory{ledger, actors::Purpose::codec_arena, std::numeric_limits<std::int64_t>::max()};
  actors::Arena arena{memory.of(0)};

  void use(std::size_t bytes) {
    constexpr std::size_t piece = 1'000;
    for (; bytes > 0; bytes -= std::min(bytes, piece)) {
      std::memset(arena.allocate(std::min(bytes, piece), 1), 1, std::min(bytes, piece));
    }
  }
};

constexpr auto page = static_cast<std::int64_t>(actors::Arena::page_bytes);

}  // namespace

TEST_CASE("an arena's pieces are aligned, do not overlap and end with it") {
  Counted one;
  for (const std::size_t alignment : {1U, 2U, 8U, 16U, 64U}) {
    for (const std::size_t bytes : {0U, 1U, 7U, 100U, 16'000U, 17'000U, 65'536U, 1'000'000U}) {
      CAPTURE(alignment);
      CAPTURE(bytes);
      auto* begin = static_cast<char*>(one.arena.allocate(bytes, alignment));
      CHECK(reinterpret_cast<std::uintptr_t>(begin) % alignment == 0);
      std::memset(begin, 7, bytes);
      auto* next = static_cast<char*>(one.arena.allocate(1, 1));
      CHECK((next < begin || next >= begin + bytes));
    }
  }
  CHECK(one.arena.bytes() == one.memory.bytes());
  one.arena.give_back();
  CHECK(one.arena.bytes() == 0);
  CHECK(one.memory.bytes() == 0);
}

TEST_CASE("an arena's pages serve the next batch, and what a large one needed goes back within a few small ones") {
  Counted one;
  one.use(10 * actors::Arena::page_bytes);
  const auto most = one.arena.bytes();
  CHECK(most >= 10 * page);
  CHECK(most <= 11 * page);
  one.arena.release();
  CHECK(one.arena.bytes() == most);
  one.use(10 * actors::Arena::page_bytes);
  CHECK(one.arena.bytes() == most);
  for (int i = 0; i < 20; ++i) {
    one.arena.release();
    one.use(100);
  }
  CHECK(one.arena.bytes() <= 2 * page);
  CHECK(one.arena.bytes() >= page);
}

TEST_CASE("a piece too large for a page goes back with its batch") {
  Counted one;
  static_cast<void>(one.arena.allocate(1'000'000, 8));
  CHECK(one.arena.bytes() > 1'000'000);
  one.arena.release();
  CHECK(one.arena.bytes() == 0);
}
