// An event that is given up: an alert of the log names it, where an operator finds it after any restart.
#pragma once

#include "events/log/log.h"
#include "tools/connect/delivery_queue.h"

#include <string>

namespace mayfly::tools {

/// NAME:PARTITION:OFFSET, which `mayfly connect --again` takes.
[[nodiscard]] std::string parked_name(const std::string& delivery, events::Position);

/// For a person: which event of that delivery, why, and what to do.
[[nodiscard]] std::string parked_message(const std::string& delivery, const QueuedEvent&, const std::string& fault);

/// Appends the alert delivery_parked (docs/connect.md, Parked events).
[[nodiscard]] events::LogStatus write_parked(events::LogClient&, const std::string& delivery, const std::string& source,
                                             const QueuedEvent&, const std::string& message, events::Timestamp now);

}  // namespace mayfly::tools
