// What every actor of one engine may use, and the counters they keep. Outlives them all.
#pragma once

#include "actors/supervision.h"
#include "events/types.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <string>
#include <string_view>

namespace mayfly::actors {

/// Actors made and destroyed, counted in their constructors and destructors, by any thread.
struct Lives {
  std::atomic<std::int64_t> carts_started{0};
  std::atomic<std::int64_t> carts_stopped{0};
  std::atomic<std::int64_t> sessions_started{0};
  std::atomic<std::int64_t> sessions_stopped{0};
};

struct Environment {
  std::string engine;                                                             // its name, as in ce_source
  std::function<void(std::string_view cart_id, events::Position)> before_decide;  // test seam, may throw
  std::function<void(Step, events::Position)> at_step;                            // test seam, may throw
  Withheld withheld;                                                              // null: nothing is
  Supervision supervision;
  std::pmr::memory_resource* cart_memory = std::pmr::get_default_resource();
  std::pmr::memory_resource* session_memory = std::pmr::get_default_resource();
  Lives lives;
};

}  // namespace mayfly::actors
