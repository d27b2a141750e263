#include "actors/memory/leak_watch.h"

#include "events/rules/settings.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mayfly::actors {

namespace {

namespace limits = events::limits;

/// What the domain allows one owner at most, its containers grown to twice of it; 0: not bounded like this.
std::int64_t most_each(Purpose purpose) {
  constexpr std::int64_t adjustment_bytes = 56;  // beside its label
  constexpr std::int64_t remembered_bytes = 16;
  switch (purpose) {
    case Purpose::cart_id: return 2 * (limits::cart_id_bytes + limits::reference_bytes);
    case Purpose::cart_adjustments:
      return 2 * (limits::adjustments * adjustment_bytes + limits::adjustments_text_bytes);
    case Purpose::cart_payment: return 2 * (limits::short_id_bytes + limits::token_bytes);
    case Purpose::cart_dedupe: return 2 * limits::remembered_commands * remembered_bytes;
    case Purpose::session_texts: return 2 * (limits::short_id_bytes + limits::reference_bytes + limits::url_bytes);
    default: return 0;
  }
}

/// What no state explains, what the dead left behind, what is more than the domain allows.
std::int64_t not_explained(const MemoryReport& r, std::size_t row) {
  const auto& of = r.purposes[row];
  const auto each = most_each(static_cast<Purpose>(row));
  const auto too_much = each == 0 ? 0 : of.held_bytes - each * r.owners(static_cast<Purpose>(row));
  return std::max<std::int64_t>(of.unexplained_bytes, 0) + std::max<std::int64_t>(of.orphaned_bytes, 0) +
         std::max<std::int64_t>(too_much, 0);
}

/// So many actors of a kind, with all that is in them: its rows of the ledger.
std::int64_t of_actors(const MemoryReport& r, Kind kind, std::int64_t actors) {
  const auto all = r.cart_actors + r.session_actors;
  const auto of_kind = kind == Kind::cart ? r.cart_actors : r.session_actors;
  if (actors == 0 || of_kind == 0) return 0;
  std::int64_t inside = 0;
  for (std::size_t row = 0; row < purpose_count; ++row) {
    if (kind_of(static_cast<Purpose>(row)) == kind) inside += r.purposes[row].taken_bytes;
  }
  return actors * r.actor_bytes / all + actors * inside / of_kind;
}

std::int64_t of_entries(const MemoryReport& r, std::int64_t carts) {
  return r.carts_open > 0 ? carts * r.of(Purpose::partition_entries).taken_bytes / r.carts_open : 0;
}

std::int64_t cart_actors_overdue(const MemoryReport& r, std::size_t) {
  return of_actors(r, Kind::cart, r.cart_actors_overdue);
}
std::int64_t session_actors_overdue(const MemoryReport& r, std::size_t) {
  return of_actors(r, Kind::session, r.session_actors_overdue);
}
std::int64_t messages(const MemoryReport& r, std::size_t) { return r.message_bytes; }
std::int64_t carts_that_have_ended(const MemoryReport& r, std::size_t) {
  return of_entries(r, r.carts_open - r.carts_alive);
}
std::int64_t carts_without_deadline(const MemoryReport& r, std::size_t) {
  return of_entries(r, r.carts_open - r.carts_waiting);
}
std::int64_t sessions_too_old(const MemoryReport& r, std::size_t) { return of_entries(r, r.sessions_too_old); }
std::int64_t unaccounted(const MemoryReport& r, std::size_t) { return r.unaccounted_bytes(); }

/// What the process may take: beyond it safeguards act, or the system. -1: not known.
std::int64_t limit_of(const MemoryReport& r) {
  return r.budget_bytes > 0 ? r.budget_bytes : r.process.limit > 0 ? r.process.limit : -1;
}

std::int64_t scale_of(const MemoryReport& r) {
  const auto limit = limit_of(r);
  return limit > 0 ? limit : LeakWatch::limit_if_unknown;
}

std::int64_t per_mille(std::int64_t of, std::int64_t n) { return of / 1000 * n; }

LeakKind kind_of_row(const MemoryReport& r, std::size_t row) {
  const auto& of = r.purposes[row];
  if (of.orphaned_bytes > of.unexplained_bytes) return LeakKind::blocks_without_actor;
  const auto owner = kind_of(static_cast<Purpose>(row));
  const bool of_many = owner == Kind::cart || owner == Kind::session;
  return of_many ? LeakKind::growth_per_actor : LeakKind::growth_at_constant_actors;
}

}  // namespace

