// mayfly demo: an engine, and round it a simulated shop, inventory and payment provider.
#include "adapters/open_log.h"
#include "adapters/system_memory.h"
#include "adapters/wall_clock.h"
#include "tools/connectors.h"
#include "tools/exit_codes.h"
#include "tools/front.h"
#include "tools/log_lines.h"
#include "tools/text.h"
#include "tools/verbs.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace mayfly::tools {

namespace {

constexpr auto step_interval = std::chrono::milliseconds(5);
constexpr events::Millis table_interval{1'000};
constexpr events::Millis drain_limit{15'000};  // for open carts, after the last one was started

std::string temporary_log() {
  std::string folder = (std::filesystem::temp_directory_path() / "mayfly-demo-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no temporary folder could be made in " + folder);
  return "sqlite:" + folder + "/shop.db";
}

void introduce(const std::string& log, const std::string& http) {
  std::printf("The demo serves %s.\n", log.c_str());
  if (!http.empty()) std::printf("Watch it on http://%s/\n", http.c_str());
  std::printf("\nIn another terminal, try:\n\n");
  if (!http.empty()) std::printf("  build/release/mayfly tree    --http %s\n", http.c_str());
  std::printf("  build/release/mayfly tail    --log %s\n", log.c_str());
  std::printf("  build/release/mayfly tail    --log %s --type order.placed --json\n", log.c_str());
  std::printf("  build/release/mayfly inspect --log %s CART      # a cart id that tail has shown\n\n", log.c_str());
  std::printf("Control-C drains and stops.\n\n");
  std::printf("%10s %10s %10s %10s %8s %8s %8s %8s %8s %8s\n", "carts", "orders", "declined", "reopened", "canceled",
              "open", "awake", "sessions", "cmds/s", "MiB");
  std::fflush(stdout);
}

void print_row(const SimulatedShop& shop, const Seen& seen, const actors::Census& now, std::int64_t per_s) {
  std::printf("%10s %10s %10s %10s %8s %8s %8s %8s %8s %8s\n", grouped(shop.started()).c_str(),
              grouped(seen.orders).c_str(), grouped(seen.declined).c_str(), grouped(seen.reopened).c_str(),
              grouped(seen.canceled).c_str(), grouped(now.carts_open).c_str(), grouped(now.carts_awake).c_str(),
              grouped(now.sessions_open).c_str(), grouped(per_s).c_str(),
              grouped(resident_bytes() / (1024 * 1024)).c_str());
  std::fflush(stdout);
}

}  // namespace

int demo(const DemoOptions& options) {
  const adapters::WallClock clock;
  const std::string name = options.log.empty() ? temporary_log() : options.log;
  auto stop = stop_on_signals();
  begin_log(false);
  events::LogStatus status;
  const auto log = adapters::open_log(name, {}, clock, status);
  const auto shop_side = log ? adapters::open_client(name, {}, true, clock, status) : nullptr;
  if (!shop_side) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  actors::EngineConfig config;
  config.settings.reservation_wait = events::Millis{5'000};  // so that silence is seen to end
  config.settings.authorization_wait = events::Millis{5'000};
  config.settings.status_try[0] = events::Millis{2'000};
  adapters::SystemMemory meter;
  config.meter = &meter;
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

  Front front(clock, {config.name, name, clock.now()}, {});
  const Front::Showing showing(front, engine);
  auto not_listening =
      options.http == "off" ? std::string() : front.listen(options.http.empty() ? default_http_address : options.http);
  if (!not_listening.empty() && options.http.empty()) not_listening = front.listen("127.0.0.1:0");
  if (!not_listening.empty()) std::fprintf(stderr, "%s\n", not_listening.c_str());
  introduce(name, front.address());
  CommandWriter out(*shop_side);
  SimulatedShop shop(out, options.seed);
  Connectors connectors(*shop_side, out, shop,
                        {options.decline_percent, options.silence_percent, options.out_of_stock_percent,
                         events::Millis{options.delay_ms}},
                        options.seed);
  const auto begun = clock.now();
  auto last_row = begun;
  std::optional<events::Timestamp> last_cart;
  actors::Census before;
  while (!stop.stop_requested() && status.ok() && serves) {
    const auto now = clock.now();
    const auto due = (now - begun).count * options.carts_per_s / 1000 + 1;
    const auto wanted = options.carts > 0 ? std::min(due, options.carts) : due;
    while (shop.started() < wanted && status.ok()) status = shop.new_cart();
    if (status.ok()) status = connectors.step(now);
    if (status.ok()) status = out.flush();
    const auto census = engine.census();
    if (now - last_row >= table_interval) {
      print_row(shop, connectors.seen(), census, (census.commands - before.commands) * 1000 / (now - last_row).count);
      last_row = now;
      before = census;
    }
    if (options.carts > 0 && shop.started() >= options.carts) {
      if (!last_cart) last_cart = now;
      const bool all_over =
          census.carts_open == 0 && connectors.seen().completed + connectors.seen().canceled >= options.carts;
      if (all_over || now - *last_cart >= drain_limit) break;
    }
    std::this_thread::sleep_for(step_interval);
  }
  stop_engine.request_stop();
  serving.join();
  print_row(shop, connectors.seen(), engine.census(), 0);
  if (!status.ok() || result.end == actors::RunEnd::failed) {
    std::fprintf(stderr, "%s\n", status.ok() ? result.message.c_str() : status.message.c_str());
    return status.ok() ? exit_code_of_engine(result.error) : exit_code_of(status.error);
  }
  return exit_ok;
}

}  // namespace mayfly::tools
