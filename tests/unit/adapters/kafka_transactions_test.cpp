// What becomes of a transaction when a broker refuses a part of it: on librdkafka's own pretended brokers.
#include "adapters/kafka/kafka_transactions.h"

#include "unit/adapters/pretended_broker.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace mayfly;
using adapters::kafka::Transactions;
using tests::PretendedBroker;

namespace {

using Group =
    std::unique_ptr<rd_kafka_consumer_group_metadata_t, adapters::kafka::By<rd_kafka_consumer_group_metadata_destroy>>;

constexpr events::Millis patience{300'000};

}  // namespace

TEST_CASE("a transaction is whole or aborted, whatever its batches were answered") {
  struct Row {
    rd_kafka_resp_err_t answer;  // to the first batch
    std::size_t batches;
  };
  constexpr Row rows[] = {
      {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 3},
      {RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, 1},  // librdkafka takes it for written
      {RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, 3},
  };
  for (const auto& row : rows) {
    PretendedBroker broker;
    broker.options.request_limit = broker.options.transaction_timeout = patience;
    Transactions transactions(broker.options, adapters::kafka::identity_of("test", broker.options));
    const Group group(rd_kafka_consumer_group_metadata_new("test"));
    const auto value = tests::alone_in_its_batch();
    const std::vector<events::NewRecord> records(row.batches, {events::Stream::events, 0, "cart", value, {}});
    const auto count = static_cast<events::Offset>(row.batches);
    REQUIRE(transactions.begin_anew_if_needed().ok());
    broker.answer_after_ms(200);  // long enough for later batches to be sent meanwhile
    broker.refuse_next(row.answer);
    const auto first = transactions.run({records, {}}, *group);
    if (first.ok()) CHECK(broker.end_of(events::Stream::events) == count);
    if (!first.ok()) CHECK_MESSAGE(first.outcome == events::CommitOutcome::aborted, first.message);

    const auto before = broker.end_of(events::Stream::events);
    const auto again = transactions.run({records, {}}, *group);
    CHECK_MESSAGE(again.ok(), again.message);
    CHECK(broker.end_of(events::Stream::events) == before + count);
  }
}

TEST_CASE("a transaction whose records are not known to be written in its time is aborted, and not of unknown end") {
  PretendedBroker broker;
  broker.options.request_limit = events::Millis{20'000};  // the abort may take as long
  broker.options.transaction_timeout = events::Millis{1'000};
  Transactions transactions(broker.options, adapters::kafka::identity_of("test", broker.options));
  const Group group(rd_kafka_consumer_group_metadata_new("test"));
  const std::vector<events::NewRecord> records(1, {events::Stream::events, 0, "cart", "value", {}});
  REQUIRE(transactions.begin_anew_if_needed().ok());
  broker.answer_after_ms(5'000);
  const auto result = transactions.run({records, {}}, *group);
  CHECK_MESSAGE(result.outcome == events::CommitOutcome::aborted, result.message);
}
