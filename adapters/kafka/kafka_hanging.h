// What to run about a transaction that does not end. The brokers know its producer's id and epoch; librdkafka, up
// to 2.8 at least, has no call that asks them (DescribeProducers, KIP-664), Kafka's own kafka-transactions does.
#pragma once

#include "events/log/types.h"

#include <string>

namespace mayfly::adapters::kafka {

/// Sentences, without the last full stop, with the command that names the producer, and the one that ends the
/// transaction. `start`: where what is committed of that partition ends, which is where the oldest transaction that is
/// open there begins.
[[nodiscard]] std::string how_to_end(const std::string& brokers, const std::string& topic, events::Partition,
                                     events::Offset start);

/// The same of a transaction that keeps the group's positions from being stable: where it is only a search tells.
[[nodiscard]] std::string how_to_find_among_positions(const std::string& brokers);

}  // namespace mayfly::adapters::kafka
