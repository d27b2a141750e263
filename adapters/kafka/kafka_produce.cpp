#include "adapters/kafka/kafka_produce.h"

namespace mayfly::adapters::kafka {

namespace {

Headers headers_of(std::span<const events::Header> from) {
  if (from.empty()) return nullptr;
  Headers headers(rd_kafka_headers_new(from.size()));
  for (const auto& h : from) {
    rd_kafka_header_add(headers.get(), h.name.data(), static_cast<ssize_t>(h.name.size()), h.value.data(),
                        static_cast<ssize_t>(h.value.size()));
  }
  return headers;
}

/// Nothing is not the same as empty: an empty text may have no address.
void set_bytes(rd_kafka_vu_t& part, rd_kafka_vtype_t type, const std::optional<events::Bytes>& bytes) {
  part.vtype = type;
  part.u.mem.ptr = !bytes ? nullptr : const_cast<char*>(bytes->empty() ? "" : bytes->data());
  part.u.mem.size = bytes ? bytes->size() : 0;
}

}  // namespace

Error produce(rd_kafka_t* client, rd_kafka_topic_t* topic, const events::NewRecord& record, void* opaque) {
  auto headers = headers_of(record.headers);
  rd_kafka_vu_t parts[7];
  parts[0].vtype = RD_KAFKA_VTYPE_RKT;
  parts[0].u.rkt = topic;
  parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[1].u.i32 = record.partition;
  set_bytes(parts[2], RD_KAFKA_VTYPE_KEY, record.key);
  set_bytes(parts[3], RD_KAFKA_VTYPE_VALUE, record.value);
  parts[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[4].u.i = RD_KAFKA_MSG_F_COPY;
  parts[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  parts[5].u.ptr = opaque;
  parts[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[6].u.headers = headers.get();
  Error error(rd_kafka_produceva(client, parts, headers ? 7 : 6));
  if (error.ok()) static_cast<void>(headers.release());  // librdkafka has taken them over
  return error;
}

}  // namespace mayfly::adapters::kafka
