#include "tools/drive/drive_pace.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace mayfly::tools {

std::optional<DriveSpeed> speed_from_words(std::string_view words) {
  constexpr double slowest = 0.001;
  constexpr double fastest = 1'000'000;
  if (words == "max") return DriveSpeed{0};
  if (words.empty() || words.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  const std::string text(words);
  char* end = nullptr;
  const double times = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || times < slowest || times > fastest) return std::nullopt;
  return DriveSpeed{times};
}

events::Millis DrivePace::due(events::Timestamp recorded) {
  if (speed_.unpaced()) return {};
  if (last_ && recorded > *last_) {
    auto pause_ms = static_cast<double>((recorded - *last_).count) / speed_.times;
    if (longest_gap_ > events::Millis{}) pause_ms = std::min(pause_ms, static_cast<double>(longest_gap_.count));
    due_ms_ += pause_ms;
  }
  last_ = last_ ? std::max(*last_, recorded) : recorded;
  return {std::llround(due_ms_)};
}

}  // namespace mayfly::tools
