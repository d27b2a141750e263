#include "actors/engine.h"

#include "actors/committer.h"
#include "actors/partition_actor.h"
#include "actors/partition_state.h"

#include <caf/all.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace mayfly::actors {

namespace {

/// Lets the engine wait until all supervisors have decided their share.
class Gate {
 public:
  void close(std::size_t shares) {
    std::scoped_lock lock(mutex_);
    open_ = shares;
  }
  void one_done() {
    std::scoped_lock lock(mutex_);
    if (--open_ == 0) done_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return open_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t open_ = 0;
};

/// A partition that this engine serves.
struct Served {
  caf::actor supervisor;
  PartitionStatus status;
  events::Offset committed = 0;   // next offset, as committed
  events::Timestamp last_tick{};  // by the clock
  bool stopped = false;           // cannot go on; its records are left alone
};

/// A partition's memory for batches: one is decided while the other is committed. Outlives the partition's actors.
struct BatchPair {
  Batch of_turn[2];
};

caf::actor_system_config actor_system_config(const EngineConfig& config) {
  caf::actor_system_config c;
  // Work stealing collapses with 100,000 runnable actors; sharing does not.
  c.set("scheduler.policy", caf::atom("sharing"));
  if (config.threads > 0) c.set("scheduler.max-threads", static_cast<std::size_t>(config.threads));
  c.set("logger.verbosity", caf::atom("quiet"));
  return c;
}

}  // namespace

struct Engine::State {
  events::Log& log;
  const events::Clock& clock;
  EngineConfig config;
  std::function<void(const Notice&)> notice;
  std::mutex notice_mutex;

  Environment environment;
  std::map<events::Partition, BatchPair> batches;
  caf::actor_system_config caf_config;
  caf::actor_system system;
  std::map<events::Partition, Served> served;
  Gate gate;
  Committer committer;
  std::size_t turn = 0;            // which of the two batches is decided
  events::RecordBatch records[2];  // what the batches view
  std::vector<Batch*> committing;  // the batches of the commit under way
  std::string fatal;               // not empty: the engine cannot go on

  mutable std::mutex census_mutex;
  Census counted;
  std::atomic<bool> ready{false};

  State(events::Log& l, const events::Clock& k, EngineConfig c, std::function<void(const Notice&)> n)
      : log(l),
        clock(k),
        config(std::move(c)),
        notice(std::move(n)),
        caf_config(actor_system_config(config)),
        system(caf_config),
        committer(l) {
    environment.engine = config.name;
    environment.before_decide = config.before_decide;
  }
  ~State() {
    committer.wait();
    drop_all();
  }

