#include "tools/traces/commit_tracer.h"

#include <algorithm>
#include <utility>

namespace mayfly::tools {

namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr UnixNanos nanos_per_ms = 1'000'000;

/// Cut where a code point begins.
std::string cut(std::string_view text) {
  auto size = std::min(text.size(), CommandSpan::most_text_bytes);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return std::string(text.substr(0, size));
}

std::optional<events::CommandType> type_of(const actors::Task& task) {
  if (task.dead_letter && !task.withheld()) return task.dead_letter_type;
  return task.read.command.type;
}

}  // namespace

/// Times of the steady clock as times of the day, by what both show at one moment.
struct CommitTracer::Clocks {
  explicit Clocks(steady_clock::duration took)
      : steady(steady_clock::now()),
        ended(std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count()),
        begun(ended - std::chrono::duration_cast<nanoseconds>(took).count()) {}
  [[nodiscard]] UnixNanos at(steady_clock::time_point time) const {
    return ended - std::chrono::duration_cast<nanoseconds>(steady - time).count();
  }

  steady_clock::time_point steady;
  UnixNanos ended;  // the transaction
  UnixNanos begun;
};

void CommitTracer::settled(std::span<const actors::Batch* const> batches, const events::CommitResult& result,
                           steady_clock::duration took) noexcept try {
  trace(batches, result, Clocks(took));
} catch (...) {
  to_.drop(1);  // want of memory: of how many is not known
}

/// A transaction has a span if a command in it has one.
void CommitTracer::trace(std::span<const actors::Batch* const> batches, const events::CommitResult& result,
                         const Clocks& clocks) {
  CommitSpan commit;
  commit.self = {sampling_.new_trace(), sampling_.new_span()};
  commit.begun = clocks.begun;
  commit.ended = clocks.ended;
  commit.outcome = result.outcome;
  std::vector<Span> spans;
  const auto room = std::max<std::size_t>(to_.room(), 1) - 1;  // beside the transaction's own
  std::int64_t dropped = 0;
  std::int64_t sampled = 0;
  for (const auto* batch : batches) {
    commit.commands += batch->counts.commands;
    commit.events += batch->counts.events;
    ++commit.partitions;
    const auto begun = clocks.at(batch->begun);
    for (std::size_t i = 0; i < batch->used; ++i) {
      const auto& task = batch->tasks[i];
      if (task.is_deadline()) continue;  // it has no command
      const auto place = sampling_.place(task.read.traceparent);
      if (!place) continue;
      ++sampled;
      SpanContext context{place->trace, {}};
      if (!result.ok()) {
        if (!place->parent) continue;
        context.span = *place->parent;
      } else if (spans.size() < room) {
        auto one = command(task, *place, clocks, begun);
        one.commit = commit.self;
        context = one.self;
        spans.emplace_back(std::move(one));
      } else {
        ++dropped;
        continue;
      }
      if (commit.links.size() < CommitSpan::most_links) {
        commit.links.push_back(context);
      } else {
        ++commit.links_left_out;
      }
    }
  }
  if (dropped > 0) to_.drop(dropped);
  if (sampled == 0) return;
  spans.emplace_back(std::move(commit));
  to_.add(std::move(spans));
}

CommandSpan CommitTracer::command(const actors::Task& task, const Sampling::Place& place, const Clocks& clocks,
                                  UnixNanos begun) {
  CommandSpan span;
  span.self = {place.trace, sampling_.new_span()};
  span.parent = place.parent;
  span.appended = task.record->append_time.ms * nanos_per_ms;
  span.begun = begun;
  span.ended = clocks.ended;
  span.at = task.record->at;
  span.cart = cut(task.read.cart_id);
  span.id = cut(task.read.command.id);
  span.correlation_id = cut(task.read.correlation_id);
  span.type = type_of(task);
  span.dead_letter = task.dead_letter;
  if (task.dead_letter) {
    span.events.push_back(events::EventType::command_dead_lettered);
    span.event_count = 1;
    return span;
  }
  span.event_count = static_cast<std::int64_t>(task.outcome.events.size());
  span.events.reserve(std::min(task.outcome.events.size(), CommandSpan::most_events));
  for (const auto& said : task.outcome.events) {
    if (said.code) span.code = said.code;
    if (span.events.size() < CommandSpan::most_events) span.events.push_back(said.type);
  }
  return span;
}

}  // namespace mayfly::tools
