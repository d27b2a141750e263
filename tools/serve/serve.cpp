// mayfly serve: one engine on one log, until it is asked to stop.
#include "adapters/host/random_key.h"
#include "adapters/host/service_notify.h"
#include "adapters/host/system_memory.h"
#include "adapters/host/wall_clock.h"
#include "adapters/open_log.h"
#include "tools/console/config.h"
#include "tools/console/exit_codes.h"
#include "tools/console/output.h"
#include "tools/console/text.h"
#include "tools/console/verbs.h"
#include "tools/serve/flight.h"
#include "tools/serve/front.h"
#include "tools/serve/log_lines.h"
#include "tools/serve/start_check.h"
#include "tools/serve/tracing.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mayfly::tools {

namespace {

constexpr auto progress_interval = std::chrono::seconds(10);

std::string progress(const actors::Census& now, const actors::Census& before) {
  const auto per_s = (now.commands - before.commands) / progress_interval.count();
  return grouped(now.commands) + " commands (" + grouped(per_s) + "/s), " + grouped(now.events) + " events, " +
         grouped(now.rejections) + " refused, " + grouped(now.dead_letters) + " dead letters, " +
         grouped(now.carts_open) + " open carts (" + grouped(now.carts_awake) + " awake), " +
         grouped(now.sessions_open) + " open sessions, " + grouped(resident_bytes() / (1024 * 1024)) + " MiB";
}

std::vector<actors::Notice::Figure> figures_of(const actors::Census& now) {
  return {{"commands", now.commands},           {"events", now.events},
          {"rejections", now.rejections},       {"dead_letters", now.dead_letters},
          {"carts_open", now.carts_open},       {"carts_awake", now.carts_awake},
          {"sessions_open", now.sessions_open}, {"resident_bytes", resident_bytes()}};
}

/// Writes a line each interval in which something was decided, from a thread of its own.
class Progress {
 public:
  explicit Progress(const actors::Engine& engine) : thread_([this, &engine] { run(engine); }) {}
  ~Progress() {
    {
      std::scoped_lock lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void run(const actors::Engine& engine) {
    actors::Census before;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, progress_interval, [this] { return over_; })) {
      const auto now = engine.census();
      if (now.commands != before.commands) {
        log_line(actors::Notice::Level::info, "progress", progress(now, before), figures_of(now));
      }
      before = now;
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

/// Ends the process when the engine has not ended so long after it was asked to.
class DrainLimit {
 public:
  DrainLimit(const std::stop_token& stop, events::Millis limit) : thread_([this, stop, limit] { run(stop, limit); }) {}
  ~DrainLimit() {
    {
      std::scoped_lock lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void run(const std::stop_token& stop, events::Millis limit) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return over_; });
    if (over_) return;
    adapters::notify_service("STOPPING=1\nSTATUS=draining");
    if (changed_.wait_for(lock, std::chrono::milliseconds(limit.count), [this] { return over_; })) return;
    log_line(actors::Notice::Level::error, "not_drained",
             "not ended " + std::to_string(limit.count) +
                 " ms after it was asked to; the process ends now. What was not committed is decided again.",
             {{"limit_ms", limit.count}});
    ::_exit(exit_not_drained);
  }
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool over_ = false;
  std::thread thread_;
};

/// A word given must work; the default address may be another engine's.
std::string listen(Front& front, const std::string& http) {
  if (http == "off") return {};
  auto wrong = front.listen(http.empty() ? default_http_address : http);
  if (!wrong.empty() && http.empty()) {
    log_line(actors::Notice::Level::warning, "http_not_opened", wrong + " Serving without it.");
    return {};
  }
  if (wrong.empty()) log_line(actors::Notice::Level::info, "http", "the page is at http://" + front.address() + "/");
  return wrong;
}

/// What an engine stands on.
struct Opened {
  Flight flight;
  std::unique_ptr<events::Log> log;
};

ExitCode open_recorder(const Config& config, Flight& flight) {
  flight = open_flight(config);
  if (flight.status.ok()) return exit_ok;
  log_line(actors::Notice::Level::error, "flight_recorder", flight.status.message);
  return exit_code_of(flight.status.error);
}

adapters::LogOptions log_options(const Config& config) {
  return {config.partitions, config.engine.name, config.kafka, config.sqlite};
}

ExitCode open_log(const Config& config, const events::Clock& clock, std::unique_ptr<events::Log>& log) {
  events::LogStatus status;
  log = adapters::open_log(config.log, log_options(config), clock, status);
  if (!log) {
    log_line(actors::Notice::Level::error, "log_not_opened", status.message);
    return exit_code_of(status.error);
  }
  if (!status.message.empty()) log_line(actors::Notice::Level::warning, "log_settings", status.message);
  return exit_ok;
}

/// Kafka's log comes last, because opening it fences; SQLite's first: its own lock fences nobody, and says who holds
/// it.
ExitCode open(const Config& config, const events::Clock& clock, Opened& opened) {
  const bool log_first = config.log.starts_with("sqlite:");
  auto code = log_first ? open_log(config, clock, opened.log) : open_recorder(config, opened.flight);
  if (code == exit_ok) code = log_first ? open_recorder(config, opened.flight) : open_log(config, clock, opened.log);
  return code;
}

/// An exception of the loop's own thread, such as want of memory, ends the process where it stands: nothing is unwound,
/// so that what is under decision stays marked and is suspected.
actors::RunResult run(actors::Engine& engine, const std::stop_token& stop) noexcept { return engine.run(stop); }

/// The config file with the words of the command line over it, and all that is wrong in it. Of several exit codes the
/// first that was found.
ExitCode read_settings(const ServeOptions& options, Config& config, std::vector<std::string>& wrong) {
  ExitCode code = exit_ok;
  const auto say = [&](std::string sentence, ExitCode of) {
    if (sentence.empty()) return;
    wrong.push_back(std::move(sentence));
    if (code == exit_ok) code = of;
  };
  if (!options.config.empty()) say(read_config(options.config, config), exit_config);
  say(read_tick_secrets(config), exit_config);
  if (!options.name.empty()) config.engine.name = options.name;
  if (!is_engine_name(config.engine.name)) {
    say("'" + config.engine.name + "' is no engine's name: 1 to 64 of A-Z a-z 0-9 . _ - (--name, or engine.name)",
        options.name.empty() ? exit_config : exit_usage);
  }
  if (!options.log.empty()) config.log = options.log;
  if (!options.state_dir.empty()) config.state_dir = options.state_dir;
  if (!options.http.empty()) config.http = options.http;
  if (options.partitions > 0) config.partitions = options.partitions;
  return code;
}

}  // namespace

int serve(const ServeOptions& options) {
  Config config;
  std::vector<std::string> wrong;
  const auto code = read_settings(options, config, wrong);
  const auto stops = what_stops_a_start(config);  // before anything is made
  wrong.insert(wrong.end(), stops.begin(), stops.end());
  for (const auto& sentence : wrong) complain("%s\n", sentence.c_str());
  if (!wrong.empty()) return code != exit_ok ? code : exit_usage;
  if (options.check_config) {
    print("%s: fine\n", options.config.empty() ? "no config file, the defaults" : options.config.c_str());
    return exit_ok;
  }
  if (config.log.empty()) {
    complain("Which log? Give --log sqlite:FILE or --log kafka:HOST:PORT, or `log` in the config file.\n");
    return exit_usage;
  }
  auto stop = stop_on_signals();
  begin_log(options.json);
  const adapters::WallClock clock;
  // Opening a log on Kafka fences an engine of the same name: what else would end a second start by mistake comes
  // first.
  Front front(
      clock, {config.engine.name, config.log, clock.now()},
      {config.stuck_limit, config.handler_cpu_limit, config.log_write_limit, config.http_limits, config.names_carts},
      [&](events::LogStatus& status) { return adapters::open_reader(config.log, log_options(config), clock, status); });
  if (const auto refused = listen(front, config.http); !refused.empty()) {
    log_line(actors::Notice::Level::error, "http_not_opened", refused);
    return exit_usage;
  }
  // Ends after the log: a collector that is silent does not keep partitions from another engine.
  const auto traces = Tracing::from_environment(config.log, config.engine.name, config.kafka);
  Opened opened;
  if (const auto failed = open(config, clock, opened); failed != exit_ok) return failed;
  const auto& [flight, log] = opened;
  log_line(actors::Notice::Level::info, "started", "engine '" + config.engine.name + "' serves " + config.log);
  config.engine.flight = flight.recorder.get();
  adapters::SystemMemory meter("/", flight.folder);
  config.engine.meter = &meter;
  config.engine.table_key = adapters::random_key();
  if (traces) config.engine.observer = &traces->observer();
  actors::Engine engine(*log, clock, config.engine, log_notice);
  actors::RunResult result;
  {
    const Front::Showing showing(front, engine, traces.get());
    const Progress progress_lines(engine);
    const DrainLimit drain_limit(stop.get_token(), config.drain_limit);
    result = run(engine, stop.get_token());
  }
  const auto census = engine.census();
  log_line(actors::Notice::Level::info, "census",
           progress(census, census) + ", actors: " + grouped(census.carts_started - census.carts_stopped) +
               " of carts, " + grouped(census.sessions_started - census.sessions_stopped) + " of sessions, " +
               grouped(census.actors_running) + " by the actor system with " + grouped(census.supervisors) +
               " supervisors",
           figures_of(census));
  if (result.end == actors::RunEnd::failed) {
    log_line(actors::Notice::Level::error, "failed", result.message);
    return exit_code_of_engine(result.error);
  }
  if (!result.message.empty()) {
    log_line(actors::Notice::Level::error, "not_drained",
             "what was decided last is not committed; the next engine decides it again. " + result.message);
    return exit_not_drained;
  }
  log_line(actors::Notice::Level::info, "stopped", "everything decided is committed");
  return exit_ok;
}

}  // namespace mayfly::tools
