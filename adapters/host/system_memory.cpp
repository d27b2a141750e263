#include "adapters/host/system_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <sstream>

// jemalloc's control, if the program was linked with it.
extern "C" int mallctl(const char* name, void* old, std::size_t* old_size, void* set, std::size_t set_size)
    __attribute__((weak));

namespace mayfly::adapters {

namespace {

// cgroup v1 says "no limit" with the largest multiple of a page.
constexpr std::int64_t no_limit_from = std::int64_t{1} << 60;

std::int64_t number_in(const std::string& file) {
  std::ifstream in(file);
  std::int64_t number = -1;
  return in >> number ? number : -1;
}

/// The number behind `word` in lines of "word number".
std::int64_t number_behind(const std::string& file, const std::string& word) {
  std::ifstream in(file);
  std::string found;
  std::int64_t number = -1;
  while (in >> found >> number) {
    if (found == word) return number;
    in.ignore(256, '\n');
  }
  return -1;
}

/// "some avg10=1.23 ..." in thousandths.
std::int64_t pressure(const std::string& file) {
  std::ifstream in(file);
  std::string some;
  std::string avg10;
  if (!(in >> some >> avg10) || some != "some" || !avg10.starts_with("avg10=")) return -1;
  std::istringstream value(avg10.substr(6));
  double percent = 0;
  return value >> percent ? static_cast<std::int64_t>(percent * 10) : -1;
}

/// The process's cgroup in a controller's hierarchy: lines "id:controllers:path".
std::optional<std::string> cgroup_path(const std::string& file, const std::string& controller) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controller.empty() ? names == ",," : names.find("," + controller + ",") != std::string::npos) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

bool readable(const std::string& file) { return std::ifstream(file).good(); }

std::int64_t allocator_says(const char* name) {
  std::size_t value = 0;
  std::size_t size = sizeof value;
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? static_cast<std::int64_t>(value) : -1;
}

}  // namespace

SystemMemory::SystemMemory(std::string root, std::string profile_folder)
    : root_(std::move(root)), profile_folder_(std::move(profile_folder)) {
  const auto of_process = root_ + "proc/self/cgroup";
  pressure_ = root_ + "proc/pressure/memory";
  machine_kib_ = number_behind(root_ + "proc/meminfo", "MemTotal:");
  // What a cgroup around it may take is its limit too: the lowest counts.
  const auto find = [this](const std::string& mounted, std::string path, std::initializer_list<const char*> limits) {
    if (!readable(mounted + path + "/" + *limits.begin())) return false;
    for (;; path.erase(path.rfind('/'))) {
      for (const auto* limit : limits) cgroup_limits_.push_back(mounted + path + "/" + limit);
      if (path.find('/') == std::string::npos) return true;
    }
  };
  const auto v2 = [&](const std::string& path) {
    const auto mounted = root_ + "sys/fs/cgroup";
    if (!find(mounted, path, {"memory.max", "memory.high"})) return false;
    cgroup_events_ = mounted + path + "/memory.events";
    cgroup_stat_ = mounted + path + "/memory.stat";
    cgroup_anonymous_ = "anon";
    if (readable(mounted + path + "/memory.pressure")) pressure_ = mounted + path + "/memory.pressure";
    return true;
  };
  const auto v1 = [&](const std::string& path) {
    const auto mounted = root_ + "sys/fs/cgroup/memory";
    if (!find(mounted, path, {"memory.limit_in_bytes"})) return false;
    cgroup_events_ = mounted + path + "/memory.failcnt";
    cgroup_stat_ = mounted + path + "/memory.stat";
    cgroup_anonymous_ = "total_rss";
    return true;
  };
  // In a container the path named may lie outside of what is mounted: then its root is this container's.
  if (const auto path = cgroup_path(of_process, ""); path && (v2(*path) || v2(""))) return;
  if (const auto path = cgroup_path(of_process, "memory"); path && !v1(*path)) v1("");
}

events::ProcessMemory SystemMemory::read() {
  events::ProcessMemory m;
  if (mallctl != nullptr) {
    std::uint64_t epoch = 1;
    std::size_t size = sizeof epoch;
    mallctl("epoch", &epoch, &size, &epoch, size);
    // What threads keep at hand counts as given out, and comes and goes.
    const auto at_hand = allocator_says("stats.arenas.4096.tcache_bytes");  // MALLCTL_ARENAS_ALL
    m.allocated = allocator_says("stats.allocated") - std::max<std::int64_t>(at_hand, 0);
  }
  std::ifstream statm(root_ + "proc/self/statm");
  std::int64_t pages = 0;
  std::int64_t of_files = 0;
  if (statm >> pages >> pages >> of_files) {
    m.resident = pages * ::sysconf(_SC_PAGESIZE);
    m.anonymous = (pages - of_files) * ::sysconf(_SC_PAGESIZE);
  }
  if (machine_kib_ > 0) m.limit = machine_kib_ * 1024;
  for (const auto& file : cgroup_limits_) {
    const auto limit = number_in(file);
    if (limit <= 0 || limit >= no_limit_from || (m.limit >= 0 && limit >= m.limit)) continue;
    m.limit = limit;
    m.group_anonymous = 0;
  }
  if (m.group_anonymous == 0) m.group_anonymous = number_behind(cgroup_stat_, cgroup_anonymous_);
  if (cgroup_events_.ends_with("events")) {
    const auto throttled = number_behind(cgroup_events_, "high");
    const auto at_limit = number_behind(cgroup_events_, "max");
    if (at_limit >= 0) m.limit_hits = at_limit + std::max<std::int64_t>(throttled, 0);
  } else if (!cgroup_events_.empty()) {
    m.limit_hits = number_in(cgroup_events_);
  }
  m.pressure_permille = pressure(pressure_);
  return m;
}

void SystemMemory::give_back() {
  constexpr auto all_arenas = "arena.4096.purge";  // MALLCTL_ARENAS_ALL
  if (mallctl != nullptr) mallctl(all_arenas, nullptr, nullptr, nullptr, 0);
}

std::string SystemMemory::dump_profile() {
  if (mallctl == nullptr || profile_folder_.empty()) return {};
  const auto file =
      profile_folder_ + "/mayfly-" + std::to_string(::getpid()) + "-" + std::to_string(++profiles_) + ".heap";
  const char* name = file.c_str();
  return mallctl("prof.dump", nullptr, nullptr, &name, sizeof name) == 0 ? file : std::string();
}

}  // namespace mayfly::adapters
