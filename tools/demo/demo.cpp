// mayfly demo: an engine, and round it a simulated shop, inventory and payment provider.
#include "adapters/host/random_key.h"
#include "adapters/host/system_memory.h"
#include "adapters/host/wall_clock.h"
#include "adapters/open_log.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/temporary_folder.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/demo/connectors.h"
#include "tools/demo/simulated_shop.h"
#include "tools/front_door/front_door.h"
#include "tools/serve/front.h"
#include "tools/serve/log_lines.h"
#include "tools/serve/tracing.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

namespace mayfly::tools {

namespace {

constexpr auto step_interval = std::chrono::milliseconds(5);
constexpr events::Millis table_interval{1'000};
constexpr std::int64_t times_faster = 1'000;   // an hour of the buyers' banks takes seconds
constexpr events::Millis drain_limit{15'000};  // without an event, once all buyers have come

/// A word as a shell takes it.
std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:,=+@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

void introduce(const DemoOptions& options, const std::string& log, const std::string& http, const std::string& door) {
  const auto program = quoted(options.program);
  const auto words = quoted(log);
  print("The demo serves %s.\n", log.c_str());
  if (options.log.empty() && !options.keep) print("It is removed when the demo ends; --keep or --log keeps it.\n");
  if (!http.empty()) print("Watch it on http://%s/\n", http.c_str());
  if (!door.empty()) print("It takes commands over HTTP at http://%s/ (docs/http.md)\n", door.c_str());
  print_text(
      "\nBuyers, warehouse and payment provider are simulated. What takes days elsewhere takes seconds here, and some\n"
      "checkouts fail on purpose. A buyer who logs in has two carts, which are merged.\n");
  print("\nIn another terminal, try:\n\n");
  if (!http.empty()) print("  %s tree    --http %s\n", program.c_str(), http.c_str());
  print("  %s tail    --log %s -f\n", program.c_str(), words.c_str());
  print("  %s tail    --log %s --type order.placed --json\n", program.c_str(), words.c_str());
  print("  %s inspect --log %s CART      # a cart id that tail has shown\n\n", program.c_str(), words.c_str());
  if (!door.empty()) {
    print("  curl -s %s/carts/mine/commands/cart.create -H 'Prefer: wait=5' -d '{\"currency\":\"GBP\"}'\n\n",
          door.c_str());
  }
  print("Control-C drains and stops.\n\n");
  print("%10s %10s %10s %10s %8s %8s %8s %8s %8s %8s\n", "carts", "orders", "declined", "reopened", "canceled", "open",
        "awake", "sessions", "cmds/s", "MiB");
  (void)output_written();
}

void print_row(const SimulatedShop& shop, const Seen& seen, const actors::Census& now, std::int64_t per_s) {
  print("%10s %10s %10s %10s %8s %8s %8s %8s %8s %8s\n", grouped(shop.started()).c_str(), grouped(seen.orders).c_str(),
        grouped(seen.declined).c_str(), grouped(seen.reopened).c_str(), grouped(seen.canceled).c_str(),
        grouped(now.carts_open).c_str(), grouped(now.carts_awake).c_str(), grouped(now.sessions_open).c_str(),
        grouped(per_s).c_str(), grouped(resident_bytes() / (1024 * 1024)).c_str());
  (void)output_written();
}

/// At the address that was asked for; where none was, at the default one or any that is free.
template <class Server>
void listen(Server& server, const std::string& asked, const char* by_default) {
  if (asked == "off") return;
  auto wrong = server.listen(asked.empty() ? by_default : asked);
  if (!wrong.empty() && asked.empty()) wrong = server.listen("127.0.0.1:0");
  if (!wrong.empty()) complain("%s\n", wrong.c_str());
}

}  // namespace

int demo(const DemoOptions& options) {
  const adapters::WallClock clock;
  std::optional<TemporaryFolder> folder;
  if (options.log.empty()) folder.emplace("mayfly-demo");
  if (folder && options.keep) folder->keep();
  const std::string name = folder ? "sqlite:" + folder->path() + "/shop.db" : options.log;
  auto stop = stop_on_signals(folder ? folder->removal() : [] {});
  begin_log(false);
  events::LogStatus status;
  const auto log = adapters::open_log(name, {}, clock, status);
  std::array<std::unique_ptr<events::LogClient>, 8> clients;  // the shop's, and those of the front door
  for (auto& client : clients) {
    if (status.ok()) client = adapters::open_client(name, {}, true, clock, status);
  }
  if (!status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  auto& [shop_side, writer, reader, history, look_back, repeats, commands, feed] = clients;
  actors::EngineConfig config;
  config.settings = events::default_settings();
  config.settings.reservation_wait = events::Millis{5'000};  // so that silence is seen to end
  config.settings.authorization_wait = events::Millis{5'000};
  config.settings.status_try[0] = events::Millis{2'000};
  adapters::SystemMemory meter;
  config.meter = &meter;
  config.table_key = adapters::random_key();
  const auto traces = Tracing::from_environment(name, config.name, {});
  if (traces) config.observer = &traces->observer();
  actors::RunResult result;
  actors::Engine engine(*log, clock, config, [](const actors::Notice& n) {
    if (n.level != actors::Notice::Level::info) log_notice(n);
  });
  std::stop_source stop_engine;
  std::atomic<bool> serves{true};
  std::thread serving([&] {
    result = engine.run(stop_engine.get_token());
    serves = false;
  });

  Front front(clock, {config.name, name, clock.now()}, {},
              [&](events::LogStatus& wrong) { return adapters::open_reader(name, {}, clock, wrong); });
  const Front::Showing showing(front, engine, traces.get());
  auto keys = std::make_unique<KeyBook>(std::move(commands), config.table_key);
  status = keys->read_log(*look_back, stop.get_token());
  FrontDoor door({std::move(writer), std::move(reader), std::move(history), std::move(look_back), std::move(repeats),
                  std::move(feed)},
                 std::move(keys), Access::open(), clock);
  listen(front, options.http, default_http_address);
  listen(door, options.front, default_front_address);
  introduce(options, name, front.address(), door.address());
  CommandWriter out(*shop_side);
  SimulatedShop shop(out, options.seed);
  Rates rates;
  rates.decline = options.decline_percent;
  rates.silence = options.silence_percent;
  rates.out_of_stock = options.out_of_stock_percent;
  rates.quickest = {};
  rates.slowest = {2 * options.delay_ms * times_faster};
  rates.pending = 5;
  rates.attempt_fails = 50;
  rates.told_again = 100;
  rates.dispute = 1;
  rates.dispute_most = rates.dispute_least = {20'000 * times_faster};
  Connectors connectors(*shop_side, out, shop, rates, options.seed, times_faster);
  const auto begun = clock.now();
  auto last_row = begun;
  auto quiet_since = begun;
  std::int64_t heard = 0;
  actors::Census before;
  while (!stop.stop_requested() && status.ok() && serves && output_written()) {
    const auto now = clock.now();
    const auto due = (now - begun).count * options.carts_per_s / 1000 + 1;
    const auto wanted = options.carts > 0 ? std::min(due, options.carts) : due;
    while (shop.started() < wanted && status.ok()) status = shop.new_cart();
    if (status.ok()) status = connectors.step(now);
    if (status.ok()) status = shop.send_due(now);
    if (status.ok()) status = out.flush();
    if (connectors.seen().events > heard) {
      heard = connectors.seen().events;
      quiet_since = now;
    }
    const auto census = engine.census();
    if (now - last_row >= table_interval) {
      print_row(shop, connectors.seen(), census, (census.commands - before.commands) * 1000 / (now - last_row).count);
      last_row = now;
      before = census;
    }
    if (options.carts > 0 && shop.started() >= options.carts) {
      const bool all_over =
          census.carts_open == 0 && connectors.seen().completed + connectors.seen().canceled >= options.carts;
      if (all_over || now - quiet_since >= drain_limit) break;
    }
    std::this_thread::sleep_for(step_interval);
  }
  stop_engine.request_stop();
  serving.join();
  print_row(shop, connectors.seen(), engine.census(), 0);
  if (!status.ok() || result.end == actors::RunEnd::failed) {
    complain("%s\n", status.ok() ? result.message.c_str() : status.message.c_str());
    return status.ok() ? exit_code_of_engine(result.error) : exit_code_of(status.error);
  }
  return exit_ok;
}

}  // namespace mayfly::tools
