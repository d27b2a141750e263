#include "actors/memory/pressure.h"

#include <algorithm>
#include <utility>

namespace mayfly::actors {

std::string_view name(PressureLevel level) {
  switch (level) {
    case PressureLevel::normal: return "normal";
    case PressureLevel::sleep_more: return "sleep_more";
    case PressureLevel::admission_closed: return "admission_closed";
    case PressureLevel::reading_stopped: return "reading_stopped";
  }
  return "";
}

namespace {

/// Of the budget; -1: not known.
double used_permille(const PressureSample& sample) {
  if (sample.used_bytes < 0 || sample.budget_bytes <= 0) return -1;
  return static_cast<double>(sample.used_bytes) * 1000 / static_cast<double>(sample.budget_bytes);
}

}  // namespace

PressureLevel PressureLadder::look(const PressureSample& sample) {
  const auto hits = std::exchange(limit_hits_, sample.limit_hits);
  const bool hit = hits >= 0 && sample.limit_hits > hits;
  const bool at_limit = hit && used_permille(sample) >= static_cast<double>(limit_hit_from_permille);
  const auto up = wanted(sample, 0, at_limit);
  if (up > level_) {
    level_ = up;
    since_ = sample.at;
  } else if (level_ != PressureLevel::normal && events::has_passed(hold, since_, sample.at) &&
             wanted(sample, margin_permille, at_limit) < level_) {
    level_ = static_cast<PressureLevel>(static_cast<int>(level_) - 1);
    since_ = sample.at;
  }
  return level_;
}

/// The level whose threshold, less the margin, is reached.
PressureLevel PressureLadder::wanted(const PressureSample& sample, std::int64_t margin, bool at_limit) const {
  auto level = at_limit ? PressureLevel::sleep_more : PressureLevel::normal;
  if (sample.pressure_permille >= waiting_sleep_more_permille - margin) level = PressureLevel::sleep_more;
  if (sample.pressure_permille >= waiting_close_permille - margin) level = PressureLevel::admission_closed;
  const auto used = used_permille(sample);
  for (std::size_t i = 1; i < from_permille.size(); ++i) {
    if (used >= static_cast<double>(from_permille[i] - margin)) level = std::max(level, static_cast<PressureLevel>(i));
  }
  return level;
}

std::int64_t process_budget(std::int64_t given_bytes, std::int64_t percent, std::int64_t limit_bytes) {
  if (given_bytes > 0) return given_bytes;
  return limit_bytes > 0 ? limit_bytes / 100 * percent : -1;
}

}  // namespace mayfly::actors
