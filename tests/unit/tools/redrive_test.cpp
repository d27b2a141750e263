// What a retry would come to is what it comes to; who did it and why is kept; what comes back each time is not sent for
// ever.
#include "actors/engine/engine.h"
#include "logs/memory_log.h"
#include "tools/deadletters/dead_letter_dry_run.h"
#include "tools/deadletters/dead_letter_retry.h"
#include "tools/deadletters/dead_letter_text.h"
#include "tools/deadletters/handled_by.h"
#include "tools/records/record_text.h"
#include "unit/actors/commands.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <set>
#include <stdexcept>

using namespace mayfly;
using events::Stream;

namespace {

/// A shop whose carts die of every line that is added while `poisoned`.
struct World {
  testing::SetClock clock;
  adapters::MemoryStore store{2, clock};
  testing::Shop shop{store};
  adapters::MemoryClient client{store};
  bool poisoned = false;

  void serve() {
    adapters::MemoryLog log(store);
    actors::EngineConfig config;
    config.before_decide = [this](std::string_view, events::Position) {
      if (poisoned) throw std::runtime_error("planted");
    };
    actors::Engine engine(log, clock, config, nullptr);
    REQUIRE(engine.run_until_caught_up().end == actors::RunEnd::caught_up);
  }
  void serve_poisoned() {
    poisoned = true;
    serve();
    poisoned = false;
  }
  std::deque<tools::DeadLetterReading> readings() {
    std::deque<tools::DeadLetterReading> all;
    for (events::Partition p = 0; p < 2; ++p) REQUIRE(all.emplace_back(client, p).begin().ok());
    return all;
  }
  tools::HandlingCounts retry(const tools::Handler& handler = {}, bool forced = false) {
    tools::DeadLetterHandling handling(client, clock, nullptr, handler, forced);
    for (auto& reading : readings()) {
      CHECK(reading.each_batch({}, [&](std::vector<tools::Found>& batch) { return handling.retry(reading, batch); })
                .ok());
    }
    return handling.counts();
  }
  /// Outcome and events of each, by "PARTITION-OFFSET" of the dead letter.
  std::map<std::string, std::pair<std::string, std::vector<std::string>>> dry_run(bool forced = false) {
    tools::Recorded recorded;
    REQUIRE(tools::read_recorded(client, recorded).ok());
    std::map<std::string, std::pair<std::string, std::vector<std::string>>> came_to;
    tools::DryRun run(client, recorded, clock.now(), forced, [] {});
    auto all = readings();
    const auto status = run.run(all, {}, [&](const tools::Found& found, const tools::DryOutcome& outcome) {
      came_to[tools::retry_name(found.record.at)] = {outcome.outcome, outcome.events};
    });
    REQUIRE(status.ok());
    return came_to;
  }
  /// Empty, and a failed check, unless there is one dead letter: an exception is no outcome either.
  std::string outcome_of_the_only_one(bool forced = false) {
    const auto came_to = dry_run(forced);
    CHECK(came_to.size() == 1);
    return came_to.empty() ? std::string{} : came_to.begin()->second.first;
  }
  /// The types of the events that each retry caused.
  std::map<std::string, std::vector<std::string>> caused() {
    std::map<std::string, std::vector<std::string>> by_retry;
    for (events::Partition p = 0; p < 2; ++p) {
      for (const auto& command : store.records(Stream::commands, p)) {
        const std::string of(tools::header(command, tools::retry_header));
        if (of.empty()) continue;
        auto& types = by_retry[of];
        for (const auto& event : store.records(Stream::events, p)) {
          if (tools::cause_offset(event) == command.at.offset) types.emplace_back(tools::short_type(event));
        }
      }
    }
    return by_retry;
  }
  [[nodiscard]] std::size_t records() const {
    std::size_t all = 0;
    for (events::Partition p = 0; p < 2; ++p) {
      for (const auto s : {Stream::commands, Stream::events, Stream::deadletters}) all += store.records(s, p).size();
    }
    return all;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> all;
    tools::Selection selection;
    selection.with_handled = true;
    for (auto& reading : readings()) {
      CHECK(reading
                .each_batch(selection,
                            [&](std::vector<tools::Found>& batch) {
                              for (const auto& found : batch) all.push_back(tools::as_line(found));
                              return events::LogStatus{};
                            })
                .ok());
    }
    return all;
  }
};

}  // namespace

