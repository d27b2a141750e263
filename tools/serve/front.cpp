#include "tools/serve/front.h"

#include "adapters/host/service_notify.h"
#include "adapters/http/http_names.h"
#include "tools/console/exit_codes.h"
#include "tools/console/numbers.h"
#include "tools/serve/cart_search.h"
#include "tools/serve/log_lines.h"
#include "tools/serve/now.h"
#include "tools/serve/page.h"

#include <unistd.h>

#include <chrono>
#include <limits>
#include <new>
#include <optional>
#include <utility>

namespace mayfly::tools {

namespace {

constexpr events::Millis look_interval{500};
constexpr int looks_per_sample = History::first_step.count / look_interval.count;

constexpr std::int64_t all_partitions = -1;  // as Engine::renew has it

constexpr const char* json_type = "application/json";

LogWatchLimits watch_limits(const adapters::HttpLimits& http) {
  LogWatchLimits limits;
  limits.cpu_percent = http.answer_cpu_percent;
  return limits;
}

adapters::HttpAnswer verdict(bool good, const char* yes, const char* no) {
  return {good ? 200 : 503, "text/plain; charset=utf-8", std::string(good ? yes : no) + "\n"};
}

}  // namespace

Front::Front(const events::Clock& clock, Running running, const FrontLimits& limits, LogWatch::Open open_log)
    : clock_(clock),
      running_(std::move(running)),
      limits_(limits),
      watchdog_(limits.stuck.count / look_interval.count + 1, limits.handler_cpu.count,
                limits.log_write.count / look_interval.count),
      log_watch_(std::move(open_log), clock_, running_.begun, watch_limits(limits_.http)),
      thread_([this] { run(); }) {}

Front::~Front() {
  server_.reset();
  {
    std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Front::show(actors::Engine* engine, const Tracing* traces) {
  const std::unique_lock alone(engine_mutex_);
  engine_ = engine;
  traces_ = traces;
}

/// The answer while there is an engine, else that there is none.
Front::Answer Front::of_engine(Answer answer) {
  return [this, answer = std::move(answer)](const adapters::HttpRequest& request) {
    const std::shared_lock shown(engine_mutex_);
    if (engine_ != nullptr) return answer(request);
    return adapters::HttpAnswer{503, "text/plain; charset=utf-8", "not ready: the log is not opened yet, or closed\n"};
  };
}

void Front::run() {
  std::unique_lock lock(mutex_);
  for (int looks = 0;
       !changed_.wait_for(lock, std::chrono::milliseconds(look_interval.count), [this] { return over_; }); ++looks) {
    const std::shared_lock shown(engine_mutex_);
    if (engine_ == nullptr) continue;
    look();
    tell_service();
    if (looks % looks_per_sample == 0) keep_history();
  }
}

/// The process ends here when something in it no longer returns: whoever supervises it starts it again, and what was
/// under decision is then suspected (docs/operations.md).
void Front::look() {
  auto& flight = engine_->flight();
  if (const auto thread = watchdog_.look(flight.look())) {
    flight.blame_only(*thread);
    log_line(actors::Notice::Level::error, "handler_limit",
             "a command has used more than " + std::to_string(limits_.handler_cpu.count) +
                 " ms of CPU time. The process ends; the command is suspected when it is started again.",
             {{"limit_ms", limits_.handler_cpu.count}});
    ::_exit(exit_handler_limit);
  }
  alive_ = watchdog_.look(engine_->pulse()) * look_interval.count < limits_.stuck.count / 2;
  note_log_silence();
  if (watchdog_.stuck()) {
    log_line(actors::Notice::Level::error, "stuck",
             "nothing was decided for " + std::to_string(limits_.stuck.count) +
                 " ms. The process ends; what was under decision is suspected when it is started again.",
             {{"limit_ms", limits_.stuck.count}});
    ::_exit(exit_stuck);
  }
}

/// The engine itself cannot say it: its loop waits for the log.
void Front::note_log_silence() {
  const bool silent = watchdog_.log_silent();
  if (log_silent_.exchange(silent) == silent) return;
  if (silent) {
    log_line(actors::Notice::Level::error, "log_silent",
             "a write to the log has not returned for " + std::to_string(limits_.log_write.count) +
                 " ms: nothing is committed and no deadline fires. Not ready until it returns.",
             {{"limit_ms", limits_.log_write.count}});
  } else {
    log_line(actors::Notice::Level::info, "log_answers", "the write to the log has returned");
  }
}

void Front::keep_history() try {
  const auto seen = observed();
  const auto sample = sample_of(seen, std::exchange(ages_before_, seen.census.committed));
  const std::scoped_lock lock(history_mutex_);
  history_.add(sample);
} catch (const std::bad_alloc&) {
  // One sample less.
}

void Front::tell_service() {
  const bool ready = this->ready();
  std::string words = ready && !told_ready_ ? "READY=1\n" : "";
  told_ready_ = told_ready_ || ready;
  if (alive_) words += "WATCHDOG=1\n";
  adapters::notify_service(words +
                           (ready ? "STATUS=serving" : "STATUS=not ready: restoring, or the log does not answer"));
}

Observed Front::observed() const {
  auto seen = observe(*engine_, running_, clock_, alive_);
  seen.ready = ready();
  seen.log_silent = log_silent_;
  if (traces_ != nullptr) seen.traces = traces_->counts();
  return seen;
}

/// The tree as it is before: when a partition's count of renewals has risen, it was renewed.
adapters::HttpAnswer Front::renew(const std::string& partition) {
  const auto number = partition.empty() ? std::optional(all_partitions) : number_from_text(partition);
  const auto before = tree_json(observed());
  const bool fits = number && *number <= std::numeric_limits<events::Partition>::max();
  if (fits && engine_->renew(static_cast<events::Partition>(*number))) return {202, json_type, before};
  return {404, "text/plain; charset=utf-8", "this engine serves no partition " + partition + "\n"};
}

void Front::search(const adapters::HttpRequest& request, adapters::HttpReply reply) {
  const auto answer = [reply = std::move(reply)](int status, std::string json) {
    reply({status, json_type, std::move(json)});
  };
  const auto id = adapters::percent_decoded(request.member("id"));
  if (!names_carts_) return answer(403, R"({"found":false,"why":"this address shows no cart: http.search"})");
  if (!id || id->empty() || id->size() > most_search_id_bytes) {
    return answer(400, R"({"found":false,"why":"give ?id=, of 1 to 256 bytes"})");
  }
  log_watch_.search(*id, answer);
}

std::string Front::listen(const std::string& address) {
  std::string wrong;
  server_ = adapters::HttpServer::open(address, routes(), limits_.http, wrong);
  names_carts_ = limits_.names_carts == NamesCarts::always ||
                 (limits_.names_carts == NamesCarts::on_loopback && adapters::is_loopback(this->address()));
  return wrong;
}

adapters::HttpRoutes Front::routes() {
  using adapters::HttpAnswer;
  using adapters::HttpRequest;
  using enum adapters::HttpRoute::When;
  const auto get = [](const char* path, Answer answer) {
    return adapters::HttpRoute{"GET", path, std::move(answer), in_turn, {}};
  };
  const auto json = [](std::string body) { return HttpAnswer{200, json_type, std::move(body)}; };
  return {
      {"GET",
       "/livez",
       [this](const HttpRequest&) { return verdict(alive_, "alive", "stuck: the loop no longer moves"); },
       at_once,
       {}},
      {"GET",
       "/readyz",
       of_engine([this](const HttpRequest&) {
         return verdict(ready(), "ready",
                        log_silent_ ? "not ready: a write to the log has not returned for long"
                                    : "not ready: not restored yet, the log does not answer, or clocks are apart");
       }),
       at_once,
       {}},
      get("/metrics", of_engine([this](const HttpRequest&) {
            return HttpAnswer{200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(observed())};
          })),
      get("/tree", of_engine([this, json](const HttpRequest&) { return json(tree_json(observed())); })),
      get("/memory", of_engine([this, json](const HttpRequest&) { return json(to_json(engine_->memory())); })),
      get("/now", of_engine([this, json](const HttpRequest&) {
            return json(now_json(observed(), log_watch_.view(names_carts_)));
          })),
      get("/history",
          [this, json](const HttpRequest&) {
            const std::scoped_lock lock(history_mutex_);
            return json(to_json(history_));
          }),
      get("/",
          [shown = make_page()](const HttpRequest&) {
            return HttpAnswer{
                200, "text/html; charset=utf-8", shown.html, {{"Content-Security-Policy", shown.content_policy}}};
          }),
      get("/runbooks/*",
          [](const HttpRequest& request) {
            const auto text = runbook(std::string_view(request.path).substr(std::string_view("/runbooks/").size()));
            constexpr const char* plain = "text/plain; charset=utf-8";
            if (text.empty()) return HttpAnswer{404, plain, "there is no such runbook\n"};
            return HttpAnswer{200, plain, std::string(text)};
          }),
      {"GET",
       "/search",
       {},
       later,
       {},
       [this](HttpRequest&& request, adapters::HttpReply reply) { search(request, std::move(reply)); }},
      {"POST", "/renew", of_engine([this](const HttpRequest& request) { return renew(request.member("partition")); }),
       in_turn, json_type}};
}

}  // namespace mayfly::tools
