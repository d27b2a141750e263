// What the process takes and may take, as an adapter reads it. Nothing here decides: events do not read memory.
#pragma once

#include <cstdint>
#include <string>

namespace mayfly::events {

/// Bytes; -1 where this system does not say.
struct ProcessMemory {
  std::int64_t allocated = -1;          // given out by the allocator
  std::int64_t resident = -1;           // of the process, with what it maps of files
  std::int64_t anonymous = -1;          // of the process, without
  std::int64_t group_anonymous = -1;    // of the cgroup, where the limit is one of a cgroup: never the page cache
  std::int64_t limit = -1;              // of the cgroup, else the machine's
  std::int64_t pressure_permille = -1;  // PSI: of the last 10 s, some task waited for memory
  std::int64_t limit_hits = -1;         // times the cgroup was at its limit, since it was made
};

class MemoryMeter {
 public:
  virtual ~MemoryMeter() = default;
  MemoryMeter() = default;
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;

  [[nodiscard]] virtual ProcessMemory read() = 0;
  /// Gives memory that is free in the allocator back to the system.
  virtual void give_back() {}
  /// Writes who allocated what is allocated; the file's name, or empty if profiling is off.
  virtual std::string dump_profile() { return {}; }
};

}  // namespace mayfly::events
