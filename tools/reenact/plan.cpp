#include "tools/reenact/plan.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr std::int64_t ms_per_minute = 60 * ms_per_s;
constexpr std::int64_t without_bug_bytes = 32LL << 20;  // what a run takes at most
// The share of what is left that the bug gets: the allocator rounds up and reserves, and carts on their way to a
// checkout have the bug for a while too.
constexpr std::int64_t bug_percent = 85;
// The provider's connections: far more than the shop needs at once, so that a mended shop never waits for one and a
// leak has gone on for a while before it shows. Hang-ups: fewer than checkouts, so that the shop limps, as the outage's
// did.
constexpr std::int64_t connections_percent = 7;  // of the sessions of the outage's whole time
constexpr std::int64_t hang_ups_percent = 68;    // of the checkouts
constexpr events::Millis longest_wait{3'000};
constexpr std::int64_t session_bytes = 4'096;  // of a session that lives on: its actor and its cart's block

}  // namespace

std::string_view name(Outage outage) { return outage == Outage::cart_leak ? "cart-leak" : "session-leak"; }

std::string_view name(Role role) {
  switch (role) {
    case Role::unprotected: return "unprotected";
    case Role::guarded: return "protected";
    case Role::mended: return "without the bug";
  }
  return "";
}

events::Millis Plan::outage_length() const { return {(outage == Outage::cart_leak ? 30 : 150) * ms_per_minute}; }

/// The first shop's crash was the end. The second one limped on until its bug was mended, and would have come there
/// later.
events::Millis Plan::limit_reached() const { return {length.count * (outage == Outage::cart_leak ? 80 : 100) / 100}; }

ConnectionLimits Plan::connection_limits() const {
  const auto checkouts_percent = 100 - abandoned_percent();
  const auto sessions = carts_per_s * checkouts_percent * (bug_ends().count - bug_begins().count) / 100 / ms_per_s;
  const auto hang_ups_per_s = static_cast<double>(carts_per_s * checkouts_percent * hang_ups_percent) / 10'000;
  return {std::max<std::int64_t>(sessions * connections_percent / 100, 1), ms_per_s / hang_ups_per_s, longest_wait};
}

std::int64_t Plan::bug_bytes() const {
  if (given_bug_bytes > 0) return given_bug_bytes;
  const auto carts = carts_per_s * (limit_reached().count - bug_begins().count) / ms_per_s;
  const auto leaking_percent = outage == Outage::cart_leak ? abandoned_percent() : 100 - abandoned_percent();
  const auto times_each = outage == Outage::cart_leak ? 1 + (fewest_lines + most_lines) / 2 : 1;
  const auto times = std::max<std::int64_t>(carts * leaking_percent * times_each / 100, 1);
  const auto each = (limit_bytes - without_bug_bytes) * bug_percent / 100 / times;
  return std::max<std::int64_t>(outage == Outage::cart_leak ? each : each - session_bytes, 0);
}

events::Millis Plan::pace() const { return {std::clamp<std::int64_t>(length.count / 100, 100, 20'000)}; }

double Plan::outage_minute(events::Millis since_begin) const {
  const auto ends = outage == Outage::cart_leak ? limit_reached() : bug_ends();
  const auto shown = static_cast<double>(since_begin.count - bug_begins().count);
  const auto of_run = static_cast<double>(ends.count - bug_begins().count);
  return shown / of_run * static_cast<double>(outage_length().count) / ms_per_minute;
}

}  // namespace mayfly::tools
