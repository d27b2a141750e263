#include "actors/partition/batch.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

std::int64_t BatchCounts::carts_more() const {
  using events::EventType;
  const auto said = [this](EventType type) { return events_by_type[static_cast<std::size_t>(type)]; };
  return said(EventType::cart_created) - said(EventType::cart_expired) - said(EventType::cart_canceled) -
         said(EventType::cart_merged) - said(EventType::cart_converted);
}

Batch::Batch(Ledger& l) : ledger(l), memory(l, Purpose::codec_arena, std::numeric_limits<std::int64_t>::max()) {}

Batch::~Batch() { ledger.post(Purpose::codec_tasks, {-stock_bytes, -stock_tasks, -stock_bytes, 0, 0, 0, 0}); }

void Batch::take_stock() {
  std::int64_t change = 0;
  for (std::size_t i = 0; i < most_used_; ++i) {
    const auto bytes = tasks[i].bytes();
    change += bytes - std::exchange(tasks[i].stock_bytes, bytes);
  }
  const auto more_tasks = static_cast<std::int64_t>(tasks.size()) - stock_tasks;
  ledger.post(Purpose::codec_tasks, {change, more_tasks, change, 0, 0, 0, 0});
  stock_bytes += change;
  stock_tasks += more_tasks;
  memory.post({memory.bytes() - not_given_back}, [this] { return Holder{partition, 0}; });
}

Task& Batch::new_task() {
  const bool is_new = used == tasks.size();
  Task& task = is_new ? tasks.emplace_back() : tasks[used];
  ++used;
  most_used_ = std::max(most_used_, used);
  if (!is_new) task.reset();
  task.segment = &segment;
  return task;
}

bool Batch::is_full(std::size_t state_records) {
  for (; counted_ < used; ++counted_) {
    outcome_bytes_ += static_cast<std::size_t>(tasks[counted_].outcome.buffer_bytes());
  }
  held_records_ = out.size() + state_records;
  held_bytes_ = arena.used_bytes() + outcome_bytes_ + out.size() * sizeof(events::NewRecord) + state_bytes;
  return held_records_ >= limits.records || held_bytes_ >= limits.bytes || (limits.late && limits.late());
}

bool Batch::segment_is_full() const {
  return segment.tasks.size() >= most_segment_tasks || held_records_ + expected_records >= limits.records ||
         held_bytes_ + expected_bytes >= limits.bytes;
}

void Batch::end_segment() {
  segment.tasks.clear();
  if (keeps_tasks) return;
  let_go_of_outcomes();
  used = 0;
}

void Batch::let_go_of_outcomes() {
  std::int64_t less = 0;
  for (std::size_t i = 0; i < used; ++i) {
    auto& task = tasks[i];
    if (!task.outcome.is_large()) continue;
    task.outcome.clear();
    const auto bytes = task.bytes();
    less += std::exchange(task.stock_bytes, bytes) - bytes;
  }
  if (less == 0) return;
  ledger.post(Purpose::codec_tasks, {-less, 0, -less, 0, 0, 0, 0});
  stock_bytes -= less;
}

/// A backlog's tasks are not kept for the days after it.
void Batch::let_go_of_tasks() {
  constexpr std::size_t always_kept = 64;
  const auto keep = std::max(always_kept, recent.note(most_used_));
  if (tasks.size() <= keep) return;
  std::int64_t bytes = 0;
  const auto more = static_cast<std::int64_t>(tasks.size() - keep);
  for (; tasks.size() > keep; tasks.pop_back()) bytes += tasks.back().stock_bytes;
  ledger.post(Purpose::codec_tasks, {-bytes, -more, -bytes, 0, 0, 0, 0});
  stock_bytes -= bytes;
  stock_tasks -= more;
  std::vector<Task*>().swap(segment.tasks);
  std::vector<events::NewRecord>().swap(out);
}

void Batch::rest() {
  arena.give_back();
  begin(partition, {});
  take_stock();
}

void Batch::sit_out() {
  if (most_used_ == 0 && arena.bytes() == 0) return;
  begin(partition, {});
  take_stock();
}

void Batch::begin(events::Partition p, std::span<const events::Record> r) {
  let_go_of_outcomes();
  let_go_of_tasks();
  partition = p;
  records = r;
  arena.release();
  not_given_back = memory.bytes() - arena.bytes();
  used = most_used_ = 0;
  segment.tasks.clear();
  out.clear();
  counted_ = outcome_bytes_ = held_records_ = held_bytes_ = 0;
  state_bytes = expected_records = expected_bytes = 0;
  next = r.empty() ? 0 : r.back().at.offset + 1;
  status = {};
  counts = {};
  failures.clear();
  rebuild.clear();
  stopped.clear();
  broken.clear();
  leaks.clear();
  alerts.clear();
  restart_alerts.clear();
}

}  // namespace mayfly::actors
