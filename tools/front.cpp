#include "tools/front.h"

#include "tools/page.h"

#include <chrono>
#include <utility>

namespace mayfly::tools {

namespace {

constexpr events::Millis look_interval{500};

adapters::HttpAnswer verdict(bool good, const char* yes, const char* no) {
  return {good ? 200 : 503, "text/plain; charset=utf-8", std::string(good ? yes : no) + "\n"};
}

}  // namespace

Front::Front(const actors::Engine& engine, const events::Clock& clock, Running running, events::Millis stuck_limit)
    : engine_(engine),
      clock_(clock),
      running_(std::move(running)),
      watchdog_(stuck_limit.count / look_interval.count + 1),
      thread_([this] { look(); }) {}

Front::~Front() {
  server_.reset();
  {
    std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Front::look() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::milliseconds(look_interval.count), [this] { return over_; })) {
    alive_ = !watchdog_.look(engine_.pulse());
  }
}

Observed Front::observed() const { return observe(engine_, running_, clock_, alive_); }

std::string Front::listen(const std::string& address) {
  std::string wrong;
  server_ = adapters::HttpServer::open(
      address,
      {{"/livez", [this] { return verdict(alive_, "alive", "stuck: the loop no longer moves"); }},
       {"/readyz",
        [this] {
          return verdict(engine_.ready(), "ready", "not ready: not restored yet, or the log does not answer");
        }},
       {"/metrics",
        [this] {
          return adapters::HttpAnswer{200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(observed())};
        }},
       {"/tree",
        [this] {
          return adapters::HttpAnswer{200, "application/json", tree_json(observed())};
        }},
       {"/memory",
        [this] {
          return adapters::HttpAnswer{200, "application/json", to_json(engine_.memory())};
        }},
       {"/",
        [] {
          return adapters::HttpAnswer{200, "text/html; charset=utf-8", page};
        }}},
      wrong);
  return wrong;
}

}  // namespace mayfly::tools
