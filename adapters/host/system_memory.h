// What this process takes and may take: jemalloc where it is linked, /proc, cgroup v1 or v2, pressure stall
// information. Reads files only.
#pragma once

#include "events/log/process_memory.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mayfly::adapters {

class SystemMemory final : public events::MemoryMeter {
 public:
  /// `root` is "/" but in tests. `profile_folder`: where heap profiles are written, if the program was started with
  /// MALLOC_CONF=prof:true; empty: nowhere.
  explicit SystemMemory(std::string root = "/", std::string profile_folder = {});

  [[nodiscard]] events::ProcessMemory read() override;
  void give_back() override;
  std::string dump_profile() override;

 private:
  std::string root_;
  std::string profile_folder_;
  std::int64_t machine_kib_ = -1;
  int profiles_ = 0;                        // written so far
  std::vector<std::string> cgroup_limits_;  // files: of its cgroup and of those around it; empty: there is none
  std::string cgroup_events_;
  std::string cgroup_stat_;
  std::string cgroup_anonymous_;  // its line in there
  std::string pressure_;
};

}  // namespace mayfly::adapters
