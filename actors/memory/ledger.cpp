#include "actors/memory/ledger.h"

#include <algorithm>

namespace mayfly::actors {

std::string_view name(Kind kind) {
  constexpr std::array<std::string_view, 5> names{"cart", "session", "partition", "log", "codec"};
  return names[static_cast<std::size_t>(kind)];
}

namespace {

struct PurposeName {
  std::string_view name;
  Kind kind;
};
constexpr std::array<PurposeName, purpose_count> purposes{{
    {"cart.id", Kind::cart},
    {"cart.lines", Kind::cart},
    {"cart.adjustments", Kind::cart},
    {"cart.payment", Kind::cart},
    {"cart.dedupe", Kind::cart},
    {"session.texts", Kind::session},
    {"partition.entries", Kind::partition},
    {"partition.route", Kind::partition},
    {"partition.awake", Kind::partition},
    {"partition.deadlines", Kind::partition},
    {"partition.epitaphs", Kind::partition},
    {"log.records", Kind::log},
    {"codec.arena", Kind::codec},
    {"codec.tasks", Kind::codec},
}};

/// Tells the threads of the process apart.
std::atomic<std::size_t> threads{0};
thread_local const std::size_t thread_number = threads++;

std::size_t index(Purpose purpose) { return static_cast<std::size_t>(purpose); }
std::int64_t value(const std::atomic<std::int64_t>& a) { return a.load(std::memory_order_relaxed); }
void add(std::atomic<std::int64_t>& to, std::int64_t change) {
  if (change != 0) to.fetch_add(change, std::memory_order_relaxed);
}

}  // namespace

std::string_view name(Purpose purpose) { return purposes[index(purpose)].name; }
std::optional<Purpose> purpose_named(std::string_view text) {
  for (std::size_t i = 0; i < purpose_count; ++i) {
    if (purposes[i].name == text) return static_cast<Purpose>(i);
  }
  return std::nullopt;
}
Kind kind_of(Purpose purpose) { return purposes[index(purpose)].kind; }

Amounts& Amounts::operator+=(const Amounts& other) {
  taken_bytes += other.taken_bytes;
  taken_blocks += other.taken_blocks;
  held_bytes += other.held_bytes;
  orphaned_bytes += other.orphaned_bytes;
  orphaned_blocks += other.orphaned_blocks;
  rounding_bytes += other.rounding_bytes;
  unexplained_bytes += other.unexplained_bytes;
  return *this;
}

Ledger::Shard& Ledger::mine() { return shards_[thread_number % shards_.size()]; }

void Ledger::post(Purpose purpose, const Amounts& change) {
  auto& cell = mine().cells[index(purpose)];
  add(cell.taken_bytes, change.taken_bytes);
  add(cell.taken_blocks, change.taken_blocks);
  add(cell.held_bytes, change.held_bytes);
  add(cell.orphaned_bytes, change.orphaned_bytes);
  add(cell.orphaned_blocks, change.orphaned_blocks);
  add(cell.rounding_bytes, change.rounding_bytes);
  add(cell.unexplained_bytes, change.taken_bytes - change.held_bytes - change.orphaned_bytes);
}

void Ledger::count_message(int change) { add(mine().messages, change); }

Amounts Ledger::of(Purpose purpose) const {
  Amounts sum;
  for (const auto& shard : shards_) {
    const auto& cell = shard.cells[index(purpose)];
    sum += {value(cell.taken_bytes),      value(cell.taken_blocks),    value(cell.held_bytes),
            value(cell.orphaned_bytes),   value(cell.orphaned_blocks), value(cell.rounding_bytes),
            value(cell.unexplained_bytes)};
  }
  return sum;
}

std::int64_t Ledger::messages() const {
  std::int64_t sum = 0;
  for (const auto& shard : shards_) sum += value(shard.messages);
  return sum;
}

bool Ledger::wants_holder(Purpose purpose) const { return holders_[index(purpose)].size < most_holders; }

void Ledger::add_holder(Purpose purpose, const Holder& holder) {
  if (holder.partition < 0) return;
  const std::scoped_lock lock(holders_mutex_);
  auto& known = holders_[index(purpose)];
  const auto end = known.of.begin() + static_cast<std::ptrdiff_t>(known.size.load());
  if (end == known.of.end() || std::find(known.of.begin(), end, holder) != end) return;
  *end = holder;
  ++known.size;
}

std::vector<Holder> Ledger::holders(Purpose purpose) const {
  const std::scoped_lock lock(holders_mutex_);
  const auto& known = holders_[index(purpose)];
  return {known.of.begin(), known.of.begin() + static_cast<std::ptrdiff_t>(known.size.load())};
}

void Ledger::forget_holders(Purpose purpose) {
  const std::scoped_lock lock(holders_mutex_);
  holders_[index(purpose)].size = 0;
}

}  // namespace mayfly::actors
