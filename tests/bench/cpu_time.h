// What this process has used of the processors.
#pragma once

#include <sys/resource.h>

namespace mayfly::bench {

/// User and system time of all its threads.
inline double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

/// Most that was resident, in MiB.
inline long peak_rss_mib() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return use.ru_maxrss / 1024;
}

}  // namespace mayfly::bench
