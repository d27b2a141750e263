#include "adapters/host/system_memory.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace mayfly;
namespace fs = std::filesystem;

namespace {

/// A folder that looks like the root of a system.
struct Root {
  Root() {
    fs::create_directories(path + "proc/self");
    fs::create_directories(path + "proc/pressure");
    put("proc/self/statm", "1000 250 10 1 0 100 0");
    put("proc/meminfo", "MemTotal:       16384 kB\nMemFree:         1024 kB\n");
  }
  ~Root() { fs::remove_all(path); }
  void put(const std::string& file, const std::string& text) const {
    fs::create_directories(fs::path(path + file).parent_path());
    std::ofstream(path + file) << text;
  }
  std::string path = fs::temp_directory_path().string() + "/mayfly-root-" + std::to_string(::getpid()) + "/";
};

}  // namespace

TEST_CASE("without a cgroup the limit is the machine's memory") {
  const Root root;
  const auto read = adapters::SystemMemory(root.path).read();
  CHECK(read.limit == 16384 * 1024);
  CHECK(read.resident == 250 * ::sysconf(_SC_PAGESIZE));
  CHECK(read.anonymous == 240 * ::sysconf(_SC_PAGESIZE));
  CHECK(read.group_anonymous == -1);
  CHECK(read.pressure_permille == -1);
  CHECK(read.limit_hits == -1);
}

TEST_CASE("cgroup v2 gives the limit and how often it was hit") {
  const Root root;
  root.put("proc/self/cgroup", "0::/system.slice/mayfly.service\n");
  root.put("sys/fs/cgroup/system.slice/mayfly.service/memory.max", "8388608\n");
  root.put("sys/fs/cgroup/system.slice/mayfly.service/memory.events", "low 0\nhigh 1\nmax 7\noom 0\n");
  root.put("proc/pressure/memory", "some avg10=12.34 avg60=1.00 avg300=0.00 total=5\nfull avg10=0.00\n");
  const auto read = adapters::SystemMemory(root.path).read();
  CHECK(read.limit == 8'388'608);
  CHECK(read.group_anonymous == -1);  // the kernel does not say
  CHECK(read.limit_hits == 8);        // memory.high among them
  CHECK(read.pressure_permille == 123);
}

TEST_CASE("a cgroup without a limit has the machine's") {
  const Root root;
  root.put("proc/self/cgroup", "0::/a\n");
  root.put("sys/fs/cgroup/a/memory.max", "max\n");
  CHECK(adapters::SystemMemory(root.path).read().limit == 16384 * 1024);
}

TEST_CASE("the lowest limit of a cgroup and of those around it counts, and its own pressure") {
  const Root root;
  root.put("proc/self/cgroup", "0::/pod/mayfly\n");
  root.put("sys/fs/cgroup/pod/mayfly/memory.max", "8388608\n");
  root.put("sys/fs/cgroup/pod/mayfly/memory.pressure", "some avg10=3.00 avg60=0.00 avg300=0.00 total=5\n");
  root.put("proc/pressure/memory", "some avg10=90.00 avg60=1.00 avg300=0.00 total=5\n");
  CHECK(adapters::SystemMemory(root.path).read().limit == 8'388'608);
  CHECK(adapters::SystemMemory(root.path).read().pressure_permille == 30);
  root.put("sys/fs/cgroup/pod/mayfly/memory.high", "7340032\n");
  CHECK(adapters::SystemMemory(root.path).read().limit == 7'340'032);
  root.put("sys/fs/cgroup/pod/memory.max", "6291456\n");
  CHECK(adapters::SystemMemory(root.path).read().limit == 6'291'456);
}

TEST_CASE("cgroup v1 is read where v2 has no memory controller, also from inside a container") {
  const Root root;
  root.put("proc/self/cgroup", "4:memory:/docker/0123\n1:cpu:/\n0::/\n");
  root.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "4194304\n");
  root.put("sys/fs/cgroup/memory/memory.failcnt", "3\n");
  auto read = adapters::SystemMemory(root.path).read();
  CHECK(read.limit == 4'194'304);
  CHECK(read.limit_hits == 3);
  root.put("sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes", "2097152\n");
  read = adapters::SystemMemory(root.path).read();
  CHECK(read.limit == 2'097'152);
}

TEST_CASE("the page cache of a large log is no memory that is used, in either version of cgroups") {
  struct Version {
    const char* cgroup;
    const char* folder;
    const char* limit;
    const char* stat;
  };
  const Version versions[] = {
      {"0::/shop\n", "sys/fs/cgroup/shop/", "memory.max",
       "anon 41943040\nfile 470810624\nkernel 1000\nanon_thp 0\ninactive_anon 1\n"},
      {"4:memory:/shop\n", "sys/fs/cgroup/memory/shop/", "memory.limit_in_bytes",
       "cache 470810624\nrss 1048576\nmapped_file 0\ntotal_cache 470810624\ntotal_rss 41943040\n"},
  };
  for (const auto& version : versions) {
    const std::string limit = version.limit;
    CAPTURE(limit);
    const Root root;
    root.put("proc/meminfo", "MemTotal:       1048576 kB\n");
    root.put("proc/self/cgroup", version.cgroup);
    root.put(version.folder + limit, "536870912\n");
    root.put(version.folder + std::string("memory.stat"), version.stat);
    CHECK(adapters::SystemMemory(root.path).read().group_anonymous == 40 << 20);
    root.put(version.folder + limit, "9223372036854771712\n");  // no limit: others are not ours
    CHECK(adapters::SystemMemory(root.path).read().group_anonymous == -1);
  }
}
