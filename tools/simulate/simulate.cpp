// mayfly simulate: a payment service, and a warehouse, that keep books and answer as unreliably as is asked for.
#include "adapters/host/wall_clock.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/funds/funds_reader.h"
#include "tools/simulate/balance.h"
#include "tools/simulate/simulation.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace mayfly::tools {

namespace {

constexpr auto idle_wait = std::chrono::milliseconds(10);  // between two looks at a log that has nothing new

Simulation::Wanted wanted_of(const SimulateOptions& options) {
  Simulation::Wanted wanted;
  const auto has = [&](const char* what) {
    return std::find(options.what.begin(), options.what.end(), what) != options.what.end();
  };
  wanted.provider = has("provider");
  wanted.warehouse = has("warehouse");
  wanted.seed = options.seed;
  wanted.faster = options.faster;
  wanted.rates = {.silence = options.silence_percent,
                  .duplicate = options.duplicate_percent,
                  .late = options.late_percent,
                  .wrong_amount = options.wrong_amount_percent,
                  .decline = options.decline_percent,
                  .out_of_stock = options.out_of_stock_percent,
                  .pending = options.pending_percent,
                  .attempt_fails = options.attempt_fails_percent,
                  .capture_fails = options.capture_fails_percent,
                  .dispute = options.dispute_percent,
                  .refund_fails = options.refund_fails_percent,
                  .extra = options.extra_percent,
                  .never_settles = options.never_settles_percent,
                  .quickest = {},
                  .slowest = {2 * options.delay_ms}};
  return wanted;
}

/// What is listed is read first, then the orders: so that money which has become an order's meanwhile is in one of
/// them.
int print_books(Simulation& simulation, events::LogClient& log, const SimulateOptions& options) {
  std::vector<Risk> risks;
  std::vector<events::Position> cut;
  auto status = read_risks(log, {}, risks, cut);
  if (status.ok()) status = simulation.read_orders_to_the_end();
  if (!status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  std::vector<std::string> wrong;
  const auto balances = balance(simulation.provider().accounts(), simulation.orders(), risks, wrong);
  if (options.json) {
    print_text(simulation.provider().books_as_ndjson());
    print_text(simulation.warehouse().books_as_ndjson());
  } else {
    print_text(balance_text(balances));
  }
  for (const auto& sentence : wrong) complain("%s\n", sentence.c_str());
  if (!wrong.empty()) complain("The books are not even: %zu sessions, see above.\n", wrong.size());
  if (wrong.empty() && !options.json) print("The books are even.\n");
  return wrong.empty() ? exit_ok : exit_failed;
}

}  // namespace

int simulate(const SimulateOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_client(options, false, clock, code);
  if (!log) return code;
  auto stop = stop_on_signals();
  Simulation simulation(*log, wanted_of(options));
  auto status = simulation.begin();
  if (status.ok() && !options.json) {
    print("Requests are answered (docs/simulate.md); seed %llu. Control-C stops and prints the books.\n",
          static_cast<unsigned long long>(options.seed));
    (void)output_written();
  }
  while (status.ok() && !stop.stop_requested()) {
    bool found = false;
    status = simulation.step(clock.now(), found);
    if (status.ok() && !found) std::this_thread::sleep_for(idle_wait);
  }
  if (status.ok()) status = simulation.keep();
  if (!status.ok()) {
    complain("%s\n", status.message.c_str());
    return exit_code_of(status.error);
  }
  if (!options.json)
    print("%s requests, %s answers, %zu wait for their time\n", grouped(simulation.taken()).c_str(),
          grouped(simulation.sent()).c_str(), simulation.waiting());
  return wanted_of(options).provider ? print_books(simulation, *log, options) : exit_ok;
}

}  // namespace mayfly::tools
