// mayfly feed: Online Retail's CSV as commands.
#include "adapters/host/wall_clock.h"
#include "events/wire/json_writer.h"
#include "tools/console/client.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/progress.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/feed/retail.h"
#include "tools/records/command_writer.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

namespace mayfly::tools {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int shown_bad_rows = 10;

/// Holds commands back so that no more than `per_s` go out each second on average.
class Pace {
 public:
  explicit Pace(std::int64_t per_s) : per_s_(per_s) {}
  void wait_for(std::int64_t sent) const {
    if (per_s_ <= 0) return;
    std::this_thread::sleep_until(begun_ + std::chrono::microseconds(sent * 1'000'000 / per_s_));
  }
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(SteadyClock::now() - begun_).count(); }

 private:
  std::int64_t per_s_;
  SteadyClock::time_point begun_ = SteadyClock::now();
};

struct Fed {
  std::int64_t commands = 0;
  std::int64_t skipped_rows = 0;
  double seconds = 0;
};

void print_sums(const FeedOptions& options, const RetailShop& shop, const Fed& fed) {
  if (!options.json) {
    print("%s rows (%s skipped), %s invoices, %s commands in %.1f s\n", grouped(shop.rows()).c_str(),
          grouped(fed.skipped_rows).c_str(), grouped(shop.invoices()).c_str(), grouped(fed.commands).c_str(),
          fed.seconds);
    return;
  }
  std::string out;
  events::JsonObject json(out);
  json.number("rows", shop.rows());
  json.number("skipped", fed.skipped_rows);
  json.number("invoices", shop.invoices());
  json.number("commands", fed.commands);
  json.close();
  print_json(out);
}

}  // namespace

int feed(const FeedOptions& options) {
  const adapters::WallClock clock;
  int code = exit_ok;
  const auto log = open_client(options, options.create, clock, code);
  if (!log) return code;
  events::LogStatus status;
  auto stop = stop_on_signals();
  CommandWriter writer(*log);
  const Pace pace(options.speed_per_s);
  std::int64_t sent = 0;
  std::int64_t bad_rows = 0;
  auto progress = std::make_unique<Progress>("commands", 0);
  RetailShop shop(
      [&](OutgoingCommand command) {
        if (!status.ok()) return;
        pace.wait_for(++sent);
        status = writer.write(std::move(command));
        if (options.speed_per_s > 0 && options.speed_per_s < 2000 && status.ok()) status = writer.flush();
        progress->at(sent);
      },
      options.limit_invoices);
  CsvReader csv([&](std::int64_t line, const CsvReader::Fields& fields) {
    const auto wrong = shop.row(fields);
    if (wrong.empty()) return;
    if (++bad_rows <= shown_bad_rows)
      complain("%s:%lld: %s; skipped\n", options.csv.c_str(), static_cast<long long>(line), wrong.c_str());
  });
  const auto wrong = read_file(options.csv, [&](std::string_view piece) {
    csv.read(piece);
    return status.ok() && !stop.stop_requested() && !shop.full() && (shop.has_columns() || bad_rows == 0);
  });
  if (!shop.full()) csv.end();
  shop.end();
  if (status.ok()) status = writer.flush();
  progress.reset();
  if (!wrong.empty()) {
    complain("%s\n%s commands were appended.\n", wrong.c_str(), grouped(writer.written()).c_str());
    return exit_usage;
  }
  if (status.ok() && !shop.has_columns() && !stop.stop_requested()) {
    complain("%s: is no CSV of Online Retail: its first line names no columns (docs/feed.md). Nothing was appended.\n",
             options.csv.c_str());
    return exit_usage;
  }
  if (!status.ok()) {
    complain("%s\n%s commands were appended.\n", status.message.c_str(), grouped(writer.written()).c_str());
    return exit_code_of(status.error);
  }
  print_sums(options, shop, {writer.written(), bad_rows, pace.seconds()});
  return exit_ok;
}

}  // namespace mayfly::tools
