// A batch ends when what it comes to reaches a limit, and is smaller after one that was not committed.
#include "actors/engine/batch_size.h"
#include "actors/engine/commit_observer.h"
#include "actors/engine/engine.h"
#include "actors/partition/batch.h"
#include "logs/memory_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

using namespace mayfly;

namespace {

constexpr int merges = 40;
constexpr int lines = 20;
constexpr int merges_between_ticks = 4;
constexpr std::size_t commands = merges + 2 * merges / merges_between_ticks;
constexpr const char* targets[] = {"into-0", "into-1", "into-2", "into-3", "into-4", "into-5"};

/// Passes a millisecond whenever it is looked at.
class PassingClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return {++ms_}; }

 private:
  mutable std::atomic<std::int64_t> ms_{testing::SetClock{}.now().ms};
};

/// What a commit came with.
struct Written {
  std::size_t decided = 0;  // records read for it
  std::size_t records = 0;
  std::size_t bytes = 0;
};

/// A log that notes its commits; the first so many are not committed.
class NotingLog final : public events::Log {
 public:
  NotingLog(adapters::MemoryStore& store, int failures) : inner_(store), failures_(failures) {}
  std::vector<Written> commits;

  [[nodiscard]] std::int32_t partitions() const override { return inner_.partitions(); }
  events::Polled poll(const events::PollLimits& limits) override {
    auto polled = inner_.poll(limits);
    const std::scoped_lock lock(mutex_);
    const auto again = std::exchange(take_again_, {});
    if (!again.empty()) polled.batch = {};
    polled.taken.insert(polled.taken.end(), again.begin(), again.end());
    return polled;
  }
  events::Restored restore(events::Partition p, const std::function<void(events::Bytes, events::Bytes)>& f) override {
    return inner_.restore(p, f);
  }
  void start(events::Partition p, events::Offset from) override {
    {
      const std::scoped_lock lock(mutex_);
      next_[p] = from;
    }
    inner_.start(p, from);
  }
  events::CommitResult commit(const events::Commit& commit) override {
    const std::scoped_lock lock(mutex_);
    auto& one = commits.emplace_back();
    one.records = commit.records.size();
    for (const auto& r : commit.records) one.bytes += r.key.value_or("").size() + r.value.value_or("").size();
    for (const auto& [partition, offset] : commit.next) {
      one.decided += static_cast<std::size_t>(offset - next_[partition]);
    }
    if (failures_ > 0) {
      --failures_;
      for (events::Partition p = 0; p < partitions(); ++p) take_again_.insert(p);
      return {events::CommitOutcome::aborted, "planted."};
    }
    for (const auto& [partition, offset] : commit.next) next_[partition] = offset;
    return inner_.commit(commit);
  }
  events::LogStatus append(const events::NewRecord& record) override { return inner_.append(record); }

 private:
  adapters::MemoryLog inner_;
  std::mutex mutex_;  // a commit is under way while the log is polled
  int failures_;
  std::map<events::Partition, events::Offset> next_;
  std::set<events::Partition> take_again_;
};

/// Notes the most that the batches of one transaction hold together.
class HoldingObserver final : public actors::CommitObserver {
 public:
  std::int64_t most_bytes = 0;
  void settled(std::span<const actors::Batch* const> batches, const events::CommitResult&,
               std::chrono::steady_clock::duration) noexcept override {
    std::int64_t bytes = 0;
    for (const auto* batch : batches)
      bytes += static_cast<std::int64_t>(batch->arena.used_bytes()) + batch->stock_bytes;
    most_bytes = std::max(most_bytes, bytes);
  }
};

/// Carts with lines that are all merged into another, of their own partition: of two partitions' commands into one it
/// would depend on the batches which come first.
struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  actors::EngineConfig config;
  int failures = 0;
  std::vector<Written> commits;  // of the last run

  World() {
    for (const auto* into : targets) shop.create(into);
    for (int cart = 0; cart < merges; ++cart) {
      const auto name = "from-" + std::to_string(cart);
      shop.create(name);
      for (int line = 0; line < lines; ++line) shop.add(name, "SKU-" + std::to_string(line), 1, 100);
    }
    run(clock);  // what there is of lines
    for (int cart = 0; cart < merges; ++cart) {
      const auto from = "from-" + std::to_string(cart);
      const auto partition = events::partition_of(from, store.partitions());
      for (const auto* into : targets) {
        if (events::partition_of(into, store.partitions()) != partition) continue;
        shop.send(from, "cart.merge", R"({"into":")" + std::string(into) + "\"}");
        break;
      }
      if (cart % merges_between_ticks == 0) {
        for (const events::Partition p : {0, 1}) shop.tick(p, clock.time, -1);
      }
    }
  }
  void run(const events::Clock& engine_clock) {
    NotingLog log(store, failures);
    actors::Engine engine(log, engine_clock, config, nullptr);
    CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    commits = log.commits;
  }
  [[nodiscard]] std::string all() const {
    std::string text = testing::written(store);
    for (events::Partition p = 0; p < store.partitions(); ++p) {
      for (const auto& command : store.records(events::Stream::commands, p)) {
        text.append(command.key.value_or("-")).append(command.value.value_or("-"));
      }
    }
    return text;
  }
};