  RunResult run(const std::stop_token& stop, bool until_caught_up);
  void say(Notice::Level, std::string_view name, std::string message, events::Partition = -1);
  bool step(bool until_caught_up);
  void take(events::Partition);
  void drop(events::Partition);
  void drop_all();
  std::vector<Batch*> decide(events::RecordBatch&);
  bool settle_commit();
  void begin_commit(const std::vector<Batch*>&);
  void count(const Batch&);
  void gauge();
  void write_ticks();
  void write_tick(events::Partition, Served&, events::Timestamp now);
};

void Engine::State::say(Notice::Level level, std::string_view name, std::string message, events::Partition partition) {
  std::scoped_lock lock(notice_mutex);
  if (notice) notice({level, name, std::move(message), partition});
}

RunResult Engine::State::run(const std::stop_token& stop, bool until_caught_up) {
  while (!stop.stop_requested() && fatal.empty()) {
    if (!step(until_caught_up) && until_caught_up) break;
    if (!until_caught_up) write_ticks();
  }
  settle_commit();
  if (!fatal.empty()) return {RunEnd::failed, fatal};
  return {until_caught_up ? RunEnd::caught_up : RunEnd::stopped, {}};
}

/// Polls once and decides what came, while what was decided before is committed. False: nothing came.
bool Engine::State::step(bool until_caught_up) {
  const auto wait = until_caught_up ? events::Millis{0} : config.poll_wait;
  auto polled = log.poll({config.batch_records, config.batch_bytes, wait});
  if (!polled.taken.empty() || !polled.lost.empty()) {
    settle_commit();
    for (auto p : polled.lost) drop(p);
    for (auto p : polled.taken) take(p);
    ready = fatal.empty();
    gauge();
  }
  if (!polled.status.ok()) {
    if (polled.status.error == events::LogError::unavailable) {
      say(Notice::Level::warning, "log_unavailable", polled.status.message);
    } else if (polled.status.error == events::LogError::fenced) {
      say(Notice::Level::warning, "fenced", polled.status.message);
      settle_commit();
      drop_all();
    } else {
      fatal = polled.status.message;
    }
  }
  if (polled.batch.records.empty()) {
    // Nothing to decide meanwhile: see what became of the commit, and take its partitions again if it failed.
    const bool committed = settle_commit();
    return committed || !polled.taken.empty();  // a commit may have written commands
  }
  records[turn] = std::move(polled.batch);
  auto decided = decide(records[turn]);
  settle_commit();
  // A commit that failed has dropped the partitions: what was decided on top of it never was.
  std::erase_if(decided, [this](const Batch* b) { return !served.contains(b->partition); });
  if (!decided.empty()) begin_commit(decided);
  turn = 1 - turn;
  return true;
}

void Engine::State::take(events::Partition partition) {
  drop(partition);
  auto restored = restore(log, partition, config.name);
  if (auto* cannot = std::get_if<CannotServe>(&restored)) {
    say(Notice::Level::error, "cannot_serve", cannot->message, partition);
    fatal = cannot->message;
    return;
  }
  auto& state = std::get<std::unique_ptr<PartitionState>>(restored);
  auto& one = served[partition];
  one.status = state->status();
  one.committed = state->position.next;
  const SleepLimits limits{config.passivate_after, static_cast<std::int64_t>(config.awake_carts)};
  one.supervisor = system.spawn<PartitionActor>(std::ref(environment), std::move(state), limits);
  log.start(partition);
  say(Notice::Level::info, "partition_taken",
      "serving partition " + std::to_string(partition) + " from offset " + std::to_string(one.committed) + " with " +
          std::to_string(one.status.carts_open) + " open carts",
      partition);
}

void Engine::State::drop(events::Partition partition) {
  const auto found = served.find(partition);
  if (found == served.end()) return;
  caf::anon_send_exit(found->second.supervisor, caf::exit_reason::user_shutdown);
  served.erase(found);
}

void Engine::State::drop_all() {
  while (!served.empty()) drop(served.begin()->first);
}

std::vector<Batch*> Engine::State::decide(events::RecordBatch& batch) {
  std::vector<Batch*> shares;
  const std::span<const events::Record> all = batch.records;
  for (std::size_t begin = 0; begin < all.size();) {
    const auto partition = all[begin].at.partition;
    std::size_t end = begin;
    while (end < all.size() && all[end].at.partition == partition) ++end;
    const auto found = served.find(partition);
    if (found != served.end() && !found->second.stopped) {
      auto& share = batches[partition].of_turn[turn];
      share.begin(partition, all.subspan(begin, end - begin));
      share.finish = [this] { gate.one_done(); };
      shares.push_back(&share);
    }
    begin = end;
  }
  gate.close(shares.size());
  for (auto* share : shares) caf::anon_send(served[share->partition].supervisor, DecideBatch{share});
  gate.wait();
  for (const auto* share : shares) {
    if (!share->broken.empty()) fatal = share->broken;
  }
  if (!fatal.empty()) shares.clear();
  return shares;
}

/// Waits for the commit under way and takes over what it came to. False: there was none.
bool Engine::State::settle_commit() {
  const auto result = committer.wait();
  if (!result) return false;
  const auto ended = std::exchange(committing, {});
  if (result->ok()) {
    for (const auto* batch : ended) count(*batch);
    return true;
  }
  {
    std::scoped_lock lock(census_mutex);
    ++counted.commit_failures;
  }
  const std::string outcome{events::name(result->outcome)};
  say(Notice::Level::warning, "commit_" + outcome,
      result->message + " What was decided is dropped; carts are woken from what is committed.");
  drop_all();
  if (result->outcome == events::CommitOutcome::failed) fatal = result->message;
  return true;
}

void Engine::State::begin_commit(const std::vector<Batch*>& decided) {
  committing = decided;
  std::vector<events::NewRecord> out;
  std::vector<events::Position> next;
  for (auto* batch : decided) {
    auto& one = served[batch->partition];
    one.status = batch->status;
    out.insert(out.end(), batch->out.begin(), batch->out.end());
    next.push_back({batch->partition, batch->next});
    for (const auto& failure : batch->failures) say(Notice::Level::warning, "actor_failed", failure, batch->partition);
    if (!batch->stopped.empty()) {
      one.stopped = true;
      say(Notice::Level::error, "partition_stopped", batch->stopped, batch->partition);
    }
  }
  gauge();
  committer.begin(std::move(out), std::move(next));
}

void Engine::State::gauge() {
  std::scoped_lock lock(census_mutex);
  counted.supervisors = static_cast<std::int64_t>(served.size());
  counted.carts_open = counted.carts_awake = counted.sessions_open = counted.epitaphs = 0;
  for (const auto& [partition, one] : served) {
    counted.carts_open += one.status.carts_open;
    counted.carts_awake += one.status.carts_awake;
    counted.sessions_open += one.status.sessions_open;
    counted.epitaphs += one.status.epitaphs;
  }
}

void Engine::State::count(const Batch& batch) {
  const auto found = served.find(batch.partition);
  if (found != served.end()) found->second.committed = batch.next;
  std::scoped_lock lock(census_mutex);
  counted.commands += batch.counts.commands;
  counted.events += batch.counts.events;
  counted.rejections += batch.counts.rejections;
  counted.dead_letters += batch.counts.dead_letters;
  counted.ticks += batch.counts.ticks;
  counted.restarts += batch.counts.restarts;
  ++counted.commits;
}

/// decisions.md 3: a tick each second while a wait has not started or a deadline is due; at once while due ones
/// remain; and one that carries the settings this engine wants, if others hold.
void Engine::State::write_ticks() {
  const auto now = clock.now();
  for (auto& [partition, one] : served) {
    if (one.stopped) continue;
    const bool waited = now - one.last_tick >= config.tick_interval;
    const bool due = one.status.next_due && *one.status.next_due <= now;
    const bool wanted = one.status.unstarted_waits || due || !(one.status.settings == config.settings);
    if ((wanted && waited) || std::exchange(one.status.due_now, false)) write_tick(partition, one, now);
  }
}

void Engine::State::write_tick(events::Partition partition, Served& one, events::Timestamp now) {
  one.last_tick = now;
  std::string data;
  const bool change = !(one.status.settings == config.settings);
  append_tick_data(data, now, one.committed - 1, change ? &config.settings : nullptr, one.status.settings);
  const std::string id = "tick-" + std::to_string(partition) + "-" + std::to_string(now.ms);
  const std::string source = "/mayfly/" + config.name;
  const events::Header headers[] = {{"ce_specversion", "1.0"},
                                    {"ce_id", id},
                                    {"ce_source", source},
                                    {"ce_type", events::ce_type(events::CommandType::clock_tick)},
                                    {"content-type", "application/json"}};
  const auto status = log.append({events::Stream::commands, partition, std::nullopt, data, headers});
  if (!status.ok()) say(Notice::Level::warning, "tick_not_written", status.message, partition);
}

Engine::Engine(events::Log& log, const events::Clock& clock, EngineConfig config,
               std::function<void(const Notice&)> notice)
    : state_(std::make_unique<State>(log, clock, std::move(config), std::move(notice))) {}
Engine::~Engine() = default;

RunResult Engine::run(const std::stop_token& stop) { return state_->run(stop, false); }
RunResult Engine::run_until_caught_up() { return state_->run({}, true); }
bool Engine::ready() const { return state_->ready; }

Census Engine::census() const {
  auto& s = *state_;
  std::scoped_lock lock(s.census_mutex);
  Census c = s.counted;
  const auto& lives = s.environment.lives;
  c.carts_stopped = lives.carts_stopped;
  c.carts_started = lives.carts_started;
  c.sessions_stopped = lives.sessions_stopped;
  c.sessions_started = lives.sessions_started;
  c.actors_running = static_cast<std::int64_t>(s.system.registry().running());
  return c;
}

}  // namespace mayfly::actors
