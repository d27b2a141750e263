#include "adapters/http/http_turns.h"

#include "adapters/host/thread_cpu.h"

#include <algorithm>
#include <new>
#include <utility>

namespace mayfly::adapters {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_pause{1};  // between two answers, however costly the first was

}  // namespace

std::optional<HttpAnswer> answer_of(const HttpRoute& route, const HttpRequest& request) noexcept {
  try {
    try {
      return route.answer(request);
    } catch (const std::bad_alloc&) {
      return std::nullopt;
    } catch (...) {
      return HttpAnswer{500, "text/plain; charset=utf-8", "the answer could not be made\n"};
    }
  } catch (...) {  // no memory for those words either
    return std::nullopt;
  }
}

HttpTurns::HttpTurns(const HttpLimits& limits, std::function<void()> made)
    : most_waiting_(static_cast<std::size_t>(limits.waiting_requests)),
      cpu_percent_(limits.answer_cpu_percent),
      made_(std::move(made)),
      thread_([this] { run(); }) {}

HttpTurns::~HttpTurns() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool HttpTurns::add(Id id, const HttpRoute& route, HttpRequest&& request, Steady::time_point deadline) {
  const std::scoped_lock lock(mutex_);
  if (waiting_.size() >= most_waiting_) return false;
  waiting_.push_back({id, &route, std::move(request), deadline});
  changed_.notify_all();
  return true;
}

void HttpTurns::remove(Id id) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(waiting_, [id](const Turn& turn) { return turn.id == id; });
}

HttpTurns::Made HttpTurns::take() {
  const std::scoped_lock lock(mutex_);
  auto made = std::move(answer_).value_or(Made{});
  answer_.reset();
  changed_.notify_all();
  return made;
}

void HttpTurns::run() {
  Steady::time_point next;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_until(lock, next, [this] { return over_; });
    changed_.wait(lock, [this] { return over_ || (!waiting_.empty() && !answer_); });
    if (over_) return;
    const auto turn = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const auto begun = Steady::now();
    const auto cpu_before = cpu_of_this_thread();
    Made made{turn.id, begun < turn.deadline ? answer_of(*turn.route, turn.request) : std::nullopt};
    const auto cpu = cpu_of_this_thread() - cpu_before;
    next = begun + std::min<Steady::duration>(cpu * 100 / cpu_percent_, longest_pause);
    lock.lock();
    answer_ = std::move(made);
    lock.unlock();
    made_();
    lock.lock();
  }
}

}  // namespace mayfly::adapters
