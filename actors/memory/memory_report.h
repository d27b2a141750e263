// What the engine's memory is for, at one moment between two batches. A plain value, for people and programs.
#pragma once

#include "actors/memory/leak.h"
#include "actors/memory/ledger.h"
#include "actors/memory/pressure.h"
#include "events/log/process_memory.h"
#include "events/log/types.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mayfly::actors {

struct MemoryReport {
  events::Timestamp at{};
  std::array<Amounts, purpose_count> purposes{};
  std::array<std::int64_t, purpose_count> peak_bytes{};  // highest at any report so far

  // Actors by our own count, and what the actor system takes for them.
  std::int64_t cart_actors = 0;  // started - stopped
  std::int64_t session_actors = 0;
  std::int64_t cart_actors_started = 0;
  std::int64_t session_actors_started = 0;
  std::int64_t cart_actors_overdue = 0;  // let go long enough ago to be gone, and still there (LetGo)
  std::int64_t session_actors_overdue = 0;
  std::int64_t actors_running = 0;  // by the actor system's count, supervisors included
  std::int64_t supervisors = 0;
  std::int64_t actor_bytes = 0;  // carts' blocks that their sessions keep included
  std::int64_t messages = 0;     // made and not yet destroyed
  std::int64_t message_bytes = 0;

  std::int64_t carts_open = 0;
  std::int64_t carts_awake = 0;
  std::int64_t carts_alive = 0;    // by events: restored + created - ended; must be carts_open
  std::int64_t carts_waiting = 0;  // with a deadline, or quarantined; must be carts_open
  std::int64_t sessions_open = 0;
  std::int64_t sessions_too_old = 0;  // open longer than their deadlines allow
  std::int64_t sessions_awake = 0;    // those of carts awake: each has an actor
  std::int64_t epitaphs = 0;
  std::int64_t commands = 0;
  std::int64_t carts_ended = 0;  // buried by this engine

  std::int64_t log_bytes = 0;  // by the log's own account
  events::ProcessMemory process;
  std::int64_t budget_bytes = -1;  // of the process; -1: not known
  std::int64_t used_bytes = -1;    // of the budget; -1: not known
  PressureLevel pressure = PressureLevel::normal;

  std::vector<Leak> leaks;  // begun and not ended
  std::int64_t leaks_begun = 0;

  [[nodiscard]] const Amounts& of(Purpose purpose) const { return purposes[static_cast<std::size_t>(purpose)]; }
  /// All that has a name, as the allocator counts it: the ledger, actors, messages, the log's own.
  [[nodiscard]] std::int64_t named_bytes() const;
  /// What the allocator gave out and nobody claims; 0 where the allocator does not say.
  [[nodiscard]] std::int64_t unaccounted_bytes() const;
  [[nodiscard]] std::int64_t fragmentation_bytes() const;
  /// Those that a purpose's memory is for: carts awake, open sessions, open carts ...
  [[nodiscard]] std::int64_t owners(Purpose) const;
};

/// One JSON object; docs/memory.md has its members.
[[nodiscard]] std::string to_json(const MemoryReport&);

}  // namespace mayfly::actors
