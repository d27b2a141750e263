// Carts among hostile connectors that keep their own books (docs/testing.md). At the end the books, and on a simulated
// clock the streams and what `funds` lists, lie in a folder for tests/system/checks/books.py.
// Usage: hostile OUT [--log memory|L] [--carts N] [--hours H] [--seed S] [--outside FASTER]
// --outside: the engine is another process and time is real; connectors are FASTER times as quick.
#include "adapters/host/wall_clock.h"
#include "adapters/open_log.h"
#include "logs/memory_log.h"
#include "system/hostile/noise.h"
#include "system/hostile/simulated_engine.h"
#include "system/hostile/world.h"
#include "tools/console/text.h"
#include "tools/funds/funds_reader.h"
#include "tools/records/each_record.h"
#include "tools/records/record_text.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using namespace mayfly;
using namespace mayfly::events;

namespace {

constexpr Timestamp simulated_begin{1'767'225'600'000};  // 2026-01-01T00:00:00Z
constexpr Millis quick_step = 2_s;
constexpr Millis slow_step = 60_s;
constexpr Millis calm_step = 600_s;    // at most, while nothing is heard
constexpr Millis longest = 45_d;       // simulated: no cart may live longer
constexpr Millis calm_inside = 5_s;    // without an event: the engine has done all that was sent
constexpr Millis calm_outside = 20_s;  // the same of another process, on a machine that is busy with other tests
constexpr int rounds = 12;             // of looking up what is unresolved
constexpr int carts_per_noise = 50;

struct Options {
  std::string out;
  std::string log = "memory";
  std::int64_t carts = 1'000;
  std::int64_t hours = 1;
  std::uint64_t seed = 1;
  std::int64_t faster = 0;  // 0: the engine is inside, time is simulated
};

void must(const std::string& wrong) {
  if (!wrong.empty()) throw std::runtime_error(wrong);
}

class File {
 public:
  explicit File(const std::filesystem::path& path) : file_(std::fopen(path.c_str(), "w")) {
    if (file_ == nullptr) throw std::runtime_error(path.string() + " cannot be written");
  }
  ~File() { std::fclose(file_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] std::FILE* get() const { return file_; }

 private:
  std::FILE* file_;
};

std::vector<tools::Risk> risks_of(LogClient& log) {
  std::vector<tools::Risk> risks;
  std::vector<Position> cut;
  must(tools::read_risks(log, {}, risks, cut).message);
  must(cut.empty() ? std::string{} : "the log has let go of events");
  return risks;
}

/// The books and what is listed at this moment.
void write_books(const std::filesystem::path& folder, hostile::World& world, LogClient& log, Timestamp now) {
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), File(folder / name).get());
  };
  write("provider.ndjson", world.provider().books_as_ndjson());
  write("inventory.ndjson", world.inventory().books_as_ndjson());
  write("funds.ndjson", tools::risks_as_ndjson(risks_of(log), {}, now));
}

void write_stream(const std::filesystem::path& file, LogClient& log, Stream stream) {
  const File out(file);
  for (Partition p = 0; p < log.partitions(); ++p) {
    must(tools::each_record(log, stream, p, [&](const Record& record) {
           std::fprintf(out.get(), "%s\n", tools::as_ndjson(record).c_str());
           return true;
         }).message);
  }
}

/// Time as the run sees it: moved by hand with the engine inside, or the world's, with the engine in another process.
class Time {
 public:
  virtual ~Time() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
  /// Lets the engine decide, then time go on by `most`; `next`: when something will be sent.
  virtual void pass(std::optional<Timestamp> next, Millis most) = 0;
  /// Every cart that the shop started is over, as far as it can be known.
  [[nodiscard]] virtual bool all_over(const hostile::Shop&) const = 0;
};

class SimulatedTime final : public Time {
 public:
  SimulatedTime(Log& log, LogClient& client, hostile::SimulatedClock& clock)
      : clock_(clock), engine_(log, client, clock) {}
  [[nodiscard]] Timestamp now() const override { return clock_.now(); }
  void pass(std::optional<Timestamp> next, Millis step) override {
    must(engine_.run());
    const auto most = clock_.now() + step;
    const auto least = clock_.now() + quick_step;
    clock_.set(next ? std::max(least, std::min(most, *next)) : most);
  }
  [[nodiscard]] bool all_over(const hostile::Shop&) const override { return engine_.census().carts_open == 0; }
  [[nodiscard]] actors::Census census() const { return engine_.census(); }

 private:
  hostile::SimulatedClock& clock_;
  hostile::SimulatedEngine engine_;
};

class RealTime final : public Time {
 public:
  [[nodiscard]] Timestamp now() const override { return clock_.now(); }
  void pass(std::optional<Timestamp>, Millis) override { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }
  [[nodiscard]] bool all_over(const hostile::Shop& shop) const override { return shop.open() == 0; }

 private:
  adapters::WallClock clock_;
};

