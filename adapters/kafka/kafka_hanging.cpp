#include "adapters/kafka/kafka_hanging.h"

namespace mayfly::adapters::kafka {

namespace {

std::string command(const std::string& brokers, const std::string& words) {
  return "`kafka-transactions --bootstrap-server " + brokers + " " + words + "`";
}

}  // namespace

std::string how_to_end(const std::string& brokers, const std::string& topic, events::Partition partition,
                       events::Offset start) {
  const auto place = "--topic " + topic + " --partition " + std::to_string(partition);
  const auto from = std::to_string(start);
  return "The row whose CurrentTransactionStartOffset is " + from +
         " has its producer id and epoch: " + command(brokers, "describe-producers " + place) +
         ". If that producer is gone, this ends the transaction: " +
         command(brokers, "abort " + place + " --start-offset " + from) + " (docs/kafka.md, A hanging transaction)";
}

std::string how_to_find_among_positions(const std::string& brokers) {
  return "The group's positions are not stable. If this stays, a transaction hangs on __consumer_offsets; this names "
         "it: " +
         command(brokers, "find-hanging --topic __consumer_offsets --max-transaction-timeout 1") +
         " (docs/kafka.md, A hanging transaction)";
}

}  // namespace mayfly::adapters::kafka
