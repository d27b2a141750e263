// Reads a stream's partition from its begin to the end it has now, a bounded batch at a time.
#pragma once

#include "events/log/log.h"

#include <functional>
#include <string>

namespace mayfly::tools {

/// What the tools take from a log at once.
inline constexpr events::PollLimits read_at_once{2'000, 4 * 1024 * 1024, events::Millis{0}};

/// Gives each record once, in offset order, until `f` returns false. What comes meanwhile is left out, but for state: a
/// log may keep only the newest record of a key, so that one written anew meanwhile is found only behind the end.
events::LogStatus each_record(events::LogClient&, events::Stream, events::Partition,
                              const std::function<bool(const events::Record&)>& f);

/// The same from an offset on, or from where the stream begins now.
events::LogStatus each_record_from(events::LogClient&, events::Stream, events::Partition, events::Offset from,
                                   const std::function<bool(const events::Record&)>& f);

/// The same of the records of one cart, all of them.
events::LogStatus each_record_of(events::LogClient&, events::Stream, const std::string& cart,
                                 const std::function<void(const events::Record&)>& f);

/// Says on standard error from where on the events of a partition are there, if not from the first.
void say_where_history_begins(events::LogClient&, events::Partition);

/// Gives each record from `from` through `through`, where a record lies that this client has appended. Waits for it
/// where transactions before it are pending: `unavailable` if they stay.
events::LogStatus each_record_through(events::LogClient&, events::Stream, events::Partition, events::Offset from,
                                      events::Offset through, const std::function<void(const events::Record&)>& f);

}  // namespace mayfly::tools
