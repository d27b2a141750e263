// Does anything stay of a cart that has ended? A log that makes commands as they are asked for and forgets what is
// committed; allocated and resident bytes as carts begin and end. Usage: endurance [CARTS [CONCURRENT]]
// At each check actors that have ended are waited for; then those by our constructors and destructors, by the partition
// and by the actor system must be the same, and both books of the ledger must agree. Exits 1 where they do not.
#include "actors/engine/engine.h"
#include "adapters/host/wall_clock.h"
#include "bench/workload.h"

#include <jemalloc/jemalloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace mayfly;

namespace {

std::int64_t allocated_bytes() {
  std::uint64_t epoch = 1;
  std::size_t size = sizeof epoch;
  mallctl("epoch", &epoch, &size, &epoch, size);
  std::size_t allocated = 0;
  size = sizeof allocated;
  mallctl("stats.allocated", &allocated, &size, nullptr, 0);
  return static_cast<std::int64_t>(allocated);
}

/// Once free pages were given back to the system, as a renewal does: what is left beyond `allocated` is fragmentation.
std::int64_t resident_bytes() {
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // MALLCTL_ARENAS_ALL
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

struct Made {
  std::vector<bench::WorkCommand> commands;
  std::vector<std::vector<events::Header>> headers;
};

/// One partition. Time moves a millisecond with each batch, so that epitaphs fill their queues and go out by count.
class GeneratingLog final : public events::Log {
 public:
  GeneratingLog(std::int64_t carts, std::int64_t concurrent, std::int64_t each)
      : work_(carts, 5, concurrent), each_(each) {}
  [[nodiscard]] std::int32_t partitions() const override { return 1; }
  events::Polled poll(const events::PollLimits& limits) override {
    events::Polled polled;
    if (!taken_) {
      taken_ = true;
      polled.taken = {0};
      return polled;
    }
    measure();
    auto made = std::make_shared<Made>();
    made->commands.reserve(limits.records);
    made->headers.reserve(limits.records);
    while (!work_.done() && made->commands.size() < limits.records) {
      auto& c = made->commands.emplace_back(work_.next());
      auto& h = made->headers.emplace_back();
      h = {{"ce_specversion", "1.0"}, {"ce_id", c.id}, {"ce_source", "/shop"}, {"ce_type", c.type}};
      events::Record record;
      record.at = {0, next_++};
      record.append_time = {1'790'000'000'000 + next_ / 1000};
      record.key = c.key;
      record.value = c.data;
      record.headers = h;
      polled.batch.records.push_back(record);
    }
    polled.batch.storage = made;
    return polled;
  }
  events::Restored restore(events::Partition, const std::function<void(events::Bytes, events::Bytes)>&) override {
    return {};
  }
  void start(events::Partition, events::Offset) override {}
  events::CommitResult commit(const events::Commit&) override { return {}; }
  events::LogStatus append(const events::NewRecord&) override { return {}; }

  void set_engine(const actors::Engine& engine) { engine_ = &engine; }
  [[nodiscard]] int checks_failed() const { return checks_failed_; }

  /// The highest of resident bytes over the lowest, less one, without the points before epitaphs are all there.
  [[nodiscard]] double resident_spread() const {
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    for (const auto& point : points_) {
      if (point.carts <= settled_at()) continue;
      lowest = lowest == 0 ? point.resident : std::min(lowest, point.resident);
      highest = std::max(highest, point.resident);
    }
    return lowest == 0 ? 0 : static_cast<double>(highest - lowest) / static_cast<double>(lowest);
  }

  /// Slope of allocated bytes over ended carts by least squares, without the points before epitaphs are all there.
  [[nodiscard]] double slope() const {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (const auto& point : points_) {
      if (point.carts <= settled_at()) continue;
      const auto cx = static_cast<double>(point.carts);
      const auto cy = static_cast<double>(point.allocated);
      n += 1, x += cx, y += cy, xx += cx * cx, xy += cx * cy;
    }
    return n < 2 ? 0 : (n * xy - x * y) / (n * xx - x * x);
  }

 private:
  struct Point {
    std::int64_t carts = 0;  // ended
    std::int64_t allocated = 0;
    std::int64_t resident = 0;
  };
  [[nodiscard]] std::int64_t settled_at() const { return events::limits::epitaphs_with_session + each_; }

  /// False: not the same within ten seconds.
  [[nodiscard]] bool actors_agree() const {
    for (int i = 0; i < 10'000; ++i) {
      const auto c = engine_->census();
      const auto carts = c.carts_started - c.carts_stopped;
      const auto sessions = c.sessions_started - c.sessions_stopped;
      if (carts == c.carts_awake && sessions == c.sessions_awake &&
          c.actors_running == carts + sessions + c.supervisors) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  [[nodiscard]] bool books_agree() const {
    const auto report = engine_->memory();
    return std::all_of(report.purposes.begin(), report.purposes.end(), [](const actors::Amounts& amounts) {
      return amounts.unexplained_bytes == 0 && amounts.orphaned_blocks == 0;
    });
  }

  void measure() {
    if (work_.finished() / each_ <= static_cast<std::int64_t>(points_.size())) return;
    if (!actors_agree() || !books_agree()) {
      ++checks_failed_;
      std::printf("%10lld carts ended  THE COUNTS DIFFER\n", static_cast<long long>(work_.finished()));
    }
    points_.push_back({work_.finished(), allocated_bytes(), resident_bytes()});
    if (static_cast<std::int64_t>(points_.size()) % 10 != 0) return;
    std::printf("%10lld carts ended  allocated %8.2f MB  resident %8.2f MB\n", static_cast<long long>(work_.finished()),
                static_cast<double>(points_.back().allocated) / 1e6,
                static_cast<double>(points_.back().resident) / 1e6);
    std::fflush(stdout);
  }
  bench::Workload work_;
  std::int64_t each_;
  const actors::Engine* engine_ = nullptr;
  int checks_failed_ = 0;
  bool taken_ = false;
  events::Offset next_ = 0;
  std::vector<Point> points_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t carts = argc > 1 ? std::atol(argv[1]) : 1'000'000;
  GeneratingLog log(carts, argc > 2 ? std::atol(argv[2]) : 1'000, std::max<std::int64_t>(carts / 100, 10'000));
  const adapters::WallClock clock;
  actors::EngineConfig config;
  actors::Engine engine(log, clock, config, nullptr);
  log.set_engine(engine);
  engine.run_until_caught_up();
  const auto census = engine.census();
  std::printf("carts open %lld  cart actors %lld  session actors %lld  actors by the system %lld  epitaphs %lld\n",
              static_cast<long long>(census.carts_open),
              static_cast<long long>(census.carts_started - census.carts_stopped),
              static_cast<long long>(census.sessions_started - census.sessions_stopped),
              static_cast<long long>(census.actors_running), static_cast<long long>(census.epitaphs));
  std::printf(
      "once the epitaphs' queue is full: slope %.3f allocated bytes per ended cart, resident bytes within %.1f%%; "
      "%d checks failed\n",
      log.slope(), 100 * log.resident_spread(), log.checks_failed());
  return log.checks_failed() == 0 ? 0 : 1;
}
