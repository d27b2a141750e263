#include "adapters/http/http_turns.h"

#include "adapters/host/thread_cpu.h"
#include "events/text/precondition.h"

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

/// A client's next turn is in the round after its last one that waits, else in the one after the newest that was begun:
/// so who comes anew waits for one turn of each other client at most (start-time fair queuing).
HttpTurns::Id HttpTurns::add(Id id, std::uint64_t client, const HttpRoute& route, HttpRequest&& request,
                             Steady::time_point deadline) {
  const std::scoped_lock lock(mutex_);
  auto round = round_;
  for (const auto& turn : waiting_) {
    if (turn.client == client) round = std::max(round, turn.round);
  }
  ++round;
  const bool full = waiting_.size() >= most_waiting_;
  std::size_t last = 0;
  for (std::size_t at = 0; at < waiting_.size(); ++at) {
    if (waiting_[at].round >= waiting_[last].round) last = at;
  }
  if (full && waiting_[last].round <= round) return id;
  waiting_.push_back({id, &route, std::move(request), deadline, client, round});
  changed_.notify_all();
  if (!full) return 0;
  const auto refused = waiting_[last].id;
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(last));
  return refused;
}

/// Precondition: one waits.
HttpTurns::Turn HttpTurns::take_next() {
  events::precondition(!waiting_.empty(), "HttpTurns::take_next: one waits");
  const auto next = std::min_element(waiting_.begin(), waiting_.end(),
                                     [](const Turn& one, const Turn& other) { return one.round < other.round; });
  auto turn = std::move(*next);
  waiting_.erase(next);
  round_ = std::max(round_, turn.round);
  return turn;
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
    const auto turn = take_next();
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
