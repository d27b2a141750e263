// How short of memory the process is, in steps, from samples alone: no clock, no I/O. Up at once, down one step at a
// time (docs/memory.md, Safeguards).
#pragma once

#include "events/log/types.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mayfly::actors {

enum class PressureLevel : std::uint8_t {
  normal,
  sleep_more,        // carts sleep as soon as they are idle, free pages go back to the system
  admission_closed,  // and cart.create is answered try_later, by a tick's settings
  reading_stopped,   // and reading pauses, but never for long: what is paid goes on, deadlines fire
};
std::string_view name(PressureLevel);

struct PressureSample {
  events::Timestamp at{};
  std::int64_t used_bytes = -1;         // of the budget, page cache not among it; -1: not known
  std::int64_t budget_bytes = -1;       // -1: not known
  std::int64_t pressure_permille = -1;  // PSI, some, of the last 10 s; -1: not known
  std::int64_t limit_hits = -1;         // of the cgroup, since it was made; -1: not known
};

class PressureLadder {
 public:
  /// Thousandths of the budget from which a level holds.
  static constexpr std::array<std::int64_t, 4> from_permille = {0, 800, 900, 960};
  /// A cgroup that was at its limit is short of memory only if so much is used: else the page cache filled it, which
  /// gives way to whoever needs memory.
  static constexpr std::int64_t limit_hit_from_permille = 700;
  /// A level is left when so much less is used.
  static constexpr std::int64_t margin_permille = 50;
  /// Thousandths of time in which tasks waited for memory, from which a level holds. Other processes' too, so it alone
  /// never stops reading.
  static constexpr std::int64_t waiting_sleep_more_permille = 100;
  static constexpr std::int64_t waiting_close_permille = 400;
  /// A level holds at least so long, so that what it does can show.
  static constexpr events::Millis hold{5'000};

  /// The level from this sample on.
  PressureLevel look(const PressureSample&);
  [[nodiscard]] PressureLevel level() const { return level_; }

 private:
  [[nodiscard]] PressureLevel wanted(const PressureSample&, std::int64_t margin_permille, bool at_limit) const;

  PressureLevel level_ = PressureLevel::normal;
  events::Timestamp since_{};
  std::int64_t limit_hits_ = -1;
};

/// What the process may take: `given_bytes`, or where that is 0 so many percent of what there is. -1: not known.
[[nodiscard]] std::int64_t process_budget(std::int64_t given_bytes, std::int64_t percent, std::int64_t limit_bytes);

}  // namespace mayfly::actors
