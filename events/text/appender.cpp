#include "events/text/appender.h"

namespace mayfly::events {

void Appender::grow(std::size_t bytes) {
  constexpr std::size_t ahead_bytes = 256;
  const auto written = at_ != nullptr ? static_cast<std::size_t>(at_ - out_.data()) : out_.size();
  out_.resize(written + bytes + ahead_bytes);
  at_ = out_.data() + written;
  limit_ = out_.data() + out_.size();
}

}  // namespace mayfly::events