void run(const Options& options, LogClient& client, Time& time) {
  hostile::Habits habits;
  if (options.faster > 0) habits.in_real_time();
  const auto faster = std::max<std::int64_t>(1, options.faster);
  hostile::World world(client, habits, options.seed, faster);
  hostile::Noise noise(client);
  const auto begun = time.now();
  const Millis arrivals{options.hours * 3'600'000 / faster};
  const auto until = begun + Millis{longest.count / faster};
  const auto calm = options.faster > 0 ? calm_outside : calm_inside;
  auto slow = slow_step;
  const auto step = [&](bool quick) {
    must(world.send(time.now()).message);
    const auto now = time.now();
    time.pass(world.next(), quick ? quick_step : slow);
    const auto heard = world.heard();
    must(world.listen(now).message);
    slow = world.heard() > heard ? slow_step : Millis{std::min(calm_step.count, 2 * slow.count)};
  };
  const auto settle = [&] {
    auto heard = world.heard();
    for (auto calm_at = time.now() + calm; world.next() || time.now() < calm_at;) {
      step(true);
      if (world.heard() == heard) continue;
      heard = world.heard();
      calm_at = time.now() + calm;
    }
  };
  auto& shop = world.shop();
  while (shop.started() < options.carts || !time.all_over(shop) || world.next()) {
    const auto wanted = std::min(options.carts, options.carts * (time.now() - begun).count / arrivals.count + 1);
    while (shop.started() < wanted) {
      shop.new_cart(time.now());
      if (shop.started() % carts_per_noise == 0) must(noise.make().message);
    }
    step(shop.started() < options.carts);
    if (time.now() > until) throw std::runtime_error("carts are open past every deadline");
  }
  settle();
  if (shop.open() > 0) throw std::runtime_error(std::to_string(shop.open()) + " carts of the shop's book have no end");
  write_books(std::filesystem::path(options.out) / "before", world, client, time.now());
  std::printf("%s carts over after %s min; %s commands sent, %s events heard\n", tools::grouped(shop.started()).c_str(),
              tools::grouped((time.now() - begun).count / 60'000).c_str(), tools::grouped(world.sent()).c_str(),
              tools::grouped(world.heard()).c_str());
  // People look at what is unresolved, until nothing more comes of it. They collect half of the unpaid orders.
  world.become_reliable();
  std::set<std::pair<std::string, Minor>> looked_up;
  for (int round = 0; round < rounds; ++round) {
    const auto heard = world.heard();
    for (const auto& risk : risks_of(client)) {
      if (!looked_up.emplace(risk.session, risk.amount_minor).second) continue;
      world.provider().look_up(time.now(), risk, risk.cart.back() % 2 == 0);
    }
    settle();
    if (world.heard() == heard) break;
  }
  write_books(std::filesystem::path(options.out) / "after", world, client, time.now());
}

void run_simulated(const Options& options) {
  hostile::SimulatedClock clock(simulated_begin);
  adapters::MemoryStore store(adapters::default_partitions, clock);
  std::unique_ptr<Log> log;
  std::unique_ptr<LogClient> client;
  LogStatus status;
  if (options.log == "memory") {
    log = std::make_unique<adapters::MemoryLog>(store);
    client = std::make_unique<adapters::MemoryClient>(store);
  } else {
    log = adapters::open_log(options.log, {adapters::default_partitions, "hostile", {}}, clock, status);
    if (log) client = adapters::open_client(options.log, {}, false, clock, status);
  }
  must(status.ok() ? std::string() : status.message);
  SimulatedTime time(*log, *client, clock);
  run(options, *client, time);
  const auto census = time.census();
  std::printf("carts open %lld, sessions open %lld, actors started - stopped = %lld, dead letters %lld, ticks %s\n",
              static_cast<long long>(census.carts_open), static_cast<long long>(census.sessions_open),
              static_cast<long long>(census.carts_started - census.carts_stopped),
              static_cast<long long>(census.dead_letters), tools::grouped(census.ticks).c_str());
  if (options.log != "memory") return;  // its reader can read it
  for (const auto& [stream, name] :
       {std::pair{Stream::events, "events.ndjson"}, std::pair{Stream::deadletters, "deadletters.ndjson"},
        std::pair{Stream::alerts, "alerts.ndjson"}}) {
    write_stream(std::filesystem::path(options.out) / name, *client, stream);
  }
}

void run_outside(const Options& options) {
  const adapters::WallClock clock;
  LogStatus status;
  const auto client = adapters::open_client(options.log, {}, false, clock, status);
  must(status.ok() ? std::string() : status.message);
  RealTime time;
  run(options, *client, time);
}

Options read(int argc, char** argv) {
  Options o;
  if (argc < 2)
    throw std::runtime_error(
        "Usage: hostile OUT [--log memory|L] [--carts N] [--hours H] [--seed S] [--outside FASTER]");
  o.out = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--log") o.log = value;
    if (name == "--carts") o.carts = std::stoll(value);
    if (name == "--hours") o.hours = std::stoll(value);
    if (name == "--seed") o.seed = std::stoull(value);
    if (name == "--outside") o.faster = std::stoll(value);
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto options = read(argc, argv);
    std::filesystem::create_directories(options.out);
    options.faster > 0 ? run_outside(options) : run_simulated(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hostile: %s\n", error.what());
    return 1;
  }
}
