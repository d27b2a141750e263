#include "actors/partition/deadlines.h"

#include "events/text/precondition.h"

namespace mayfly::actors {

namespace {

constexpr std::size_t smallest_heap = 64;

}  // namespace

Deadlines::Deadlines(std::pmr::memory_resource* memory) : unstarted_(memory), started_(memory) {}

void Deadlines::list(CartEntry& entry) {
  events::precondition(entry.place_in_waits == not_listed, "Deadlines::list: the cart is not listed");
  const auto wait = entry.wait();
  if (wait.kind == events::WaitKind::none) return;
  auto& heap = heap_of(wait);
  if (heap.size() == heap.capacity()) fit(heap, heap.size() + heap.size() / 4 + smallest_heap);
  heap.push_back({wait.due ? wait.due->ms : wait.set_at, &entry});
  place(heap, heap.size() - 1, heap.back());
  sift(heap, heap.size() - 1);
}

void Deadlines::remove(CartEntry& entry) {
  if (entry.place_in_waits != not_listed) take(heap_of(entry.wait()), entry.place_in_waits);
}

CartEntry* Deadlines::take_unstarted(events::Offset through) {
  if (unstarted_.empty() || unstarted_.front().key > through) return nullptr;
  auto* entry = unstarted_.front().entry;
  take(unstarted_, 0);
  return entry;
}

CartEntry* Deadlines::take_due(events::Timestamp time) {
  if (started_.empty() || started_.front().key > time.ms) return nullptr;
  auto* entry = started_.front().entry;
  take(started_, 0);
  return entry;
}

std::optional<events::Timestamp> Deadlines::next_due() const {
  if (started_.empty()) return std::nullopt;
  return events::Timestamp{started_.front().key};
}

bool Deadlines::before(const Node& a, const Node& b) {
  if (a.key != b.key) return a.key < b.key;
  return a.entry->id() < b.entry->id();
}

void Deadlines::place(Heap& heap, std::size_t at, Node node) {
  heap[at] = node;
  node.entry->place_in_waits = static_cast<std::uint32_t>(at);
}

void Deadlines::sift(Heap& heap, std::size_t at) {
  const Node node = heap[at];
  while (at > 0 && before(node, heap[(at - 1) / 2])) {
    place(heap, at, heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= heap.size()) break;
    if (child + 1 < heap.size() && before(heap[child + 1], heap[child])) ++child;
    if (!before(heap[child], node)) break;
    place(heap, at, heap[child]);
    at = child;
  }
  place(heap, at, node);
}

void Deadlines::take(Heap& heap, std::size_t at) {
  heap[at].entry->place_in_waits = not_listed;
  const Node moved = heap.back();
  heap.pop_back();
  if (at != heap.size()) {
    place(heap, at, moved);
    sift(heap, at);
  }
  if (heap.capacity() > 4 * smallest_heap && heap.size() < heap.capacity() / 2) fit(heap, heap.size() * 5 / 4);
}

/// Room for so many, no more.
void Deadlines::fit(Heap& heap, std::size_t nodes) {
  Heap fitted(heap.get_allocator());
  fitted.reserve(nodes);
  fitted.assign(heap.begin(), heap.end());
  heap.swap(fitted);
}

}  // namespace mayfly::actors
