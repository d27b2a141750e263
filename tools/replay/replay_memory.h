// What carts and payment sessions take of memory while recorded commands are decided again (docs/replay.md, Does the
// new build take more memory?): at 10, 50 and 100% of the commands, of this program and of another.
#pragma once

#include "actors/engine/engine.h"
#include "tools/replay/replay_recorded.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mayfly::tools {

/// An engine for a replay. `meter`: where memory is to be measured; else null.
[[nodiscard]] actors::EngineConfig config_of_replay(const Recorded&, events::MemoryMeter* meter);

struct MemoryMark {
  int percent = 0;  // of the commands
  std::int64_t commands = 0;
  std::int64_t carts_open = 0;  // awake or asleep
  std::int64_t sessions_open = 0;
  std::int64_t actors_awake = 0;  // carts' and sessions'
  std::int64_t actor_bytes = 0;   // of all carts and sessions, and of what is kept for each open cart
  std::int64_t unaccounted_bytes = 0;
  std::int64_t resident_bytes = 0;

  /// Carts and sessions, awake or asleep.
  [[nodiscard]] std::int64_t actors() const { return carts_open + sessions_open; }
};

struct MemoryCourse {
  std::vector<MemoryMark> marks;
  std::map<std::string, std::int64_t> leaked;  // in the end: bytes taken and held by no actor, by the ledger's purpose

  /// The engine's thread, before each poll: so many commands have been decided, `share` of all.
  void polled(std::int64_t commands, double share, const actors::Engine&);
  void ended(std::int64_t commands, const actors::Engine&);
};

/// A mark as a line, and the way back: false if it is none. The last one says what leaked.
[[nodiscard]] std::string memory_line(const MemoryCourse&, const MemoryMark&);
[[nodiscard]] bool read_memory_line(const std::string&, MemoryCourse&);

/// Sentences about what this program takes that it should not: what leaked, and where it is more than `other`, if that
/// is not null. None: all is well.
[[nodiscard]] std::vector<std::string> judge_memory(const MemoryCourse& own, const MemoryCourse* other);
/// Prints the table and the sentences. exit_failed if there are any.
[[nodiscard]] int say_memory(const MemoryCourse& own, const MemoryCourse* other);

}  // namespace mayfly::tools
