// Carts among hostile connectors on a SQLite log and a clock that is moved by hand, for a time: what was open then
// stays open. Each cart's chances are its own, so that a run with a change differs from the one without it in what the
// change leads to, and in nothing else. For tests/system/checks/test_whatif.py. Usage: fresh_run FILE [--carts N]
// [--minutes M] [--seed S] [--tries T] [--settings JSON] [--lose N]
// --lose: the first payment.authorized of every Nth cart is lost on its way, and so is one that repeats it at once.
#include "adapters/open_log.h"
#include "events/text/number.h"
#include "system/hostile/simulated_engine.h"
#include "system/hostile/world.h"
#include "tools/records/record_text.h"
#include "tools/replay/replay_plan.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::events;

namespace {

constexpr Timestamp simulated_begin{1'767'225'600'000};  // 2026-01-01T00:00:00Z
/// Waits are whole seconds, so each ends at a tick, in every run at the same one.
constexpr Millis step = 1_s;
constexpr int arrive_within_percent = 50;  // of the time

struct Options {
  std::string file;
  std::int64_t carts = 200;
  std::int64_t minutes = 10;
  std::uint64_t seed = 1;
  int tries = 1;
  std::string settings;
  std::int64_t lose = 0;  // 0: nothing
};

void must(const std::string& wrong) {
  if (!wrong.empty()) throw std::runtime_error(wrong);
}

/// What the connectors write to, and where a reply may be lost.
class LossyClient final : public LogClient {
 public:
  LossyClient(LogClient& log, const Clock& clock, std::int64_t every) : log_(log), clock_(clock), every_(every) {}
  [[nodiscard]] std::int32_t partitions() const override { return log_.partitions(); }
  Appended append(std::span<const NewRecord> records) override {
    std::vector<NewRecord> kept;
    for (const auto& record : records) {
      if (!lost(record)) kept.push_back(record);
    }
    return kept.empty() ? Appended{} : log_.append(kept);
  }
  Fetched read(Stream stream, Partition p, Offset from, const PollLimits& limits) override {
    return log_.read(stream, p, from, limits);
  }
  StreamEnds ends(Stream stream, Partition p) override { return log_.ends(stream, p); }

 private:
  bool lost(const NewRecord& record) {
    const std::string cart(record.key.value_or(Bytes{}));
    const auto number = number_in<std::int64_t>(cart.substr(std::min(cart.size(), std::size_t{5})));
    if (every_ == 0 || !number || *number % every_ != 0) return false;
    for (const auto& header : record.headers) {
      if (header.name == "ce_type" && header.value == "dev.mayfly.payment.authorized.v1")
        return lost_.emplace(cart, clock_.now()).first->second == clock_.now();
    }
    return false;
  }

  LogClient& log_;
  const Clock& clock_;
  std::int64_t every_;
  std::map<std::string, Timestamp> lost_;  // when, by cart
};

void run(const Options& options) {
  hostile::SimulatedClock clock(simulated_begin);
  LogStatus status;
  const auto name = "sqlite:" + options.file;
  const auto log = adapters::open_log(name, {adapters::default_partitions, "hostile", {}}, clock, status);
  must(status.ok() ? std::string() : status.message);
  const auto client = adapters::open_client(name, {}, false, clock, status);
  must(status.ok() ? std::string() : status.message);
  tools::ReplayPlan plan;
  plan.settings = options.settings;
  Settings settings;
  plan.change(settings);
  hostile::SimulatedEngine engine(*log, *client, clock, settings);
  hostile::Habits habits;
  habits.each_cart_by_itself = true;
  habits.most_tries = options.tries;
  habits.merge = 0;  // a merge is named by the offset of its command, which is another one in another run
  LossyClient lossy(*client, clock, options.lose);
  hostile::World world(lossy, habits, options.seed, 1);
  const auto length = Millis{options.minutes * 60'000};
  for (Millis passed{0}; passed < length; passed.count += step.count) {
    clock.set(simulated_begin + passed);
    const auto arrived = options.carts * passed.count * 100 / (length.count * arrive_within_percent) + 1;
    while (world.shop().started() < std::min(options.carts, arrived)) world.shop().new_cart(clock.now());
    must(world.send(clock.now()).message);
    must(engine.run());
    must(world.listen(clock.now()).message);
  }
  std::printf("%lld commands sent, %lld events heard\n", static_cast<long long>(world.sent()),
              static_cast<long long>(world.heard()));
}

Options read(int argc, char** argv) {
  Options o;
  if (argc < 2 || argc % 2 != 0) throw std::runtime_error("Usage: the first lines of tests/system/fresh/fresh_run.cpp");
  o.file = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--carts") o.carts = std::stoll(value);
    if (name == "--minutes") o.minutes = std::stoll(value);
    if (name == "--seed") o.seed = std::stoull(value);
    if (name == "--tries") o.tries = std::stoi(value);
    if (name == "--settings") o.settings = value;
    if (name == "--lose") o.lose = std::stoll(value);
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(read(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fresh_run: %s\n", error.what());
    return 1;
  }
}
