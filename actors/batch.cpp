#include "actors/batch.h"

namespace mayfly::actors {

Task& Batch::new_task() {
  if (used == tasks.size()) tasks.emplace_back();
  Task& task = tasks[used++];
  task.reset();
  task.segment = &segment;
  return task;
}

void Batch::begin(events::Partition p, std::span<const events::Record> r) {
  partition = p;
  records = r;
  arena.release();
  used = 0;
  segment.tasks.clear();
  out.clear();
  next = r.empty() ? 0 : r.back().at.offset + 1;
  status = {};
  counts = {};
  failures.clear();
  rebuild.clear();
  stopped.clear();
  broken.clear();
}

}  // namespace mayfly::actors