TEST_CASE("a dry run says of each dead letter what a retry then comes to, and writes nothing") {
  World world;
  for (const auto* cart : {"open", "over", "full", "pays"}) world.shop.create(cart);
  world.shop.add("pays", "TEA", 2, 250);
  world.serve();
  world.shop.add("open", "TEA", 2, 250);
  world.shop.complete("pays", 500);
  world.shop.add("over", "TEA", 2, 250);
  world.shop.send("new", "cart.create", R"({"currency":"GBP"})");
  world.shop.send("full", "cart.add_line", "{no json");
  world.serve_poisoned();
  world.clock.time.ms += 7'200'000;
  world.shop.send("over", "cart.cancel", "{}");
  world.shop.add("pays", "MUG", 1, 900);  // so that the total is another
  world.serve();
  const auto before = world.records();
  const auto said = world.dry_run();
  CHECK(world.records() == before);
  std::multiset<std::string> sorted;
  for (const auto& [of, came_to] : said) sorted.insert(came_to.first);
  std::string outcomes;
  for (const auto& outcome : sorted) outcomes += outcome + "\n";
  CHECK(outcomes ==
        "accepted\naccepted\ndead letter json_invalid\nrejected cart_ended\n"
        "rejected total_mismatch\n");
  CHECK(world.retry().sent == std::ssize(said));
  world.serve();
  std::map<std::string, std::vector<std::string>> would;
  for (const auto& [of, came_to] : said) would[of] = came_to.second;
  CHECK(world.caused() == would);
}

TEST_CASE("a dry run of a quarantined cart says so, and of what is not sent why not") {
  World world;
  world.shop.create("c");
  world.serve();
  for (int i = 0; i < 12; ++i) world.shop.add("c", "TEA", 1, 250);
  world.serve_poisoned();
  for (const auto& [of, came_to] : world.dry_run()) CHECK(came_to.first == "dead letter quarantined");
  CHECK(world.dry_run().size() == 12);
}

TEST_CASE("a dry run that an exception ends leaves nothing behind: the next one says the same") {
  World world;
  for (const auto* cart : {"c", "d", "e"}) world.shop.create(cart);
  world.serve();
  for (const auto* cart : {"c", "d", "e"}) world.shop.add(cart, "TEA", 2, 250);
  world.serve_poisoned();
  const auto before = world.records();
  tools::Recorded recorded;
  REQUIRE(tools::read_recorded(world.client, recorded).ok());
  tools::DryRun run(world.client, recorded, world.clock.now(), false, [] {});
  auto all = world.readings();
  int told = 0;
  const auto end_it = [&](const tools::Found&, const tools::DryOutcome&) {
    if (++told == 2) throw std::runtime_error("planted");
  };
  CHECK_THROWS_AS((void)run.run(all, {}, end_it), std::runtime_error);
  std::vector<std::string> outcomes;
  const auto keep = [&](const tools::Found&, const tools::DryOutcome& outcome) { outcomes.push_back(outcome.outcome); };
  const auto status = run.run(all, {}, keep);
  CHECK(status.ok());
  CHECK(outcomes == std::vector<std::string>(3, "accepted"));
  CHECK(world.records() == before);
}

TEST_CASE("what has come back three times is sent again only by force, and each sending is counted") {
  World world;
  world.shop.create("c");
  world.serve();
  world.shop.add("c", "TEA", 2, 250);
  world.serve_poisoned();
  const auto count = [&] {
    const auto partition = events::partition_of("c", 2);
    return std::string(tools::header(world.store.records(Stream::commands, partition).back(), tools::redriven_header));
  };
  for (const auto* times : {"1", "2", "3"}) {
    CHECK(world.retry().sent == 1);
    CHECK(count() == times);
    world.clock.time.ms += 7'200'000;  // not so soon after the others that the cart is quarantined
    world.serve_poisoned();
  }
  const auto refused = world.retry();
  CHECK(refused.sent == 0);
  CHECK(refused.all_left_out() == 1);
  CHECK(refused.left_out.begin()->first.find("sent again 3 times already") == 0);
  CHECK(world.outcome_of_the_only_one().find("sent again 3 times already") == 0);
  CHECK(world.outcome_of_the_only_one(true) == "accepted");
  CHECK(world.retry({}, true).sent == 1);
  CHECK(count() == "4");
}

TEST_CASE("a record that an older program sent again counts as sent once") {
  const std::vector<events::Header> own = {{"ce_id", "1"}, {tools::retry_header, "0-1"}};
  tools::DeadLetter letter;
  letter.headers = own;
  CHECK(tools::times_redriven(letter) == 1);
  const std::vector<events::Header> counted = {{tools::redriven_header, "2"}, {tools::retry_header, "0-1"}};
  letter.headers = counted;
  CHECK(tools::times_redriven(letter) == 2);
  const std::vector<events::Header> none = {{tools::redriven_header, "-7"}};
  letter.headers = none;
  CHECK(tools::times_redriven(letter) == 0);
}

TEST_CASE("who sent a dead letter again, and why, is kept beside it") {
  World world;
  world.shop.create("c");
  world.serve();
  world.shop.add("c", "TEA", 2, 250);
  world.serve_poisoned();
  CHECK(world.lines().at(0).find(" open") != std::string::npos);
  CHECK(world.lines().at(0).find(" by ") == std::string::npos);
  CHECK(world.retry({"ann@shop1", "the price feed is mended"}).sent == 1);
  CHECK(world.lines().at(0).find(" by ann@shop1: the price feed is mended") != std::string::npos);
  CHECK(tools::kept_why("card 4111 1111 1111 1111 of a customer") == "card **** **** **** **** of a customer");
}
