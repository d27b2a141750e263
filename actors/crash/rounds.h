// Cuts a batch so that a suspected record is decided with no other beside it: if the process dies again, it was that
// one.
#pragma once

#include "actors/crash/flight_recorder.h"
#include "events/log/record.h"

#include <vector>

namespace mayfly::actors {

/// The batch itself while nobody is suspected. Else its pieces in order: of one partition each, a suspect alone. They
/// share the batch's memory.
[[nodiscard]] std::vector<events::RecordBatch> rounds(events::RecordBatch, const FlightRecorder&);

}  // namespace mayfly::actors
