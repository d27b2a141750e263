// What a side of a comparison came to in sum: events by type, refusals by code, sessions by outcome, money by currency.
#pragma once

#include "tools/replay/replay_partition.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace mayfly::tools {

/// By what is counted: "order.placed", "command.rejected cart_full", "money captured GBP" (minor units).
using ReplaySums = std::map<std::string, std::int64_t>;

class SummedEvents {
 public:
  /// `sums` outlives it.
  explicit SummedEvents(ReplaySums& sums) : sums_(sums) {}
  /// Before the first event: what sessions that are open have captured and refunded is no part of the sums.
  void begin_with(const ReplayedPartition&);
  /// `type` as in "order.placed"; `data` is the event's JSON.
  void count(std::string_view type, const std::string& data);

 private:
  void add_total(const std::string& sum, std::int64_t& before, std::int64_t total);

  ReplaySums& sums_;
  std::map<std::string, std::int64_t> captured_;  // of open sessions
  std::map<std::string, std::int64_t> refunded_;
};

/// Calls `f(name, one, other)` for each sum in which the two differ, in the order of names.
template <class F>
void each_differing_sum(const ReplaySums& one, const ReplaySums& other, F f) {
  auto names = one;
  names.insert(other.begin(), other.end());
  const auto in = [](const ReplaySums& sums, const std::string& name) {
    const auto found = sums.find(name);
    return found == sums.end() ? std::int64_t{0} : found->second;
  };
  for (const auto& entry : names) {
    const auto a = in(one, entry.first);
    const auto b = in(other, entry.first);
    if (a != b) f(entry.first, a, b);
  }
}
/// The line of such a sum.
[[nodiscard]] std::string sum_line(const std::string& name, std::int64_t one, std::int64_t other);

}  // namespace mayfly::tools
