#include "engine/leaks/planted.h"

#include <atomic>
#include <new>
#include <string_view>

namespace mayfly::leaks {

Planted planted;

// In the table all runs on one thread; in mayfly_leaking actors of several threads come by.

void happened(What what) {
  if (what == planted.per) ++std::atomic_ref(planted.due);
}

void leak_here(const char* purpose, std::pmr::memory_resource* memory) {
  constexpr std::int64_t most_at_once = 64;
  std::atomic_ref due(planted.due);
  if (due == 0 || std::string_view(purpose) != planted.purpose) return;
  for (std::int64_t i = 0; i < most_at_once && due > 0; ++i, --due) {
    static_cast<void>(memory != nullptr ? memory->allocate(planted.bytes) : ::operator new(planted.bytes));
    std::atomic_ref(planted.leaked) += static_cast<std::int64_t>(planted.bytes);
  }
}

bool keeps(const char* purpose) { return std::string_view(purpose) == planted.purpose; }

}  // namespace mayfly::leaks
