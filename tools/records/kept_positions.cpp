#include "tools/records/kept_positions.h"

#include <algorithm>

namespace mayfly::tools {

namespace {

constexpr events::Millis remind_interval{
    3'600'000};  // the least that brokers keep offsets for is a minute, the default 7 d

}  // namespace

void KeptPositions::begin(const std::vector<events::Position>& known) {
  kept_.clear();
  for (const auto& at : known) kept_.push_back({at, {}});
}

bool KeptPositions::is_to_be_written(const events::Position& at, events::Timestamp now) const {
  const auto kept =
      std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) { return one.at.partition == at.partition; });
  return kept == kept_.end() || kept->at != at || events::has_passed(remind_interval, kept->written, now);
}

bool KeptPositions::are_due(std::span<const events::Position> positions, events::Timestamp now) const {
  return std::any_of(positions.begin(), positions.end(),
                     [&](const events::Position& at) { return is_to_be_written(at, now); });
}

events::LogStatus KeptPositions::keep(std::span<const events::Position> positions, events::Timestamp now) {
  if (!are_due(positions, now)) return {};
  auto status = log_.keep_group_positions(group_, stream_, positions);
  if (!status.ok()) return status;
  for (const auto& at : positions) {
    std::erase_if(kept_, [&](const Kept& one) { return one.at.partition == at.partition; });
    kept_.push_back({at, now});
  }
  return status;
}

}  // namespace mayfly::tools
