// The processor time that the calling thread has used.
#pragma once

#include <chrono>
#include <ctime>

namespace mayfly::adapters {

inline std::chrono::nanoseconds cpu_of_this_thread() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace mayfly::adapters
