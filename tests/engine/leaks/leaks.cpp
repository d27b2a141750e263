// The table of leaks (docs/memory.md): leaks planted in ten places, counted by cart, session, message and tick, of
// three sizes, in an engine that serves 2,000 carts a second of simulated time; when each is named, and by what name.
//   leaks [--quick] [--alerts FILE] [WHERE [WHAT [BYTES]]]
//       --quick: a row for each place, and one in which nothing leaks; else those rows alone, as
//       `leaks unaccounted message 1000`; --alerts: the engines' alert records, as `tail --json` writes them
// Each row is a child of one warm engine: all of it runs on one thread (EngineConfig::choose), so it can be forked.
#include "actors/engine/engine.h"
#include "adapters/host/system_memory.h"
#include "engine/leaks/planted.h"
#include "engine/leaks/traffic.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::leaks {

namespace {

constexpr std::int64_t budget = 512LL * 1024 * 1024;
constexpr std::int64_t warm_ms = 50'000;
constexpr std::int64_t after_ms = 10'000;  // after it was named: is another name given?
constexpr std::int64_t longest_ms = 1'800'000;
constexpr std::int64_t longest_slow_ms = 400'000'000;
constexpr std::int64_t quiet_ms = 60'000;  // where nothing leaks

struct Row {
  const char* purpose;
  What per;
  std::size_t bytes;
  /// So little leaks that hours must pass: with two carts a second and a look a second.
  [[nodiscard]] bool slow() const { return std::string_view(purpose) == "unaccounted" && per == What::tick; }
};

constexpr const char* words[] = {"cart", "session", "message", "tick"};

/// The process's memory, but never so much that pressure would stop reading before the next leak is seen.
class Meter final : public events::MemoryMeter {
 public:
  events::ProcessMemory read() override {
    auto m = system_.read();
    m.resident = std::min(m.resident, budget / 2);
    m.anonymous = std::min(m.anonymous, budget / 2);
    return m;
  }

 private:
  adapters::SystemMemory system_;
};

class Table {
 public:
  Table(std::vector<Row> rows, std::FILE* alerts) : rows_(std::move(rows)), log_(clock_, [this] { step(); }) {
    log_.alerts = alerts;
  }

  /// How many rows were wrong.
  int run() {
    Meter meter;
    actors::EngineConfig config;
    config.meter = &meter;
    config.choose = [](std::size_t) { return std::size_t{0}; };
    config.memory.cart_bytes = config.memory.session_bytes = 0;  // else a budget ends what leaks, as it should
    config.memory.process_bytes = budget;
    config.awake_carts = 32'768;  // all: each has one actor in its life
    actors::Engine engine(log_, clock_, config, nullptr);
    engine_ = &engine;
    std::printf(
        "| where | by | bytes | named after | of the budget | names | right |\n|---|---|---|---|---|---|---|\n");
    std::fflush(stdout);
    begun_ = clock_.time;
    engine.run(stop_.get_token());
    return wrong_;
  }

 private:
  void step() {
    if (leaking_) return watch();
    if (clock_.time.ms < begun_.ms + warm_ms) return;
    for (const auto& row : rows_) {
      if (is_child(row)) return;
    }
    stop_.request_stop();
  }