bool LoadHighs::is_new(const MemoryReport& r) {
  const auto seconds = at_ ? static_cast<double>((r.at - *at_).count) / 1000 : 0;
  if (seconds > 0) {
    const auto per_s = static_cast<double>(r.commands - commands_) / seconds;
    per_s_ += (per_s - per_s_) * seconds / (seconds + smoothing_s);
  }
  at_ = r.at;
  commands_ = r.commands;
  bool any = false;
  const auto rises = [&any](double& most, double now) {
    if (now <= most * beyond || now < least) return;
    most = now;
    any = true;
  };
  rises(most_per_s_, per_s_);
  rises(most_open_, static_cast<double>(r.carts_open));
  rises(most_awake_, static_cast<double>(r.carts_awake));
  return any;
}

LeakWatch::LeakWatch() {
  constexpr std::size_t others = 7;
  signals_.reserve(purpose_count + others);
  const auto exact = [this](LeakKind kind, std::string_view purpose, std::string_view owner, auto* bytes,
                            std::size_t row = 0) {
    signals_.push_back({kind, purpose, owner, bytes, row});
  };
  const auto trend = [this](LeakKind kind, std::string_view purpose, std::string_view owner, auto* bytes,
                            std::int64_t least_per_mille) {
    signals_.push_back({kind, purpose, owner, bytes, 0, least_per_mille});
  };
  for (std::size_t row = 0; row < purpose_count; ++row) {
    const auto purpose = static_cast<Purpose>(row);
    exact(LeakKind::growth_per_actor, name(purpose), name(kind_of(purpose)), &not_explained, row);
  }
  exact(LeakKind::blocks_without_actor, "cart.end", "partition", &carts_that_have_ended);
  exact(LeakKind::session_without_end, "cart.deadline", "partition", &carts_without_deadline);
  exact(LeakKind::session_without_end, "session.age", "session", &sessions_too_old);
  exact(LeakKind::blocks_without_actor, "cart.actor", "cart", &cart_actors_overdue);
  signals_.back().of_actors = true;
  exact(LeakKind::blocks_without_actor, "session.actor", "session", &session_actors_overdue);
  signals_.back().of_actors = true;
  trend(LeakKind::growth_at_constant_actors, "messages", "process", &messages, counted_per_mille);
  trend(LeakKind::unaccounted, "unaccounted", "process", &unaccounted, unaccounted_per_mille);
}

/// What was seen before keeps its distance to now.
void LeakWatch::follow_clock(events::Timestamp now) {
  const auto before = std::exchange(at_, now);
  if (now >= before) return;
  const auto back = before - now;
  settled_at_ = settled_at_ - back;
  for (auto& signal : signals_) {
    signal.base.at = signal.base.at - back;
    signal.highest.at = signal.highest.at - back;
    signal.trend.restart();
  }
}

