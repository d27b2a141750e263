// The reader behind the page: one search at a time, and alerts as of the last look.
#include "tools/serve/log_watch.h"

#include "logs/memory_log.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <future>
#include <memory>
#include <new>
#include <string>
#include <utility>

using namespace mayfly;
using nlohmann::json;

namespace {

struct StoppedClock final : events::Clock {
  [[nodiscard]] events::Timestamp now() const override { return {5'000}; }
};

using Answer = std::pair<int, std::string>;

}  // namespace

TEST_CASE("a search asked for as soon as one is answered is served, and one beside another is told so") {
  const StoppedClock clock;
  adapters::MemoryStore store(1, clock);
  std::promise<void> opening;
  std::promise<void> may_open;
  tools::LogWatch watch(
      [&](events::LogStatus&) {
        opening.set_value();
        may_open.get_future().wait();
        return std::make_unique<adapters::MemoryClient>(store);
      },
      clock, {0}, {});
  std::promise<Answer> first;
  std::promise<Answer> beside;
  std::promise<Answer> next;
  const auto into = [](std::promise<Answer>& promise) {
    return [&promise](int status, std::string found) { promise.set_value({status, std::move(found)}); };
  };
  watch.search("c1", [&](int status, std::string found) {
    watch.search("c2", into(next));
    first.set_value({status, std::move(found)});
  });
  opening.get_future().wait();  // the first is under way
  watch.search("c3", into(beside));
  CHECK(beside.get_future().get().first == 503);
  may_open.set_value();
  const auto found = first.get_future().get();
  CHECK(found.first == 200);
  CHECK(json::parse(found.second)["id"] == "c1");
  CHECK(next.get_future().get().first == 200);
}

TEST_CASE("a search in a log that cannot be opened says why") {
  const StoppedClock clock;
  tools::LogWatch watch(
      [](events::LogStatus& status) -> std::unique_ptr<events::LogClient> {
        status = {events::LogError::unavailable, "the broker is away"};
        return nullptr;
      },
      clock, {0}, {});
  std::promise<Answer> answer;
  watch.search("c1", [&](int status, std::string found) { answer.set_value({status, std::move(found)}); });
  const auto [status, found] = answer.get_future().get();
  CHECK(status == 503);
  CHECK(json::parse(found)["why"] == "the broker is away");
}

TEST_CASE("what reading throws is told, and what is asked next is served") {
  const StoppedClock clock;
  adapters::MemoryStore store(1, clock);
  bool first = true;
  tools::LogWatchLimits limits;
  limits.refresh = events::Millis{1};
  tools::LogWatch watch(
      [&](events::LogStatus&) {
        if (std::exchange(first, false)) throw std::bad_alloc();
        return std::make_unique<adapters::MemoryClient>(store);
      },
      clock, {0}, limits);
  for (const int wanted : {503, 200}) {
    std::promise<Answer> answer;
    watch.search("c1", [&](int status, std::string found) { answer.set_value({status, std::move(found)}); });
    const auto [status, found] = answer.get_future().get();
    CHECK(status == wanted);
    CHECK(json::parse(found).contains("why"));
  }
  while (json::parse(watch.view(true)).contains("problem")) continue;
}

TEST_CASE("a look that throws is told on the page, and the next one is shown") {
  const StoppedClock clock;
  adapters::MemoryStore store(1, clock);
  bool first = true;
  std::promise<void> seen;
  tools::LogWatchLimits limits;
  limits.refresh = events::Millis{1};
  tools::LogWatch watch(
      [&](events::LogStatus&) {
        if (std::exchange(first, false)) throw std::bad_alloc();
        seen.get_future().wait();
        return std::make_unique<adapters::MemoryClient>(store);
      },
      clock, {0}, limits);
  const auto problem = [&] { return json::parse(watch.view(true)).value("problem", ""); };
  while (!problem().starts_with("it could not be read")) continue;
  seen.set_value();
  while (!problem().empty()) continue;
}

TEST_CASE("alerts are shown as of the last look, and what names a cart only where it may be") {
  const StoppedClock clock;
  adapters::MemoryStore store(2, clock);
  const std::vector<events::Header> headers = {{"ce_subject", "c1"}};
  store.append({events::Stream::alerts, 1, "1", R"({"alert":"cart_quarantined","message":"c1 died"})", headers});
  tools::LogWatchLimits limits;
  limits.refresh = events::Millis{1};
  tools::LogWatch watch([&](events::LogStatus&) { return std::make_unique<adapters::MemoryClient>(store); }, clock, {0},
                        limits);
  json view;
  do {
    view = json::parse(watch.view(true));
  } while (view.contains("problem"));
  REQUIRE(view["alerts"].size() == 1);
  CHECK(view["alerts"][0]["state"] == "open");
  CHECK(view["alerts"][0]["cart"] == "c1");
  CHECK(view["alerts"][0]["runbook"] == "MayflyCartsQuarantined");
  CHECK(view["money"]["read_percent"] == 100);
  CHECK(watch.view(false).find("c1") == std::string::npos);
}
