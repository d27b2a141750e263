// What the thread sanitizer looks at beside the unit tests: an engine of four partitions on four threads under load,
// renewed, while another thread asks it all that the HTTP server asks. Usage: threads [--race]; with a race planted in
// what its actors do, which the sanitizer has to report (docs/testing.md).
#include "actors/engine/engine.h"
#include "adapters/host/wall_clock.h"
#include "bench/workload.h"
#include "events/rules/identity.h"
#include "logs/memory_log.h"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <thread>

using namespace mayfly;

namespace {

constexpr std::int64_t cart_count = 2'000;

void append_all(adapters::MemoryStore& store) {
  bench::Workload work(cart_count, 5, 500);
  while (!work.done()) {
    const auto c = work.next();
    const events::Header headers[] = {
        {"ce_specversion", "1.0"}, {"ce_id", c.id}, {"ce_source", "/shop"}, {"ce_type", c.type}};
    const auto partition = events::partition_of(c.key, store.partitions());
    store.append({events::Stream::commands, partition, c.key, c.data, headers});
  }
}

/// A data race: actors write when the observer has written, and before it does anything else. Relaxed atomics order
/// nothing between them.
class Race {
 public:
  void observer_writes() {
    ++writes_;
    turn_.store(actors_turn, std::memory_order_relaxed);
    while (turn_.load(std::memory_order_relaxed) != over) std::this_thread::yield();
  }
  void actor_writes() {
    while (turn_.load(std::memory_order_relaxed) == observers_turn) std::this_thread::yield();
    ++writes_;
    turn_.store(over, std::memory_order_relaxed);
  }

 private:
  static constexpr int observers_turn = 0;
  static constexpr int actors_turn = 1;
  static constexpr int over = 2;
  std::atomic<int> turn_ = observers_turn;
  std::int64_t writes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bool race = argc > 1 && std::string_view(argv[1]) == "--race";
  const adapters::WallClock clock;
  adapters::MemoryStore store(4, clock);
  append_all(store);
  adapters::MemoryLog log(store);

  Race planted;
  actors::EngineConfig config;
  config.threads = 4;
  config.batch_records = 1'000;
  config.awake_carts = 50;
  config.memory.look_interval = {0};
  config.poll_wait = {1};
  if (race) config.before_decide = [&planted](std::string_view, events::Position) { planted.actor_writes(); };
  actors::Engine engine(log, clock, config, nullptr);

  std::stop_source stop;
  std::int64_t looks = 0;
  std::thread observer([&] {
    if (race) planted.observer_writes();
    while (engine.census().carts_ended < cart_count) {
      ++looks;
      for (const auto& view : engine.partitions()) engine.renew(view.partition);
      static_cast<void>(engine.memory());
      static_cast<void>(engine.log_figures());
      static_cast<void>(engine.pulse());
      static_cast<void>(engine.ready());
    }
    stop.request_stop();
  });
  const auto result = engine.run(stop.get_token());
  observer.join();
  const auto census = engine.census();
  std::printf("%lld carts ended, %lld looks%s\n", static_cast<long long>(census.carts_ended),
              static_cast<long long>(looks), race ? ", with a race planted" : "");
  return result.end == actors::RunEnd::stopped ? 0 : 1;
}