  /// The child returns into the warm engine, with its leak; the parent waits for it.
  bool is_child(const Row& row) {
    const auto child = ::fork();
    if (child == 0) {
      leaking_ = true;
      row_ = row;
      planted.purpose = row.purpose;
      planted.per = row.per;
      planted.bytes = row.bytes;
      planted.due = 0;
      begun_ = clock_.time;
      named_before_ = engine_->memory().leaks_begun;
      allocated_before_ = engine_->memory().process.allocated;
      if (row.slow()) {
        log_.carts_per_s = 2;
        log_.step = {1'000};
      }
      return true;
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) ++wrong_;
    return false;
  }

  void watch() {
    const auto memory = engine_->memory();
    for (const auto& leak : memory.leaks) names_.insert(std::string(leak.purpose));
    if (named_ms_ < 0 && memory.leaks_begun > named_before_) {
      named_ms_ = (memory.at - begun_).count;
      leaked_ = planted.leaked;
      if (row_.bytes == 0) leaked_ = memory.process.allocated - allocated_before_;
    }
    const auto now = (clock_.time - begun_).count;
    const bool nothing = row_.bytes == 0 && row_.purpose[0] == '\0';
    const auto longest = nothing ? quiet_ms : row_.slow() ? longest_slow_ms : longest_ms;
    if (named_ms_ >= 0 ? now < named_ms_ + after_ms : now < longest) return;
    print(nothing);
  }

  [[noreturn]] void print(bool nothing) {
    std::string all;
    for (const auto& name : names_) all += (all.empty() ? "" : ", ") + name;
    const double percent = static_cast<double>(leaked_) * 100 / static_cast<double>(budget);
    const bool right = nothing ? names_.empty() : all == row_.purpose && percent < 2;
    if (named_ms_ < 0) {
      std::printf("| %s | %s | %zu | not in %lld s | | | %s |\n", nothing ? "nowhere" : row_.purpose,
                  nothing ? "" : words[static_cast<int>(row_.per)], row_.bytes,
                  static_cast<long long>((clock_.time - begun_).count / 1000), right ? "yes" : "NO");
    } else {
      std::printf("| %s | %s | %zu | %.1f s | %.3f%% | %s | %s |\n", row_.purpose, words[static_cast<int>(row_.per)],
                  row_.bytes, static_cast<double>(named_ms_) / 1000, percent, all.c_str(), right ? "yes" : "NO");
    }
    std::fflush(stdout);
    std::_Exit(right ? 0 : 1);
  }

  std::vector<Row> rows_;
  testing::SetClock clock_;
  TrafficLog log_;
  std::stop_source stop_;
  actors::Engine* engine_ = nullptr;
  events::Timestamp begun_{};
  int wrong_ = 0;
  // Of a child.
  bool leaking_ = false;
  Row row_{"", What::cart, 0};
  std::int64_t named_before_ = 0;
  std::int64_t named_ms_ = -1;
  std::int64_t leaked_ = 0;
  std::int64_t allocated_before_ = 0;
  std::set<std::string> names_;
};

std::vector<Row> rows(bool quick) {
  constexpr const char* places[] = {"cart.id",       "cart.lines",        "cart.payment",    "cart.dedupe",
                                    "session.texts", "partition.entries", "partition.awake", "partition.deadlines",
                                    "codec.arena",   "unaccounted"};
  std::vector<Row> all;
  for (const auto* place : places) {
    for (const auto per : {What::cart, What::session, What::message, What::tick}) {
      for (const std::size_t bytes : {16UL, 100UL, 1000UL}) {
        if (quick && (per != What::cart || bytes != 1000)) continue;
        all.push_back({place, per, bytes});
      }
    }
  }
  if (!quick) {
    all.push_back({"session.actor", What::session, 0});
    all.push_back({"cart.actor", What::cart, 0});
  }
  all.push_back({"", What::cart, 0});
  return all;
}

}  // namespace

}  // namespace mayfly::leaks

int main(int argc, char** argv) {
  using namespace mayfly::leaks;
  std::vector<std::string> wanted(argv + 1, argv + argc);
  const bool quick = !wanted.empty() && wanted.front() == "--quick";
  if (quick) wanted.erase(wanted.begin());
  std::FILE* alerts = nullptr;
  if (wanted.size() > 1 && wanted.front() == "--alerts") {
    alerts = std::fopen(wanted[1].c_str(), "a");
    if (alerts == nullptr) {
      std::perror(wanted[1].c_str());
      return 2;
    }
    wanted.erase(wanted.begin(), wanted.begin() + 2);
  }
  auto all = rows(quick);
  std::erase_if(all, [&](const Row& row) {
    const std::string is[] = {row.purpose, words[static_cast<int>(row.per)], std::to_string(row.bytes)};
    return wanted.size() > std::size(is) || !std::equal(wanted.begin(), wanted.end(), is);
  });
  const auto wrong = Table(std::move(all), alerts).run();
  std::printf("%d rows wrong\n", wrong);
  std::fflush(stdout);
  std::_Exit(wrong == 0 ? 0 : 1);
}