std::vector<Leak> LeakWatch::look(const MemoryReport& report) {
  std::vector<Leak> news;
  follow_clock(report.at);
  const bool calm = settled(report);
  for (auto& signal : signals_) {
    const Look now{report.at, signal.bytes(report, signal.row)};
    if (!signal.open) {
      if (!begins(signal, report, now, calm)) continue;
      auto& leak = signal.open.emplace();
      leak.kind = signal.bytes == &not_explained ? kind_of_row(report, signal.row) : signal.kind;
      leak.purpose = signal.purpose;
      leak.owner = signal.owner;
      signal.showing = 0;
      signal.highest = now;
      measure(signal, report, now);
      news.push_back(*signal.open);
      continue;
    }
    measure(signal, report, now);
    if (goes_on(signal, now)) continue;
    signal.open->ended = true;
    news.push_back(*std::exchange(signal.open, std::nullopt));
    signal.showing = 0;
    signal.forgiven = std::max<std::int64_t>(now.bytes, 0);
    signal.base = now;
    signal.trend.restart();
  }
  return news;
}

std::vector<Leak> LeakWatch::open() const {
  std::vector<Leak> all;
  for (const auto& signal : signals_) {
    if (signal.open) all.push_back(*signal.open);
  }
  return all;
}

/// False while memory may grow for a good reason.
bool LeakWatch::settled(const MemoryReport& r) {
  const bool more = load_.is_new(r);
  if (!std::exchange(begun_, true) || r.supervisors != supervisors_) {
    supervisors_ = r.supervisors;
    settled_at_ = r.at + warm_up;
  } else if (more) {
    settled_at_ = std::max(settled_at_, r.at + settle);
  }
  if (more) {
    for (auto& signal : signals_) signal.trend.restart();
  }
  return r.at >= settled_at_;
}

int LeakWatch::looks_needed(const Signal& s, const MemoryReport& report, const Look& now) {
  if (!s.of_actors) return looks_for_exact;
  const bool many = now.bytes >= per_mille(scale_of(report), many_actors_per_mille);
  return many && now.bytes > s.last_bytes ? looks_for_exact : looks_for_actors;
}

bool LeakWatch::begins(Signal& s, const MemoryReport& report, const Look& now, bool settled) {
  if (s.base.at == events::Timestamp{}) s.base.at = now.at;
  if (s.least_per_mille == 0) {
    s.forgiven = std::clamp<std::int64_t>(now.bytes, 0, s.forgiven);
    const auto needed = looks_needed(s, report, now);
    s.last_bytes = now.bytes;
    if (now.bytes <= s.forgiven) {
      s.showing = 0;
      s.base = now;
      return false;
    }
    s.quiet_for = quiet;
    return ++s.showing >= needed;
  }
  if (!settled) {
    s.paused = true;
    return false;
  }
  if (std::exchange(s.paused, false)) s.excused += now.bytes - s.last_bytes;
  s.last_bytes = now.bytes;
  const auto rise = s.trend.add(now.at, now.bytes - s.excused, per_mille(scale_of(report), s.least_per_mille));
  if (!rise) return false;
  s.base = {now.at - rise->within, now.bytes - rise->amount};
  s.quiet_for = std::max(quiet, events::Millis{2 * rise->within.count});
  return true;
}

/// False: nothing of it is left, or it does not grow any more.
bool LeakWatch::goes_on(Signal& s, const Look& now) {
  if (now.bytes > s.highest.bytes) s.highest = now;
  s.showing = now.bytes <= s.base.bytes ? s.showing + 1 : 0;
  return s.showing < looks_for_exact && now.at - s.highest.at < s.quiet_for;
}

void LeakWatch::measure(Signal& s, const MemoryReport& report, const Look& now) {
  auto& leak = *s.open;
  constexpr std::int64_t ms_per_s = 1000;
  leak.begun = s.base.at;
  leak.bytes = std::max<std::int64_t>(now.bytes - s.base.bytes, 0);
  leak.bytes_per_s = leak.bytes * ms_per_s / std::max<std::int64_t>((now.at - s.base.at).count, 1);
  leak.limit_in_s.reset();
  const auto limit = limit_of(report);
  if (limit <= 0 || report.process.resident < 0 || leak.bytes_per_s <= 0) return;
  leak.limit_in_s = std::max<std::int64_t>(limit - report.process.resident, 0) / leak.bytes_per_s;
}

}  // namespace mayfly::actors
