// One record handed to a producer.
#pragma once

#include "adapters/kafka/kafka_error.h"
#include "adapters/kafka/kafka_handles.h"
#include "events/log/record.h"

namespace mayfly::adapters::kafka {

/// Copies the record into the producer's queue. `opaque` comes back when it is delivered. _QUEUE_FULL: try again later.
Error produce(rd_kafka_t*, rd_kafka_topic_t*, const events::NewRecord&, void* opaque);

}  // namespace mayfly::adapters::kafka
