#include "tools/reenact/run.h"

#include "actors/outages/outages.h"
#include "adapters/host/random_key.h"
#include "adapters/host/system_memory.h"
#include "adapters/host/wall_clock.h"
#include "adapters/open_log.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/reenact/busy_shop.h"
#include "tools/reenact/provider_line.h"
#include "tools/serve/log_lines.h"

#include <sys/resource.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <thread>
#include <utility>

namespace mayfly::tools {

namespace {

using Json = nlohmann::json;

constexpr auto step_interval = std::chrono::milliseconds(5);
constexpr std::int64_t samples = 400;  // of a run
constexpr events::Millis fewest_between{100};
constexpr events::Millis most_between{10'000};       // a run that is stopped has figures that are newer than that
constexpr std::int64_t log_bytes = 256LL << 20;      // of records that nobody needs any more
constexpr events::Millis off{1'000'000'000'000};     // longer than any run
constexpr std::int64_t no_budget_bytes = 1LL << 50;  // the most that may be set
constexpr events::Millis mean_answer_time{150};      // of inventory and provider

/// What is on by default, and scheduled restarts.
void protect(actors::EngineConfig& config, const Plan& plan) {
  config.memory.process_bytes = plan.budget_bytes();
  config.renewal.interval = plan.renew_interval();
}

/// Settings alone (docs/configuration.md): carts stay awake, nothing has a budget, nobody looks at memory, and no actor
/// that dies is started again: as in a service without actors the first allocation that fails is the end.
void expose(actors::EngineConfig& config) {
  config.passivate_after = off;
  config.awake_carts = 1'000'000'000;
  config.memory.cart_bytes = config.memory.session_bytes = config.memory.partition_bytes = 0;
  config.memory.process_bytes = no_budget_bytes;
  config.memory.look_interval = off;
  config.renewal.interval = events::Millis{0};
  config.supervision.partition_restarts.most = config.supervision.partition_rebuilds.most = 0;
}

/// Passes the engine's alerts on as the records that an operator gets.
class Alerts {
 public:
  explicit Alerts(events::LogClient& log) : log_(log), next_(static_cast<std::size_t>(log.partitions())) {}

  events::LogStatus step(events::Timestamp begun) {
    for (std::size_t p = 0; p < next_.size(); ++p) {
      const auto fetched =
          log_.read(events::Stream::alerts, static_cast<events::Partition>(p), next_[p], {100, 1 << 20, {}});
      if (!fetched.status.ok()) return fetched.status;
      next_[p] = fetched.next;
      for (const auto& record : fetched.batch.records) {
        auto data = Json::parse(record.value.value_or("{}"), nullptr, false);
        if (!data.is_object()) continue;
        data["ms"] = (record.append_time - begun).count;
        print_json(data.dump());
      }
    }
    return {};
  }

 private:
  events::LogClient& log_;
  std::vector<events::Offset> next_;
};

void print_sample(std::int64_t ms, const actors::Census& census, events::MemoryMeter& meter, const ProviderLine& line,
                  BusyShop& shop) {
  const auto memory = meter.read();
  const auto& f = shop.figures();
  print_json(Json{{"ms", ms},
                  {"used_bytes", memory.anonymous},
                  {"offered", f.offered},
                  {"admitted", f.admitted},
                  {"refused", f.refused},
                  {"checkouts", f.checkouts},
                  {"orders", f.orders},
                  {"slow", f.slow},
                  {"failed", f.failed},
                  {"carts_open", census.carts_open},
                  {"cart_actors", census.carts_started - census.carts_stopped},
                  {"sessions_open", census.sessions_open},
                  {"session_actors", census.sessions_started - census.sessions_stopped},
                  {"connections", line.taken()},
                  {"dead_letters", census.dead_letters},
                  {"answers_ms", shop.take_answers()}}
                 .dump());
  (void)output_written();
}

/// Inventory, and a payment provider whose requests wait in line for a connection.
class ConnectorsInLine final : public Connectors {
 public:
  ConnectorsInLine(events::LogClient& in, CommandWriter& out, Shop& shop, const Rates& rates, std::uint64_t seed,
                   ProviderLine& line)
      : Connectors(in, out, shop, rates, seed), line_(line) {}

  events::LogStatus serve(events::Timestamp now) {
    while (const auto turn = line_.next(now)) {
      if (turn->connected) {
        Connectors::answer(turn->request, now);
      } else {
        decline_unseen(turn->request, "no connection to the provider", now);
      }
    }
    return step(now);
  }

 private:
  void answer(const ConnectorRequest& request, events::Timestamp now) override {
    request.type.starts_with("payment.") ? line_.ask(request, now) : Connectors::answer(request, now);
  }

  ProviderLine& line_;
};

/// Owns what the run stands on.
struct Stage {
  explicit Stage(const Plan& plan) : line(plan.connection_limits()) {}

  adapters::WallClock clock;
  actors::Bug bug;
  ProviderLine line;
  std::unique_ptr<events::Log> log;
  std::unique_ptr<events::LogClient> client;
  adapters::SystemMemory meter;
  actors::EngineConfig config;
};

events::LogStatus set(Stage& stage, const Plan& plan, Role role, const std::string& folder) {
  const std::string name = "sqlite:" + folder + "/shop.db";
  adapters::LogOptions options;
  options.sqlite.retention_bytes = log_bytes;
  events::LogStatus status;
  stage.log = adapters::open_log(name, options, stage.clock, status);
  if (status.ok()) stage.client = adapters::open_client(name, {}, true, stage.clock, status);
  auto& config = stage.config;
  config.settings = events::default_settings();
  config.meter = &stage.meter;
  config.table_key = adapters::random_key();
  role == Role::unprotected ? expose(config) : protect(config, plan);
  stage.bug.bytes = plan.bug_bytes();
  config.cart_maker = plan.outage == Outage::cart_leak ? actors::carts_that_keep_data(stage.bug)
                                                       : actors::sessions_that_do_not_end(stage.bug, stage.line);
  return status;
}

/// From here on the process may have so much more than it has reserved without using it (threads' stacks): private
/// memory beyond that is refused, as when a machine has no more.
bool limit_memory(std::int64_t bytes, events::MemoryMeter& meter) {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages[6] = {};  // the sixth: private memory that can be written, used or not; proc(5)
  for (auto& one : pages) statm >> one;
  const auto reserved = pages[5] * ::sysconf(_SC_PAGESIZE) - meter.read().anonymous;
  const auto most = static_cast<rlim_t>(bytes + std::max<std::int64_t>(reserved, 0));
  const rlimit limit{most, most};
  return statm.good() && ::setrlimit(RLIMIT_DATA, &limit) == 0;
}

/// The shop's day: buyers come until the end of the run, then those that wait are waited for.
events::LogStatus lead(Stage& stage, const Plan& plan, Role role, actors::Engine& engine,
                       const std::atomic<bool>& serves) {
  CommandWriter out(*stage.client);
  BusyShop shop(out, plan);
  Rates rates;
  rates.quickest = {};
  rates.slowest = {2 * mean_answer_time.count};
  ConnectorsInLine connectors(*stage.client, out, shop, rates, plan.seed, stage.line);
  Alerts alerts(*stage.client);
  const events::Millis between{std::clamp(plan.length.count / samples, fewest_between.count, most_between.count)};
  const auto begun = stage.clock.now();
  auto sampled = begun;
  events::LogStatus status;
  while (status.ok() && serves) {
    const auto now = stage.clock.now();
    const auto since = now - begun;
    stage.bug.in_service = role != Role::mended && since >= plan.bug_begins() && since < plan.bug_ends();
    status = shop.step(begun, now);
    if (status.ok()) status = connectors.serve(now);
    if (status.ok()) status = out.flush();
    if (status.ok()) status = alerts.step(begun);
    if (now - sampled >= between) {
      sampled = now;
      print_sample(since.count, engine.census(), stage.meter, stage.line, shop);
    }
    if (since >= plan.length && !shop.busy()) break;
    std::this_thread::sleep_for(step_interval);
  }
  print_sample((stage.clock.now() - begun).count, engine.census(), stage.meter, stage.line, shop);
  return status;
}

}  // namespace

int play(const Plan& plan, Role role, const std::string& folder) noexcept {
  begin_log(true);
  Stage stage(plan);
  auto status = set(stage, plan, role, folder);
  if (!status.ok()) return complain_of(status);
  actors::RunResult result;
  actors::Engine engine(*stage.log, stage.clock, stage.config, log_notice);
  std::stop_source stop;
  std::atomic<bool> serves{true};
  std::thread serving([&]() noexcept {
    result = engine.run(stop.get_token());
    serves = false;
  });
  while (serves && !engine.ready()) std::this_thread::sleep_for(step_interval);
  if (!limit_memory(plan.limit_bytes, stage.meter)) status = {events::LogError::invalid, "no limit could be set"};
  if (status.ok()) status = lead(stage, plan, role, engine, serves);
  stop.request_stop();
  serving.join();
  if (!status.ok()) return complain_of(status);
  if (result.end != actors::RunEnd::failed) return exit_ok;
  complain("%s\n", result.message.c_str());
  return exit_code_of_engine(result.error);
}

}  // namespace mayfly::tools
