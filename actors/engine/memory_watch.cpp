#include "actors/engine/memory_watch.h"

#include "actors/cart/environment.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

namespace {

constexpr std::int64_t idle_look_factor = 10;

constexpr std::string_view how_to_profile =
    "none. Start the engine with a state directory and MALLOC_CONF=prof:true in the environment to have one.";

}  // namespace

MemoryWatch::MemoryWatch(Ledger& ledger, events::MemoryMeter* meter, const MemoryBudgets& budgets)
    : ledger_(ledger), meter_(meter), budgets_(budgets) {}

void MemoryWatch::count_records(std::size_t turn, const events::RecordBatch& batch) {
  std::size_t bytes = batch.records.capacity() * sizeof(events::Record);
  for (const auto& record : batch.records) {
    bytes += record.key.value_or("").size() + record.value.value_or("").size();
    for (const auto& header : record.headers) bytes += sizeof header + header.name.size() + header.value.size();
  }
  const auto size = static_cast<std::int64_t>(bytes);
  const Amounts now{size, std::ssize(batch.records), size, 0, 0, 0, 0};
  const auto before = std::exchange(records_of_turn_[turn], now);
  ledger_.post(Purpose::log_records, {now.taken_bytes - before.taken_bytes, now.taken_blocks - before.taken_blocks,
                                      now.held_bytes - before.held_bytes, 0, 0, 0, 0});
}

bool MemoryWatch::is_due(events::Timestamp now, std::int64_t commands) const {
  const bool idle = commands == report_.commands && report_.pressure == PressureLevel::normal;
  const events::Millis interval{budgets_.look_interval.count * (idle ? idle_look_factor : 1)};
  return events::has_passed(interval, report_.at, now);
}

std::vector<Leak> MemoryWatch::look(MemoryReport r) {
  for (std::size_t i = 0; i < purpose_count; ++i) {
    r.purposes[i] = ledger_.of(static_cast<Purpose>(i));
    r.peak_bytes[i] = std::max(report_.peak_bytes[i], r.purposes[i].taken_bytes);
  }
  const auto overdue = [&r](LetGo& of, std::int64_t started, std::int64_t owned, std::int64_t alive) {
    return of.overdue(r.at, started - owned, started - alive);
  };
  r.cart_actors_overdue = overdue(carts_, r.cart_actors_started, r.carts_awake, r.cart_actors);
  r.session_actors_overdue = overdue(sessions_, r.session_actors_started, r.sessions_awake, r.session_actors);
  r.messages = ledger_.messages();
  r.message_bytes = r.messages * message_bytes;
  if (meter_ != nullptr) r.process = meter_->read();
  r.budget_bytes = process_budget(budgets_.process_bytes, budgets_.process_percent, r.process.limit);
  r.used_bytes = r.process.anonymous;
  if (budgets_.process_bytes == 0) r.used_bytes = std::max(r.used_bytes, r.process.group_anonymous);
  r.pressure = ladder_.look({r.at, r.used_bytes, r.budget_bytes, r.process.pressure_permille, r.process.limit_hits});
  auto news = leaks_.look(r);
  for (auto& leak : news) add_evidence(leak);
  for (auto& leak : leaks_.open()) {
    auto& known = open_[leak.purpose];
    leak.holders = std::move(known.holders);
    leak.profile = std::move(known.profile);
    known = std::move(leak);
    r.leaks.push_back(known);
  }
  r.leaks_begun = leaks_begun_;
  const std::scoped_lock lock(mutex_);
  report_ = std::move(r);
  return news;
}

/// Who holds it, as far as it is known; what is kept of that goes when the leak has ended.
void MemoryWatch::add_evidence(Leak& leak) {
  const auto row = purpose_named(leak.purpose);
  if (leak.ended) {
    open_.erase(leak.purpose);
    if (row) ledger_.forget_holders(*row);
    return;
  }
  ++leaks_begun_;
  if (row) leak.holders = ledger_.holders(*row);
  if (leak.kind == LeakKind::unaccounted) {
    leak.profile = meter_ != nullptr ? meter_->dump_profile() : std::string();
    if (leak.profile.empty()) leak.profile = std::string(how_to_profile);
  }
  open_[leak.purpose] = leak;
}

MemoryReport MemoryWatch::report() const {
  const std::scoped_lock lock(mutex_);
  return report_;
}

}  // namespace mayfly::actors
