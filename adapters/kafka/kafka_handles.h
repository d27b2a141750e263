// librdkafka's handles with an owner each, one line a handle.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace mayfly::adapters::kafka {

template <auto destroy>
struct By {
  template <class T>
  void operator()(T* handle) const {
    destroy(handle);
  }
};
template <class T, auto destroy>
using Owned = std::unique_ptr<T, By<destroy>>;

using Conf = Owned<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using Topic = Owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Headers = Owned<rd_kafka_headers_t, rd_kafka_headers_destroy>;
using Message = Owned<rd_kafka_message_t, rd_kafka_message_destroy>;
using Places = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Membership = Owned<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;
using Metadata = Owned<const struct rd_kafka_metadata, rd_kafka_metadata_destroy>;
using GroupList = Owned<const struct rd_kafka_group_list, rd_kafka_group_list_destroy>;
using NewTopic = Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using ConfigResource = Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using AdminOptions = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;

/// A client: producer or consumer. Messages that were read keep theirs alive. Destroying purges what a producer still
/// holds and does not close a consumer's membership: its owner does, with a limit.
using Client = std::shared_ptr<rd_kafka_t>;

}  // namespace mayfly::adapters::kafka
