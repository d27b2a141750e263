// How fast is the engine on a log that is full already? Usage: bench memory|sqlite:FILE [CARTS [LINES [CONCURRENT]]]
// What does one look at memory cost (memory.look_interval_ms)? Usage: bench look
#include "actors/engine/engine.h"
#include "actors/memory/leak_watch.h"
#include "adapters/host/system_memory.h"
#include "adapters/host/wall_clock.h"
#include "adapters/open_log.h"
#include "adapters/sqlite/sqlite_client.h"
#include "bench/cpu_time.h"
#include "bench/workload.h"
#include "logs/memory_log.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace mayfly;

namespace {

constexpr std::size_t fill_at_once = 2000;

template <class Append>
std::int64_t fill(bench::Workload& work, std::int32_t partitions, Append append) {
  std::int64_t filled = 0;
  std::vector<bench::WorkCommand> commands;
  std::vector<std::vector<events::Header>> headers;
  while (!work.done()) {
    commands.clear();
    headers.clear();
    while (!work.done() && commands.size() < fill_at_once) commands.push_back(work.next());
    std::vector<events::NewRecord> records;
    headers.reserve(commands.size());
    for (const auto& c : commands) {
      headers.push_back({{"ce_specversion", "1.0"},
                         {"ce_id", c.id},
                         {"ce_source", "/shop/web"},
                         {"ce_type", c.type},
                         {"ce_subject", c.key},
                         {"ce_time", "2026-11-22T10:00:00Z"},
                         {"content-type", "application/json"}});
      records.push_back(
          {events::Stream::commands, events::partition_of(c.key, partitions), c.key, c.data, headers.back()});
    }
    append(records);
    filled += static_cast<std::int64_t>(records.size());
  }
  return filled;
}

void measure(events::Log& log, const events::Clock& clock, std::int64_t filled) {
  actors::EngineConfig config;
  actors::Engine engine(log, clock, config, [](const actors::Notice& n) {
    if (n.level != actors::Notice::Level::info) std::fprintf(stderr, "%s\n", n.message.c_str());
  });
  const auto begun = std::chrono::steady_clock::now();
  const auto cpu = bench::cpu_seconds();
  engine.run_until_caught_up();
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const auto used = bench::cpu_seconds() - cpu;
  const auto census = engine.census();
  const auto n = static_cast<double>(census.commands);
  std::printf(
      "commands %lld of %lld  events %lld  refused %lld  seconds %.2f  commands/s %.0f  cpu_us/command %.2f  "
      "peak_rss_mib %ld\n",
      static_cast<long long>(census.commands), static_cast<long long>(filled), static_cast<long long>(census.events),
      static_cast<long long>(census.rejections), seconds, n / seconds, used * 1e6 / n, bench::peak_rss_mib());
}

/// The system's and the allocator's answers, and the detectors.
void measure_look() {
  constexpr int looks = 20'000;
  adapters::SystemMemory meter("/", {});
  actors::LeakWatch watch;
  actors::MemoryReport report;
  const auto cpu = bench::cpu_seconds();
  for (int i = 0; i < looks; ++i) {
    report.at.ms += actors::MemoryBudgets{}.look_interval.count;
    report.process = meter.read();
    watch.look(report);
  }
  std::printf("cpu_us/look %.1f\n", (bench::cpu_seconds() - cpu) * 1e6 / looks);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string where = argc > 1 ? argv[1] : "memory";
  if (where == "look") return measure_look(), 0;
  bench::Workload work(argc > 2 ? std::atol(argv[2]) : 50'000, argc > 3 ? std::atoi(argv[3]) : 5,
                       argc > 4 ? std::atol(argv[4]) : 10'000);
  const adapters::WallClock clock;
  events::LogStatus status;
  if (where == "memory") {
    adapters::MemoryStore store(adapters::default_partitions, clock);
    adapters::MemoryClient client(store);
    const auto filled = fill(work, store.partitions(), [&](auto& records) { client.append(records); });
    adapters::MemoryLog log(store);
    measure(log, clock, filled);
    return 0;
  }
  const auto client = adapters::open_client(where, {}, true, clock, status);
  if (!client) return std::fprintf(stderr, "%s\n", status.message.c_str()), 1;
  const auto filled = fill(work, client->partitions(), [&](auto& records) { client->append(records); });
  const auto log = adapters::open_log(where, {}, clock, status);
  if (!log) return std::fprintf(stderr, "%s\n", status.message.c_str()), 1;
  measure(*log, clock, filled);
}
