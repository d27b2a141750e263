#include "adapters/kafka/kafka_error.h"

namespace mayfly::adapters::kafka {

Error::Error(rd_kafka_error_t* error) {
  if (error == nullptr) return;
  code = rd_kafka_error_code(error);
  message = rd_kafka_error_string(error);
  fatal = rd_kafka_error_is_fatal(error) != 0;
  retriable = rd_kafka_error_is_retriable(error) != 0;
  aborts = rd_kafka_error_txn_requires_abort(error) != 0;
  rd_kafka_error_destroy(error);
}

Error::Error(rd_kafka_resp_err_t c) : code(c) {
  if (!ok()) message = rd_kafka_err2str(c);
}

Error Error::unproven_delivery() {
  return {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a broker refused records and took later ones"};
}

bool Error::fenced() const {
  switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID: return true;
    default: return false;
  }
}

bool Error::unknown_topic() const {
  switch (code) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return true;
    default: return false;
  }
}

bool Error::denied() const {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: return true;
    default: return false;
  }
}

bool Error::unavailable() const {
  if (unknown_topic()) return true;
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    // A broker that starts, ends, or hands its leadership or its controller's place over.
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_STALE_BROKER_EPOCH:
    case RD_KAFKA_RESP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_UNKNOWN:  // an exception in a broker
    // The brokers have forgotten a producer: it, or the one after it, gets another number.
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    // Of a client that is full or was ended while it still had something to do.
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: return true;
    default: return retriable;
  }
}

events::LogStatus Error::status(std::string_view tried) const {
  using events::LogError;
  if (ok()) return {};
  const std::string what = std::string(tried) + ": " + message + " (" + rd_kafka_err2name(code) + ")";
  if (fenced() && !retriable) return {LogError::fenced, what + ". Another engine has taken this one's name."};
  if (unknown_topic()) {
    return {LogError::unavailable, what + ". Check that the topic is there: see docs/kafka.md, A topic was deleted."};
  }
  if (denied()) {
    return {LogError::invalid,
            what + ". The account lacks a right: see docs/security.md, What broker ACLs separate, for those it needs."};
  }
  if (unavailable()) {
    return {LogError::unavailable,
            what + ". Check that the brokers run and are reached at the address they advertise."};
  }
  switch (code) {
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
      return {LogError::full, what + ". Look at the broker's disk (space, health)."};
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return {LogError::invalid, what + ". A topic's max.message.bytes is lower than it was at the start: raise it."};
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
      return {LogError::corrupt, what + ". A stored batch cannot be read; look at the broker's log."};
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return {LogError::corrupt,
              what + ". Records before that offset were removed or never were there: see retention in docs/kafka.md."};
    default: return {LogError::invalid, what + ". See docs/kafka.md for what the brokers must allow."};
  }
}

}  // namespace mayfly::adapters::kafka
