#include "engine/sim/simulation.h"

#include "actors/engine/engine.h"
#include "engine/sim/books.h"
#include "engine/sim/traffic.h"
#include "events/rules/words.h"

#include <memory>
#include <stdexcept>

namespace mayfly::sim {

namespace {

using events::Stream;

constexpr std::int32_t partitions = 2;
constexpr events::Millis month{31LL * 86'400'000};

class MovedClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override { return time; }
  events::Timestamp time{1'790'000'000'000};
};

/// A history in the making.
class History {
 public:
  History(std::uint64_t seed, Bug bug, Tally& tally) : chance_(seed), tally_(tally) {
    deaths_permille_ = chance_.permille(250) ? 0 : chance_.below(25);
    poison_permille_ = chance_.permille(500) ? 0 : chance_.below(60);
    poisoned_cart_ = chance_.permille(300) ? std::string(1, static_cast<char>('a' + chance_.below(3))) : std::string();
    weather_.commit_fault_permille = chance_.permille(300) ? 0 : chance_.below(200);
    weather_.most_records = 1 + chance_.below(40);
    weather_.bug = bug;
    awake_carts_ = chance_.below(4);
    poison_ = chance_.next();
  }

  std::string run() {
    Traffic traffic(store_, clock_, chance_);
    const auto rounds = 3 + chance_.below(8);
    for (std::size_t round = 0; round < rounds; ++round) {
      const auto commands = chance_.below(24);
      for (std::size_t i = 0; i < commands; ++i) {
        traffic.send();
        if (chance_.permille(200)) clock_.time.ms += static_cast<std::int64_t>(chance_.below(2'000));
      }
      if (engine_ && chance_.permille(400)) engine_->renew(chance_.permille(500) ? -1 : 0);
      serve(1 + static_cast<int>(chance_.below(8)));
      if (!wrong_.empty()) return wrong_;
      if (chance_.permille(300)) clock_.time.ms += static_cast<std::int64_t>(chance_.below(200'000));
      if (chance_.permille(120)) clock_.time.ms += 900'000;  // a merge waits no more
      if (chance_.permille(150)) end_engine();
    }
    return end(traffic);
  }

 private:
  /// No more storms: everything is decided; time goes on until every wait is over; what is left over is wrong.
  std::string end(Traffic& traffic) {
    calm_ = true;
    end_engine();
    catch_up();
    if (wrong_.empty()) traffic.release_all();
    // An unpaid order is asked about 48 times: so many waits may follow each other.
    for (int i = 0; i < 120 && wrong_.empty(); ++i) {
      catch_up();
      if (engine_->census().carts_open == 0) break;
      clock_.time.ms += i < 5 ? 700'000 : month.count;
    }
    if (!wrong_.empty()) return wrong_;
    const auto census = engine_->census();
    if (census.carts_open != 0) return std::to_string(census.carts_open) + " carts outlive every deadline";
    end_engine();
    if (auto wrong = unbalanced(store_); !wrong.empty()) return wrong;
    if (auto wrong = merged_wrongly(store_, tally_.merges); !wrong.empty()) return wrong;
    return compare();
  }

  void serve(int polls) {
    for (;;) {
      if (!engine_) begin_engine();
      std::stop_source stop;
      log_->stop_after(polls, stop);
      const auto result = engine_->run(stop.get_token());
      for (const auto& p : engine_->partitions()) {
        if (p.renewals.differences != 0)
          wrong_ = "memory is not what is committed: " + p.renewals.newest_fields.front();
      }
      if (result.end == actors::RunEnd::stopped) return check_lives();
      const bool gave_up = result.message.find("partition_rebuilds") != std::string::npos;
      if (!gave_up) wrong_ = "the engine ended: " + result.message;
      if (!gave_up || calm_) return;
      end_engine();
    }
  }
  void catch_up() {
    for (int i = 0; i < 200 && wrong_.empty(); ++i) {
      serve(3);
      bool all = true;
      for (events::Partition p = 0; p < partitions; ++p) {
        all = all && store_.committed(p) == store_.ends(Stream::commands, p).end;
      }
      if (all) return;
      clock_.time.ms += 1'000;  // a tick may be wanted
    }
    if (wrong_.empty()) wrong_ = "the engine never catches up";
  }

  void begin_engine() {
    actors::EngineConfig config;
    config.choose = [this](std::size_t below) { return chance_.below(below); };
    config.awake_carts = awake_carts_;
    config.first_pause = config.most_pause = events::Millis{0};
    config.supervision.partition_rebuilds.most = 50;
    config.supervision.partition_restarts = {static_cast<std::int64_t>(2 + chance_.below(40)), events::Millis{10'000}};
    if (chance_.permille(500)) config.batch_output_records = 1 + chance_.below(30);
    config.before_decide = [this](std::string_view cart, events::Position at) { poison(cart, at); };
    config.at_step = [this](actors::Step, events::Position) {
      if (!calm_ && chance_.permille(deaths_permille_)) die();
    };
    auto log = std::make_unique<StormyLog>(store_, weather_, chance_);  // fences the one before
    if (calm_) log->calm();
    log_ = std::move(log);
    engine_ = std::make_unique<actors::Engine>(*log_, clock_, std::move(config), nullptr);
    ++tally_.engines;
  }
  /// Stopped in order, killed with a commit under way, or fenced by another.
  void end_engine() {
    if (!engine_) return;
    const auto census = engine_->census();
    tally_.rebuilds += census.rebuilds;
    for (const auto& p : engine_->partitions()) tally_.renewals += p.renewals.count;
    const auto how = calm_ ? 0 : chance_.below(3);
    if (how == 1) log_->die();
    if (how == 2) {
      adapters::MemoryLog usurper(store_);
      std::stop_source stop;
      log_->stop_after(2, stop);
      static_cast<void>(engine_->run(stop.get_token()));
    }
    engine_.reset();
    log_.reset();
  }

  /// Some commands kill their actor always, one cart most of the time.
  void poison(std::string_view cart, events::Position at) {
    if (calm_) return;
    const auto of_command =
        (static_cast<std::uint64_t>(at.offset * 2 + at.partition) * 0x9e37'79b9'7f4a'7c15) ^ poison_;
    if ((of_command >> 20) % 1'000 < poison_permille_) die();
    if (cart == poisoned_cart_ && chance_.permille(600)) die();
  }
  [[noreturn]] void die() {
    ++tally_.deaths;
    throw std::runtime_error("planted");
  }

  void check_lives() {
    const auto c = engine_->census();
    const auto carts = c.carts_started - c.carts_stopped;
    const auto sessions = c.sessions_started - c.sessions_stopped;
    if (carts != c.carts_awake) {
      wrong_ = "alive are " + std::to_string(carts) + " actors of carts, awake " + std::to_string(c.carts_awake);
    } else if (sessions < 0 || sessions > carts || sessions > c.sessions_open) {
      wrong_ = "alive are " + std::to_string(sessions) + " actors of sessions, open " +
               std::to_string(c.sessions_open) + ", awake carts " + std::to_string(carts);
    } else if (c.actors_running != carts + sessions + c.supervisors) {
      wrong_ = "the actor system counts " + std::to_string(c.actors_running) + " actors";
    }
  }

  /// The recorded commands once more, by one engine to which nothing happens.
  std::string compare() {
    adapters::MemoryStore again(partitions, clock_);
    const auto withheld = withheld_of(store_);
    for (events::Partition p = 0; p < partitions; ++p) {
      for (const auto& record : store_.records(Stream::commands, p)) again.append_at(Stream::commands, record);
    }
    actors::EngineConfig config;
    config.choose = [](std::size_t) { return std::size_t{0}; };
    config.withheld = [&](events::Position at, std::string_view cart) { return find(withheld, at, cart); };
    config.supervision.partition_rebuilds.most = 0;
    Chance none(0);
    StormyLog log(again, {}, none);
    log.leave_out_commands();
    {
      actors::Engine engine(log, clock_, std::move(config), nullptr);
      const auto result = engine.run_until_caught_up();
      if (result.end != actors::RunEnd::caught_up) return "the replay ended: " + result.message;
      const auto census = engine.census();
      tally_.commands += census.commands;
      tally_.events += census.events;
      tally_.dead_letters += census.dead_letters;
      const auto of = [&](events::DeadLetterReason reason) {
        return census.dead_letters_by_reason[static_cast<std::size_t>(reason)];
      };
      tally_.keeps_failing += of(events::DeadLetterReason::keeps_failing);
      tally_.quarantined += of(events::DeadLetterReason::quarantined);
    }
    return first_difference(store_, again);
  }

  Chance chance_;
  Tally& tally_;
  MovedClock clock_;
  adapters::MemoryStore store_{partitions, clock_};
  Weather weather_;
  std::uint64_t deaths_permille_ = 0;
  std::uint64_t poison_permille_ = 0;
  std::uint64_t poison_ = 0;
  std::string poisoned_cart_;
  std::size_t awake_carts_ = 0;
  bool calm_ = false;
  std::string wrong_;
  std::unique_ptr<StormyLog> log_;
  std::unique_ptr<actors::Engine> engine_;
};

}  // namespace

std::string simulate(std::uint64_t seed, Bug bug, Tally& tally) {
  auto history = std::make_unique<History>(seed, bug, tally);
  auto wrong = history->run();
  // With an actor too many the actor system would wait for its end for ever: what is wrong is told first.
  if (!wrong.empty()) static_cast<void>(history.release());
  return wrong;
}

}  // namespace mayfly::sim
