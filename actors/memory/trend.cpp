#include "actors/memory/trend.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

std::optional<Rise> Trend::add(events::Timestamp at, std::int64_t value, std::int64_t least) {
  std::optional<Rise> largest;
  Floor floor{at, value};
  std::int64_t looks = 1;
  for (auto& scale : scales_) {
    scale.add(floor);
    const bool quick = looks < looks_per_window;
    const auto enough = quick ? quick_factor * least : least;
    const auto rise = scale.rise(quick ? least_half_percent_quick : least_half_percent);
    if (rise && rise->amount >= enough && (!largest || rise->amount > largest->amount)) largest = rise;
    looks *= 2;
    if (!scale.half) {
      scale.half = floor;
      break;
    }
    floor.value = std::min(floor.value, std::exchange(scale.half, std::nullopt)->value);
  }
  return largest;
}

void Trend::Scale::add(const Floor& floor) {
  if (size == newest.size()) {
    highest_before = std::max(highest_before.value_or(newest.front().value), newest.front().value);
    std::move(newest.begin() + 1, newest.end(), newest.begin());
    --size;
  }
  newest[size++] = floor;
}

std::optional<Rise> Trend::Scale::rise(std::int64_t half_percent) const {
  if (size < newest.size()) return std::nullopt;
  int falling = 0;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = i + 1; j < size; ++j) falling += newest[j].value <= newest[i].value ? 1 : 0;
  }
  if (falling > most_falling_pairs) return std::nullopt;
  const auto whole = newest.back().value - newest.front().value;
  const auto first = newest[size / 2 - 1].value - newest.front().value;
  const auto second = newest.back().value - newest[size / 2].value;
  if (std::min(first, second) * 100 < whole * half_percent) return std::nullopt;
  const auto base = std::max(newest.front().value, highest_before.value_or(newest.front().value));
  if (newest.back().value <= base) return std::nullopt;
  return Rise{newest.back().value - base, newest.back().at - newest.front().at};
}

}  // namespace mayfly::actors
