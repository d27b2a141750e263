// Batches are as large as what has come: one is decided while the one before is committed, and meanwhile more come.
#include "actors/engine/engine.h"
#include "logs/memory_log.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <future>
#include <utility>

using namespace mayfly;

namespace {

constexpr auto patience = std::chrono::minutes(5);  // only where the test fails

/// A log whose first commit goes on until a command of the next batch is decided. Says how large batches are.
class HoldingLog final : public events::Log {
 public:
  explicit HoldingLog(adapters::MemoryStore& store) : inner_(store) {}
  std::function<void()> meanwhile;  // once, when the first batch is under decision or committed
  std::promise<void> next_is_decided;
  bool overlapped = false;
  std::vector<std::size_t> sizes;  // of the batches

  [[nodiscard]] std::int32_t partitions() const override { return inner_.partitions(); }
  events::Polled poll(const events::PollLimits& limits) override {
    if (sizes.size() == 1 && meanwhile) std::exchange(meanwhile, nullptr)();
    auto polled = inner_.poll(limits);
    if (!polled.batch.records.empty()) sizes.push_back(polled.batch.records.size());
    return polled;
  }
  events::Restored restore(events::Partition p, const std::function<void(events::Bytes, events::Bytes)>& f) override {
    return inner_.restore(p, f);
  }
  void start(events::Partition p, events::Offset from) override { inner_.start(p, from); }
  events::CommitResult commit(const events::Commit& commit) override {
    if (commits_++ == 0) overlapped = next_is_decided.get_future().wait_for(patience) == std::future_status::ready;
    return inner_.commit(commit);
  }
  events::LogStatus append(const events::NewRecord& record) override { return inner_.append(record); }

 private:
  adapters::MemoryLog inner_;
  int commits_ = 0;
};

}  // namespace

TEST_CASE("one command is a batch; what comes while it is committed is the next, decided meanwhile, within the limit") {
  struct Row {
    std::size_t limit;
    std::vector<std::size_t> sizes;
  };
  for (const auto& [limit, sizes] : {Row{1'000, {1, 300}}, Row{100, {1, 100, 100, 100}}}) {
    testing::SetClock clock;
    adapters::MemoryStore store{1, clock};
    testing::Shop shop{store};
    HoldingLog log(store);
    actors::EngineConfig config;
    config.batch_records = limit;
    config.before_decide = [&log](std::string_view cart, events::Position) {
      if (cart == "next-0") log.next_is_decided.set_value();
    };
    log.meanwhile = [&shop] {
      for (int i = 0; i < 300; ++i) shop.create("next-" + std::to_string(i));
    };
    shop.create("first");
    actors::Engine engine(log, clock, config, nullptr);
    CHECK(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
    CHECK(log.overlapped);
    CHECK(log.sizes == sizes);
    CHECK(engine.census().carts_open == 301);
  }
}
