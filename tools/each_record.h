// Reads a stream's partition from its begin to the end it has now, a bounded batch at a time.
#pragma once

#include "events/log.h"

#include <functional>

namespace mayfly::tools {

/// Gives each record once, in offset order, until `f` returns false. What comes meanwhile is left out.
events::LogStatus each_record(events::LogClient&, events::Stream, events::Partition,
                              const std::function<bool(const events::Record&)>& f);

}  // namespace mayfly::tools
