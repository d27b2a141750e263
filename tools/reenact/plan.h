// What is played: which outage, how long it took, in how much time it is played again, on what limit, by which shop.
#pragma once

#include "events/log/types.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace mayfly::tools {

inline constexpr std::int64_t ms_per_s = 1'000;
inline constexpr std::int64_t mib = 1LL << 20;  // bytes

enum class Outage : std::uint8_t { cart_leak, session_leak };

/// The three runs of a re-enactment. They differ in nothing else.
enum class Role : std::uint8_t {
  unprotected,  // with the bug, what would protect the engine is off
  guarded,      // with the bug, the engine as it is delivered
  mended,       // without the bug, the same engine
};
inline constexpr std::array roles = {Role::unprotected, Role::guarded, Role::mended};
/// "cart-leak", "session-leak".
[[nodiscard]] std::string_view name(Outage);
/// As people read it: "unprotected", "protected", "without the bug".
[[nodiscard]] std::string_view name(Role);

/// Of the payment provider.
struct ConnectionLimits {
  std::int64_t most = 0;           // connections at once
  double hang_up_interval_ms = 0;  // where all are taken and one is wanted: on one that is idle, that often
  events::Millis longest_wait{};   // for a connection; then the payment is declined
};

struct Plan {
  Outage outage = Outage::cart_leak;
  events::Millis length{105'000};        // of a run, until the last cart is begun
  std::int64_t limit_bytes = 512 * mib;  // of a run's process
  std::int64_t carts_per_s = 100;
  std::uint64_t seed = 1;
  std::int64_t given_bug_bytes = 0;  // 0: as the outage's time wants it

  /// From the release with the bug to the crash of the first shop; to the end of the second one's trouble.
  [[nodiscard]] events::Millis outage_length() const;
  /// The release with the bug, since the begin of the run.
  [[nodiscard]] events::Millis bug_begins() const { return {length.count * 5 / 100}; }
  /// The release without it.
  [[nodiscard]] events::Millis bug_ends() const { return {length.count * 85 / 100}; }
  /// About when what the bug takes comes to the limit, where nothing is done about it.
  [[nodiscard]] events::Millis limit_reached() const;
  /// What the bug takes each time. Where it is not given, so that it comes to the limit then.
  [[nodiscard]] std::int64_t bug_bytes() const;
  /// Of 100 carts so many are left without a checkout.
  [[nodiscard]] int abandoned_percent() const { return outage == Outage::cart_leak ? 70 : 10; }
  /// Mean time between two commands of a shopper.
  [[nodiscard]] events::Millis pace() const;
  /// A scheduled restart of each partition.
  [[nodiscard]] events::Millis renew_interval() const { return {length.count / renewals()}; }
  /// Of each partition in the run. Sessions pile up for that long, and the provider's connections must do for them.
  [[nodiscard]] int renewals() const { return outage == Outage::cart_leak ? 12 : 20; }
  /// The same in all runs.
  [[nodiscard]] ConnectionLimits connection_limits() const;
  /// What the engine is told that it may take, of the limit.
  [[nodiscard]] std::int64_t budget_bytes() const { return limit_bytes / 10 * 9; }
  /// A moment of a run in minutes of the outage, 0 when the bug began.
  [[nodiscard]] double outage_minute(events::Millis since_begin) const;
  /// What the first alert must say that leaks.
  [[nodiscard]] std::string_view right_purpose() const {
    return outage == Outage::cart_leak ? "cart.lines" : "session.actor";
  }
};

/// A checkout that takes longer is slow; its buyer is gone after `patience`, and it has failed.
/// Both are the buyer's time from "pay" to the order, and the same in all runs.
inline constexpr events::Millis slow{2'000};
inline constexpr events::Millis patience{10'000};
/// A cart is given so many lines.
inline constexpr int fewest_lines = 3;
inline constexpr int most_lines = 7;

}  // namespace mayfly::tools