Written most_of(const std::vector<Written>& commits) {
  Written most;
  for (const auto& one : commits) {
    most.decided = std::max(most.decided, one.decided);
    most.records = std::max(most.records, one.records);
    most.bytes = std::max(most.bytes, one.bytes);
  }
  return most;
}

}  // namespace

TEST_CASE("a batch ends when it comes to so many records, bytes, or takes so long, and all comes to the same bytes") {
  World unlimited;
  unlimited.run(unlimited.clock);
  REQUIRE(unlimited.commits.front().decided == commands);
  const auto whole = most_of(unlimited.commits);  // in which the offers are taken
  REQUIRE(whole.records > merges * lines);
  constexpr std::size_t of_a_merge = lines + 10;  // events of an offer, and beside them its answer, state, positions

  SUBCASE("records") {
    World world;
    world.config.batch_output_records = 4 * of_a_merge;
    world.run(world.clock);
    CHECK(most_of(world.commits).records <= 6 * of_a_merge);  // each of the partitions ends with a merge that is over
    CHECK((world.all() == unlimited.all()));
  }
  SUBCASE("bytes") {
    World world;
    world.config.batch_output_bytes = whole.bytes / 8;
    world.run(world.clock);
    CHECK(most_of(world.commits).bytes <= whole.bytes / 4);
    CHECK((world.all() == unlimited.all()));
  }
  SUBCASE("so little that each has one record") {
    World world;
    world.config.batch_output_bytes = 1;
    world.run(world.clock);
    CHECK(most_of(world.commits).records <= 2 * of_a_merge);  // one merge of each partition
    CHECK((world.all() == unlimited.all()));
  }
  SUBCASE("time") {
    World world;
    world.config.batch_time = {};
    const PassingClock clock;
    world.run(clock);
    CHECK(world.commits.front().decided <= 4 * merges_between_ticks);  // of each partition until a tick
    CHECK((world.all() == unlimited.all()));
  }
}

TEST_CASE("what a batch holds of commands, of what they came to and of what is written is within its limit") {
  constexpr std::int64_t limit_bytes = 256 * 1024;
  HoldingObserver unlimited;
  World free;
  free.config.observer = &unlimited;
  free.run(free.clock);
  REQUIRE(unlimited.most_bytes > 3 * limit_bytes);
  HoldingObserver limited;
  World world;
  world.config.observer = &limited;
  world.config.batch_output_bytes = limit_bytes;
  world.run(world.clock);
  CHECK(limited.most_bytes <= 2 * limit_bytes);  // pages that are not full, tasks, a command that goes over it
  CHECK((world.all() == free.all()));
}

TEST_CASE("a batch that has no records while others have gives back what it held") {
  actors::Ledger ledger;
  actors::Batch batch(ledger);
  batch.begin(0, {});
  const auto nothing = batch.stock_bytes;
  for (int i = 0; i < 10; ++i) batch.new_task().outcome.data.assign(100'000, 'x');
  static_cast<void>(batch.arena.allocate(4 * actors::Arena::page_bytes, 1));
  batch.take_stock();
  REQUIRE(batch.stock_bytes > nothing + 1'000'000);
  batch.sit_out();
  CHECK(batch.stock_bytes < nothing + 100'000);
  CHECK(batch.arena.used_bytes() == 0);
}

TEST_CASE("after a commit that failed the next has half as many records, down to one, and nothing is lost or doubled") {
  World undisturbed;
  undisturbed.run(undisturbed.clock);
  World world;
  world.config.first_pause = world.config.most_pause = {};
  world.failures = 8;
  world.run(world.clock);
  REQUIRE(world.commits.size() > 9);
  CHECK(world.commits[0].decided == commands);
  for (std::size_t i = 1; i < 9; ++i) {
    CAPTURE(i);
    CHECK(world.commits[i].decided <= std::max<std::size_t>(world.commits[i - 1].decided / 2, 1));
  }
  CHECK(most_of({world.commits.begin() + 9, world.commits.end()}).decided > 8);  // it grows again
  CHECK((world.all() == undisturbed.all()));
}

TEST_CASE("a batch is halved by each that fails and doubled by each that does not, between one record and the most") {
  actors::BatchSize size(100, 0);
  CHECK(size.now() == 100);
  size.failed(30);  // it had no more
  CHECK(size.now() == 15);
  for (int i = 0; i < 10; ++i) size.failed(1'000);
  CHECK(size.now() == 1);
  size.failed(0);
  CHECK(size.now() == 1);
  for (const int expected : {2, 4, 8, 16, 32, 64, 100, 100}) {
    size.committed();
    CHECK(size.now() == static_cast<std::size_t>(expected));
  }
  CHECK(actors::BatchSize(100, 60).now() == 30);  // the process died with 60
  CHECK(actors::BatchSize(100, 1).now() == 1);
}
