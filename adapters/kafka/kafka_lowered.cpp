#include "adapters/kafka/kafka_lowered.h"

#include "adapters/record_limits.h"

#include <algorithm>
#include <string>

namespace mayfly::adapters::kafka {

using events::CommitOutcome;

void LoweredLimits::heed(rd_kafka_t* client, const Topics& at_start, Transactions& transactions,
                         const events::Commit& commit, events::CommitResult& result) {
  constexpr auto look_again_after = std::chrono::seconds(10);
  const bool refused = transactions.take_too_large() && result.outcome == CommitOutcome::aborted;
  if (!refused && !(lowered_ && std::chrono::steady_clock::now() - seen_ >= look_again_after)) return;
  auto now = at_start;
  read_limits(client, options_, now);
  seen_ = std::chrono::steady_clock::now();
  transactions.bound_batches(now.least_limit_bytes());
  lowered_ = now.largest_record_bytes != at_start.largest_record_bytes;
  if (!refused) return;
  const auto too_large = std::find_if(commit.records.begin(), commit.records.end(), [&now](const auto& record) {
    return bytes_to_write(record) > now.largest_record_bytes[static_cast<std::size_t>(record.stream)];
  });
  if (too_large == commit.records.end()) return;
  result.too_large = static_cast<std::size_t>(too_large - commit.records.begin());
  const auto& topic = options_.topic(too_large->stream);
  const auto most = now.largest_record_bytes[static_cast<std::size_t>(too_large->stream)];
  result.message += " Topic " + topic + " takes records of at most " + std::to_string(most) +
                    " bytes now, and one of up to " + std::to_string(bytes_to_write(*too_large)) +
                    " is to be written. Raise it: kafka-configs --bootstrap-server " + options_.brokers +
                    " --alter --entity-type topics --entity-name " + topic + " --add-config max.message.bytes=" +
                    std::to_string(at_start.largest_record_bytes[static_cast<std::size_t>(too_large->stream)]);
}

}  // namespace mayfly::adapters::kafka
