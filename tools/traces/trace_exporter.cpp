#include "tools/traces/trace_exporter.h"

#include "adapters/host/wall_clock.h"
#include "tools/console/numbers.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <utility>

namespace mayfly::tools {

namespace {

constexpr std::size_t collector_answer_bytes = 65'536;

std::chrono::milliseconds as_chrono(events::Millis length) { return std::chrono::milliseconds(length.count); }

/// OTLP/HTTP, Retryable Response Codes; no answer is one too.
bool is_retryable(int status) {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

std::string why_not_taken(const adapters::HttpCalled& got) {
  return got.status == 0 ? got.wrong : "it answered with status " + std::to_string(got.status);
}

/// Spans that were not taken although the rest was: partialSuccess.rejectedSpans, a number or a number as text.
std::int64_t rejected_spans(const std::string& body, std::int64_t most) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  const auto at = nlohmann::json::json_pointer("/partialSuccess/rejectedSpans");
  if (!answer.is_object() || !answer.contains(at)) return 0;
  const auto& value = answer.at(at);
  std::int64_t rejected = 0;
  if (value.is_number_integer()) rejected = value.get<std::int64_t>();
  if (value.is_string()) rejected = number_from_text(value.get_ref<const std::string&>()).value_or(0);
  return std::clamp<std::int64_t>(rejected, 0, most);
}

}  // namespace

/// An answer that may come when nobody waits for it any more.
struct TraceExporter::Awaited {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<adapters::HttpCalled> answer;
  std::optional<std::chrono::steady_clock::time_point> until;  // the engine ends: not for longer

  void give(adapters::HttpCalled got) {
    const std::scoped_lock lock(mutex);
    answer = std::move(got);
    changed.notify_all();
  }
  void wait_no_longer_than(std::chrono::steady_clock::time_point end) {
    const std::scoped_lock lock(mutex);
    until = end;
    changed.notify_all();
  }
  adapters::HttpCalled wait() {
    Lock lock(mutex);
    changed.wait(lock, [this] { return answer || until; });
    if (!answer) changed.wait_until(lock, *until, [this] { return answer.has_value(); });
    return answer ? std::move(*answer) : adapters::HttpCalled{0, {}, {}, "the engine ends"};
  }
};

TraceExporter::TraceExporter(TraceSettings settings, TracedEngine engine, const TraceLimits& limits, Post post, Say say)
    : settings_(std::move(settings)),
      engine_(std::move(engine)),
      limits_(limits),
      post_(std::move(post)),
      say_(std::move(say)),
      backoff_(std::random_device{}()),
      thread_([this] { run(); }) {}

TraceExporter::~TraceExporter() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    end_ = std::chrono::steady_clock::now() + as_chrono(limits_.last_words);
    if (awaited_) awaited_->wait_no_longer_than(end_);
  }
  changed_.notify_all();
  thread_.join();
}

void TraceExporter::add(std::vector<Span>&& spans) noexcept try {
  bool full = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto taken = queue_.size() + sending_;
    const auto fit = std::min(spans.size(), limits_.queue_spans - std::min(taken, limits_.queue_spans));
    queue_.insert(queue_.end(), std::make_move_iterator(spans.begin()),
                  std::make_move_iterator(spans.begin() + static_cast<std::ptrdiff_t>(fit)));
    counts_.no_room += static_cast<std::int64_t>(spans.size() - fit);
    full = queue_.size() >= limits_.request_spans;
  }
  if (full) changed_.notify_all();
} catch (...) {
  drop(static_cast<std::int64_t>(spans.size()));  // for want of memory
}

std::size_t TraceExporter::room() const {
  const std::scoped_lock lock(mutex_);
  return limits_.queue_spans - std::min(queue_.size() + sending_, limits_.queue_spans);
}

void TraceExporter::drop(std::int64_t spans) noexcept {
  const std::scoped_lock lock(mutex_);
  counts_.no_room += spans;
}

TraceCounts TraceExporter::counts() const {
  const std::scoped_lock lock(mutex_);
  auto now = counts_;
  now.waiting = queue_.size() + sending_;
  return now;
}

void TraceExporter::run() noexcept {
  Lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, as_chrono(limits_.longest_wait),
                      [this] { return over_ || queue_.size() >= limits_.request_spans; });
    if (queue_.empty()) {
      if (over_) return;
      continue;
    }
    const auto count = std::min(queue_.size(), limits_.request_spans);
    sending_ = count;
    try {
      const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
      const std::vector<Span> spans(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
      queue_.erase(queue_.begin(), end);
      send(lock, spans);
    } catch (...) {  // want of memory: these are lost
      if (!lock.owns_lock()) lock.lock();
      settle(&TraceCounts::not_taken, static_cast<std::int64_t>(sending_));
    }
    sending_ = 0;
  }
}

/// Until the collector has taken them or refused them, or enough was tried.
void TraceExporter::send(Lock& lock, const std::vector<Span>& spans) {
  const auto count = static_cast<std::int64_t>(spans.size());
  lock.unlock();
  const auto body = otlp_json(spans, engine_);
  adapters::HttpHeaders headers = settings_.headers;
  headers.emplace_back("Content-Type", "application/json");
  lock.lock();
  for (int attempt = 1;; ++attempt) {
    const auto left = over_ ? end_ - std::chrono::steady_clock::now() : std::chrono::steady_clock::duration::max();
    if (left <= std::chrono::steady_clock::duration::zero()) return settle(&TraceCounts::not_taken, count);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1;
    const events::Millis timeout{std::min<std::int64_t>(settings_.timeout.count, ms)};
    const auto got = ask(lock, {settings_.to, headers, body, timeout, collector_answer_bytes});
    const auto now = adapters::WallClock().now();
    if (got.status >= 200 && got.status < 300) {
      const auto rejected = rejected_spans(got.body, count);
      say(lock, rejected == 0, rejected == 0 ? "" : "it refused " + std::to_string(rejected) + " spans of a request");
      settle(&TraceCounts::refused, rejected);
      return settle(&TraceCounts::sent, count - rejected);
    }
    say(lock, false, why_not_taken(got));
    if (!is_retryable(got.status)) return settle(&TraceCounts::refused, count);
    if (attempt >= limits_.attempts) return settle(&TraceCounts::not_taken, count);
    const auto asked = retry_after(got.header("retry-after"), now);
    const auto length = asked ? *asked - now : backoff_.after(attempt);
    pause(lock, {std::clamp<std::int64_t>(length.count, 0, limits_.longest_pause.count)});
  }
}

adapters::HttpCalled TraceExporter::ask(Lock& lock, adapters::HttpCall call) {
  awaited_ = std::make_shared<Awaited>();
  const auto awaited = awaited_;
  if (over_) awaited->wait_no_longer_than(end_);
  lock.unlock();
  post_(std::move(call), [awaited](adapters::HttpCalled got) { awaited->give(std::move(got)); });
  auto got = awaited->wait();
  lock.lock();
  awaited_.reset();
  return got;
}

/// Until then, or until the engine ends.
void TraceExporter::pause(Lock& lock, events::Millis length) {
  if (over_) return;
  changed_.wait_for(lock, as_chrono(length), [this] { return over_; });
}

void TraceExporter::settle(std::int64_t TraceCounts::*of, std::int64_t spans) {
  counts_.*of += spans;
  sending_ -= std::min(sending_, static_cast<std::size_t>(spans));
}

void TraceExporter::say(Lock& lock, bool taken, const std::string& why) {
  if (std::exchange(taken_, taken) == taken) return;
  lock.unlock();
  say_(taken, why);
  lock.lock();
}

}  // namespace mayfly::tools
