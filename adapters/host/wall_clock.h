// The system's clock.
#pragma once

#include "events/log/log.h"

#include <chrono>

namespace mayfly::adapters {

class WallClock final : public events::Clock {
 public:
  [[nodiscard]] events::Timestamp now() const override {
    return {std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
};

}  // namespace mayfly::adapters
