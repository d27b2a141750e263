// When a recorded command is due in a drive: pure arithmetic on the times at which it was appended.
#pragma once

#include "events/log/types.h"

#include <optional>
#include <string>
#include <string_view>

namespace mayfly::tools {

struct DriveSpeed {
  double times = 1;  // the recorded speed; 0: no pauses at all
  [[nodiscard]] bool unpaced() const { return times == 0; }
};
/// "1", "10", "0.5", "max". Nothing if the text is none: 0.001 to 1,000,000.
[[nodiscard]] std::optional<DriveSpeed> speed_from_words(std::string_view);

class DrivePace {
 public:
  /// `longest_gap`: no pause of the drive is longer; 0: as they come.
  DrivePace(DriveSpeed speed, events::Millis longest_gap) : speed_(speed), longest_gap_(longest_gap) {}

  /// When the next command is due, since the first one was. Call once for each, in order. A time before that of the
  /// last command makes no pause.
  [[nodiscard]] events::Millis due(events::Timestamp recorded);

  [[nodiscard]] bool unpaced() const { return speed_.unpaced(); }

 private:
  DriveSpeed speed_;
  events::Millis longest_gap_;
  std::optional<events::Timestamp> last_;  // the latest time so far
  double due_ms_ = 0;
};

}  // namespace mayfly::tools
